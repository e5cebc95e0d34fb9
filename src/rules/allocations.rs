//! Reading a genesis's allocations.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::de;

/// Reads how many coins each address has. One that stands there twice is an error: a map alone would take the last.
pub(super) fn read<'de, D: de::Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<Arc<str>, u64>, D::Error> {
    deserializer.deserialize_map(EachOnce)
}

struct EachOnce;

impl<'de> de::Visitor<'de> for EachOnce {
    type Value = BTreeMap<Arc<str>, u64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the coins of each address")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut allocations = BTreeMap::new();
        while let Some((address, coins)) = map.next_entry::<Arc<str>, u64>()? {
            if let Some(before) = allocations.insert(Arc::clone(&address), coins) {
                let address: String = address.chars().take(80).collect();
                return Err(de::Error::custom(format_args!(
                    "{address} has {before} coins, and again {coins}"
                )));
            }
        }
        Ok(allocations)
    }
}
