//! A slow, obvious validator of the sealed rules, over plain JSON.
//!
//! It shares no code with the library: the canonical JSON is the model's, and targets, medians, work, balances and
//! nonces are worked out from the blocks' own documents, block by block. Only what was judged before is not judged
//! again; it is recognised by its hash, and compared. Proofs that are drawn are the one thing that it leaves out.

use std::collections::BTreeMap;

use chainlab::{Block, BlockHash, Blockchain, Genesis, ProofRule, Rules};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::model::{Model, Verdict, dumps, hash, repr};

pub(crate) struct Validator {
    rules: Rules,
    judged: BTreeMap<BlockHash, Judged>,
}

/// What follows from a block and all before it.
struct Judged {
    block: Block,
    parent: Option<BlockHash>,
    position: u64,
    target: u128,
    work: u128,
    micros: u64,
    /// Balances and nonces.
    accounts: BTreeMap<String, (u64, u64)>,
}

/// Says what is wrong unless it holds.
macro_rules! hold {
    ($condition:expr, $($what:tt)*) => {
        if !$condition {
            return Err(format!($($what)*));
        }
    };
}

impl Validator {
    /// The rules are a network's: they set the time of the genesis.
    pub(crate) fn new(rules: &Rules) -> Self {
        Self { rules: rules.clone(), judged: BTreeMap::new() }
    }

    /// Judges a chain, and what the library says of its work, its target and its accounts.
    pub(crate) fn judge(&mut self, chain: &Blockchain) -> Result<(), String> {
        let mut unknown = Vec::new();
        let mut rest = Some(chain.clone());
        while let Some(chain) = rest {
            if let Some(judged) = self.judged.get(&chain.tip_hash()) {
                hold!(judged.block == *chain.last_block(), "two blocks of hash {}", chain.tip_hash());
                hold!(judged.position == chain.len(), "block {} stands at {}", judged.position, chain.len());
                break;
            }
            rest = chain.parent();
            unknown.push(chain);
        }
        for chain in unknown.into_iter().rev() {
            self.judge_tip(&chain).map_err(|wrong| format!("block {}: {wrong}", chain.len()))?;
        }
        let judged = &self.judged[&chain.tip_hash()];
        let accounts = chain.accounts().iter();
        let accounts = accounts.map(|(address, account)| (address.into(), (account.balance, account.nonce)));
        hold!(accounts.collect::<BTreeMap<String, _>>() == judged.accounts, "wrong accounts");
        Ok(())
    }

    fn judge_tip(&mut self, chain: &Blockchain) -> Result<(), String> {
        let block = chain.last_block().clone();
        let document = serde_json::to_value(&block).map_err(|error| error.to_string())?;
        hold!(hash(&document) == chain.tip_hash().to_string(), "its hash is {}", hash(&document));
        let judged = match chain.parent() {
            None => self.judge_genesis(block, &document)?,
            Some(parent) => self.judge_block(block, &document, parent.tip_hash())?,
        };
        hold!(judged.position == chain.len(), "it stands at {}", chain.len());
        hold!(chain.target().get() == judged.target, "its target is {:032x}", judged.target);
        hold!(chain.work().to_string() == judged.work.to_string(), "the work is {}", judged.work);
        self.judged.insert(chain.tip_hash(), judged);
        Ok(())
    }

    fn judge_genesis(&self, block: Block, document: &Value) -> Result<Judged, String> {
        let Genesis::Shared { time: Some(time), allocations } = &self.rules.genesis else {
            return Err("the rules share no genesis".into());
        };
        let mut accounts = BTreeMap::new();
        let mut transactions = Vec::new();
        for (address, &amount) in allocations {
            accounts.insert(address.to_string(), (amount, 0));
            transactions.push(json!({"amount": amount, "recipient": &**address, "sender": "0"}));
        }
        let expected = json!({
            "index": 1,
            "previous_hash": 1,
            "proof": 100,
            "timestamp": seconds(time.as_micros()),
            "transactions": transactions,
        });
        hold!(dumps(document) == dumps(&expected), "a foreign genesis: {}", dumps(document));
        let target = self.rules.difficulty.first_target().get();
        let micros = time.as_micros();
        Ok(Judged { block, parent: None, position: 1, target, work: 0, micros, accounts })
    }

