//! Reading a genesis's allocations.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{Deserialize, de};

use crate::text::shortened;

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
        while let Some(address) = map.next_key::<Arc<str>>()? {
            let coins = map.next_value_seed(Once { address: &address, before: allocations.get(&address) })?;
            allocations.insert(address, coins);
        }
        Ok(allocations)
    }
}

/// The coins of an address that has none yet: an error stands at its place.
struct Once<'a> {
    address: &'a str,
    before: Option<&'a u64>,
}

impl<'de> de::DeserializeSeed<'de> for Once<'_> {
    type Value = u64;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<u64, D::Error> {
        let coins = u64::deserialize(deserializer)?;
        match self.before {
            None => Ok(coins),
            Some(before) => {
                let address = shortened(self.address);
                Err(de::Error::custom(format_args!("{address} has {before} coins, and again {coins}")))
            }
        }
    }
}
