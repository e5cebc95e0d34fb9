//! Reading rules: a field that is left out takes the value that it has in a preset.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::{Checks, Difficulty, ForkChoice, Genesis, ProofRule, Relay, Rules};

/// What a document of rules may state. A `null` states nothing that a rule can be, and is no way to leave one out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    #[serde(default, deserialize_with = "stated")]
    preset: Option<Preset>,
    #[serde(default, deserialize_with = "stated")]
    proof: Option<ProofRule>,
    #[serde(default, deserialize_with = "stated")]
    difficulty: Option<Difficulty>,
    #[serde(default, deserialize_with = "stated")]
    fork_choice: Option<ForkChoice>,
    #[serde(default, deserialize_with = "stated")]
    reward: Option<u64>,
    #[serde(default, deserialize_with = "stated")]
    genesis: Option<Genesis>,
    #[serde(default, deserialize_with = "stated")]
    checks: Option<Checks>,
    #[serde(default, deserialize_with = "stated")]
    accounts: Option<bool>,
    #[serde(default, deserialize_with = "stated")]
    payments_max: Option<usize>,
    #[serde(default, deserialize_with = "stated")]
    block_bytes_max: Option<usize>,
    #[serde(default, deserialize_with = "stated")]
    address_chars_max: Option<usize>,
    #[serde(default, deserialize_with = "stated_seconds")]
    ahead_max_seconds: Option<Duration>,
    #[serde(default, deserialize_with = "stated")]
    relay: Option<Relay>,
}

/// The rules that have names, by their names.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Preset {
    Notebook,
    Tutorial,
    Sealed,
    Bitcoin,
}

impl Preset {
    fn rules(self) -> Rules {
        match self {
            Self::Notebook => Rules::notebook(),
            Self::Tutorial => Rules::tutorial(),
            Self::Sealed => Rules::sealed(),
            Self::Bitcoin => Rules::bitcoin(),
        }
    }
}

impl TryFrom<Document> for Rules {
    type Error = Unstated;

    fn try_from(document: Document) -> Result<Self, Unstated> {
        let preset = document.preset.map(Preset::rules);
        let preset = preset.as_ref();
        Ok(Self {
            proof: or_preset("proof", document.proof, preset.map(|rules| rules.proof))?,
            difficulty: or_preset("difficulty", document.difficulty, preset.map(|rules| rules.difficulty))?,
            fork_choice: or_preset(
                "fork_choice",
                document.fork_choice,
                preset.map(|rules| rules.fork_choice),
            )?,
            reward: or_preset("reward", document.reward, preset.map(|rules| rules.reward))?,
            genesis: or_preset("genesis", document.genesis, preset.map(|rules| rules.genesis.clone()))?,
            checks: or_preset("checks", document.checks, preset.map(|rules| rules.checks))?,
            accounts: or_preset("accounts", document.accounts, preset.map(|rules| rules.accounts))?,
            payments_max: or_preset(
                "payments_max",
                document.payments_max,
                preset.map(|rules| rules.payments_max),
            )?,
            block_bytes_max: or_preset(
                "block_bytes_max",
                document.block_bytes_max,
                preset.map(|rules| rules.block_bytes_max),
            )?,
            address_chars_max: or_preset(
                "address_chars_max",
                document.address_chars_max,
                preset.map(|rules| rules.address_chars_max),
            )?,
            ahead_max: or_preset(
                "ahead_max_seconds",
                document.ahead_max_seconds,
                preset.map(|rules| rules.ahead_max),
            )?,
            relay: or_preset("relay", document.relay, preset.map(|rules| rules.relay))?,
        })
    }
}

/// A field that is left out, where no preset is named that it could be taken from.
#[derive(Debug, thiserror::Error)]
#[error(
    "missing field `{0}`: all are to be stated, or `preset` as one of `notebook`, `tutorial`, `sealed`, `bitcoin`"
)]
pub(super) struct Unstated(&'static str);

fn or_preset<T>(field: &'static str, stated: Option<T>, preset: Option<T>) -> Result<T, Unstated> {
    stated.or(preset).ok_or(Unstated(field))
}

fn stated<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

fn stated_seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    crate::time::seconds::deserialize(deserializer).map(Some)
}