    fn judge_block(&self, block: Block, document: &Value, parent: BlockHash) -> Result<Judged, String> {
        hold!(document["previous_hash"] == parent.to_string(), "it names {}", document["previous_hash"]);
        // As many of its ancestors as matter, the nearest first.
        let window = self.rules.difficulty.retarget().map_or(0, |retarget| retarget.window() as usize);
        let mut ancestors = vec![&self.judged[&parent]];
        while ancestors.len() < window.max(11)
            && let Some(hash) = ancestors.last().and_then(|judged| judged.parent)
        {
            ancestors.push(&self.judged[&hash]);
        }
        let last = ancestors[0];
        let position = last.position + 1;
        hold!(document["index"] == position, "its index is {}", document["index"]);
        let micros = whole_micros(&document["timestamp"])?;
        let mut times: Vec<_> = ancestors.iter().take(11).map(|judged| judged.micros).collect();
        times.sort();
        let median = times[times.len() / 2];
        hold!(micros > median, "its time {micros} is not after the median {median}");
        if let Some(retarget) = self.rules.difficulty.retarget()
            && last.position.is_multiple_of(retarget.window().into())
        {
            let after = u128::from(micros) + retarget.back_max().as_micros();
            hold!(after >= u128::from(last.micros), "its time {micros} starts a window too early");
        }
        let target = self.target(&ancestors);
        if self.rules.proof != ProofRule::Drawn {
            self.judge_proof(document, target)?;
        }
        let accounts = self.judge_transactions(document, &last.accounts)?;
        let work = last.work + u128::MAX / target + u128::from(u128::MAX % target == target - 1);
        Ok(Judged { block, parent: Some(parent), position, target, work, micros, accounts })
    }

    /// The target of the block after these, the nearest first: scaled after every window.
    fn target(&self, ancestors: &[&Judged]) -> u128 {
        let last = ancestors[0];
        let Some(retarget) = self.rules.difficulty.retarget() else { return last.target };
        let window = retarget.window() as usize;
        if !last.position.is_multiple_of(window as u64) {
            return last.target;
        }
        let wanted = i128::from(retarget.window()) * retarget.spacing().as_micros() as i128;
        let factor = i128::from(retarget.factor_max());
        let took = i128::from(last.micros) - i128::from(ancestors[window - 1].micros);
        let took = took.clamp(wanted / factor, wanted * factor);
        let target = scaled(last.target, took as u128, wanted as u128).unwrap_or(u128::MAX);
        target.max(1).min(self.rules.difficulty.easiest_target().get())
    }

    fn judge_proof(&self, document: &Value, target: u128) -> Result<(), String> {
        let proof = document["proof"].as_u64().ok_or("its proof is no number")?;
        let mut sealed = document.clone();
        sealed.as_object_mut().ok_or("it is no object")?.remove("proof");
        let digest = Sha256::digest(dumps(&sealed));
        let hash = Sha256::new().chain_update(digest).chain_update(proof.to_be_bytes()).finalize();
        let number = hash.iter().take(16).fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
        hold!(number < target, "its proof {proof} gives {number:032x}, above {target:032x}");
        Ok(())
    }

