//! Inventories of which nothing comes but a note, beside the general case.

use super::*;
use crate::{Genesis, Inventory};

#[derive(Debug, Clone)]
enum Step {
    /// One of three peers, or a stranger, tells of some of eight payments.
    Tell {
        from: u32,
        which: Vec<u64>,
        is_anew: bool,
        acknowledge: Option<u64>,
    },
    /// Whoever was asked last, but for so many, answers with all or with none.
    Answer {
        which: usize,
        with_all: bool,
    },
    Acknowledge {
        which: usize,
    },
    Submit {
        nonce: u64,
    },
    LinkLoses {
        other: u32,
        loses: bool,
    },
    LinkUp {
        other: u32,
    },
    /// A block comes, which holds the first so many that are pending.
    Block {
        payments: usize,
    },
    Pass {
        millis: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let acknowledge = prop_oneof![4 => Just(None), 1 => (0..3_u64).prop_map(Some)];
    prop_oneof![
        8 => (1..5_u32, vec(0..8_u64, 0..3), prop::bool::weighted(0.1), acknowledge)
            .prop_map(|(from, which, is_anew, acknowledge)| Step::Tell { from, which, is_anew, acknowledge }),
        6 => (prop_oneof![3 => Just(0), 1 => 0..3_usize], prop::bool::weighted(0.8))
            .prop_map(|(which, with_all)| Step::Answer { which, with_all }),
        3 => (0..3_usize).prop_map(|which| Step::Acknowledge { which }),
        1 => (0..8_u64).prop_map(|nonce| Step::Submit { nonce }),
        1 => (1..4_u32, prop::bool::weighted(0.3)).prop_map(|(other, loses)| Step::LinkLoses { other, loses }),
        1 => (1..4_u32).prop_map(|other| Step::LinkUp { other }),
        1 => (0..3_usize).prop_map(|payments| Step::Block { payments }),
        2 => prop_oneof![3 => 0..200_u64, 1 => 0..3_000_u64].prop_map(|millis| Step::Pass { millis }),
    ]
}

/// The payment of a nonce; the last is more than there is to pay from.
fn payment(nonce: u64) -> Transaction {
    Transaction::new("alice", "bob", if nonce == 7 { 1000 } else { 1 }).with_nonce(nonce)
}

/// Takes out what was said last, but for so many.
fn last<T>(said: &mut Vec<T>, which: usize) -> Option<T> {
    said.len().checked_sub(1 + which).map(|place| said.remove(place))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    /// Effect for effect but for when the node is to be woken, and in all that it remembers.
    #[test]
    fn an_inventory_that_is_noted_is_the_general_case(steps in vec(step(), 0..60)) {
        let allocations = [("alice".into(), 100)].into();
        let rules = Rules { genesis: Genesis::Shared { time: Some(START), allocations }, ..rules() };
        let mut node = node(&Arc::new(rules.clone()));
        let mut now = START;
        let (mut asked, mut told) = (Vec::<(_, _, Arc<[_]>)>::new(), Vec::new());
        for (step, number) in steps.into_iter().zip(1..) {
            let request = RequestId(number);
            let input = match step {
                Step::Tell { from, which, is_anew, acknowledge } => {
                    let hashes = which.into_iter().map(|nonce| payment(nonce).hash()).collect();
                    let inventory = Inventory { request, is_anew, acknowledge, hashes };
                    Input::Message(NodeId::new(from), Message::Inventory(inventory))
                }
                Step::Answer { which, with_all } => {
                    let Some((to, request, wanted)) = last(&mut asked, which) else { continue };
                    let all = (0..8).map(payment).filter(|payment| wanted.contains(&payment.hash()));
                    let transactions = all.filter(|_| with_all).collect();
                    Input::Message(to, Message::Transactions { request, transactions })
                }
                Step::Acknowledge { which } => {
                    let Some((to, request)) = last(&mut told, which) else { continue };
                    Input::Message(to, Message::AcknowledgeInventory { request })
                }
                Step::Submit { nonce } => Input::Command(Ticket(number), Command::Submit(payment(nonce))),
                Step::LinkLoses { other, loses } => Input::LinkLoses(NodeId::new(other), loses),
                Step::LinkUp { other } => Input::LinkUp(NodeId::new(other)),
                Step::Block { payments } => {
                    let pending: Vec<_> = node.mempool().iter().take(payments).cloned().collect();
                    let Ok(block) = node.chain().mine_next(&rules, pending, "miner-1", now) else { continue };
                    Input::Message(NodeId::new(1), Message::NewBlock(Told::Chain(block)))
                }
                Step::Pass { millis } => {
                    now += Duration::from_millis(millis);
                    Input::Wake
                }
            };
            let effects = handles_as_at_length(&mut node, now, input)?;
            for effect in effects.to_do {
                match effect {
                    Effect::Send(to, Message::TransactionsRequest { request, wanted }) => {
                        asked.push((to, request, wanted));
                    }
                    Effect::Send(to, Message::Inventory(inventory)) if inventory.acknowledge.is_some() => {
                        told.push((to, inventory.request));
                    }
                    _ => {}
                }
            }
        }
    }
}