    fn judge_transactions(
        &self,
        document: &Value,
        before: &BTreeMap<String, (u64, u64)>,
    ) -> Result<BTreeMap<String, (u64, u64)>, String> {
        let transactions = document["transactions"].as_array().ok_or("it has no transactions")?;
        hold!(transactions.len() <= self.rules.payments_max + 1, "{} transactions", transactions.len());
        let bytes = dumps(document).len();
        hold!(bytes <= self.rules.block_bytes_max, "{bytes} bytes");
        for address in transactions.iter().flat_map(|each| [&each["sender"], &each["recipient"]]) {
            let characters = address.as_str().ok_or("an address is no text")?.chars().count();
            hold!(characters <= self.rules.address_chars_max, "an address of {characters} characters");
        }
        let rewards = transactions.iter().filter(|transaction| transaction["sender"] == "0").count();
        hold!(rewards == 1, "{rewards} rewards");
        let last = &transactions[transactions.len() - 1];
        hold!(last["sender"] == "0", "the reward is not last");
        hold!(last["amount"] == self.rules.reward, "the reward is {}", last["amount"]);
        hold!(last.get("nonce").is_none(), "the reward has a nonce");
        let mut accounts = before.clone();
        for transaction in transactions {
            let amount = transaction["amount"].as_u64().ok_or("an amount is no number")?;
            let sender = transaction["sender"].as_str().ok_or("a sender is no text")?;
            let recipient = transaction["recipient"].as_str().ok_or("a recipient is no text")?;
            if sender != "0" {
                let (balance, nonce) = accounts.entry(sender.into()).or_default();
                hold!(transaction["nonce"] == *nonce, "{sender} is at nonce {nonce}: {transaction}");
                hold!(amount <= *balance, "{sender} has {balance}: {transaction}");
                *balance -= amount;
                *nonce += 1;
            }
            let (balance, _) = accounts.entry(recipient.into()).or_default();
            *balance = balance.checked_add(amount).ok_or("a balance is too large")?;
        }
        Ok(accounts)
    }
}

/// Microseconds as a timestamp writes them.
fn seconds(micros: u64) -> f64 {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.parse().expect("digits and a point are a number")
}

/// Reads a timestamp, by the text that Python would write.
fn whole_micros(timestamp: &Value) -> Result<u64, String> {
    let seconds = timestamp.as_f64().filter(|_| timestamp.is_f64()).ok_or("its time is no float")?;
    let text = repr(seconds);
    let (whole, fraction) = text.split_once('.').ok_or("its time has no point")?;
    hold!(fraction.len() <= 6, "its time {text} is finer than a microsecond");
    format!("{whole}{fraction:0<6}").parse().map_err(|_| format!("its time is {text}"))
}

/// Computes `value * factor / divisor`, rounded down, bit after bit of the value.
fn scaled(value: u128, factor: u128, divisor: u128) -> Option<u128> {
    let (mut quotient, mut remainder) = (0_u128, 0);
    for bit in (0..128).rev() {
        remainder = 2 * remainder + if value >> bit & 1 == 1 { factor } else { 0 };
        quotient = quotient.checked_mul(2)?.checked_add(remainder / divisor)?;
        remainder %= divisor;
    }
    Some(quotient)
}

/// The notebook's `valid_chain`, block by block.
pub(crate) struct NotebookValidator {
    model: Model,
    judged: BTreeMap<BlockHash, Block>,
}

impl NotebookValidator {
    pub(crate) fn new(model: Model) -> Self {
        Self { model, judged: BTreeMap::new() }
    }

    pub(crate) fn judge(&mut self, chain: &Blockchain) -> Result<(), String> {
        let mut rest = Some(chain.clone());
        while let Some(chain) = rest {
            let block = chain.last_block();
            if let Some(judged) = self.judged.get(&chain.tip_hash()) {
                hold!(judged == block, "two blocks of hash {}", chain.tip_hash());
                return Ok(());
            }
            rest = chain.parent();
            let blocks = rest.iter().map(Blockchain::last_block).chain([block]);
            let blocks: Vec<_> = blocks.map(serde_json::to_value).collect::<Result<_, _>>().unwrap();
            hold!(hash(&blocks[blocks.len() - 1]) == chain.tip_hash().to_string(), "a wrong hash");
            let verdict = self.model.valid_chain(&Value::Array(blocks));
            hold!(verdict == Verdict::Valid, "block {}: {verdict:?}", chain.len());
            self.judged.insert(chain.tip_hash(), block.clone());
        }
        Ok(())
    }
}
