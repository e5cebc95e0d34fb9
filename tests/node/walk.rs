//! Random walks: every input in every state, on and off the beaten track. The bench holds the node to what it owes at
//! each step; here is what must hold besides, and in the end.

use chainlab::{
    Blockchain, Command, Effect, Input, Limits, Message, RequestId, Rules, SearchId, Ticket, Told,
    Transaction, pow::Exhausted,
};
use proptest::prelude::*;

use crate::bench::{
    Bench, START, acknowledge, bare, document, grown, grown_by, inventory, notebook, peer, proof_for, sealed,
    seconds, tip, transactions,
};

/// What can be told: parts of two branches, of a chain of another genesis, and of one under easier rules.
fn chains(rules: &Rules, genesis: &Blockchain) -> Vec<Blockchain> {
    let held = |sender: &str| {
        let transaction = Transaction::new(sender, "someone", 5);
        if rules.accounts { transaction.with_nonce(0) } else { transaction }
    };
    let left = grown_by(&grown(genesis, rules, "left", &[held("alice")]), rules, "left", 4);
    let right = grown_by(&grown(genesis, rules, "right", &[held("alice"), held("bob")]), rules, "right", 3);
    let generous = Rules { reward: rules.reward + 1, ..rules.clone() };
    let liar = grown_by(&Blockchain::start(&generous, START).unwrap(), &generous, "liar", 5);
    let foreign =
        grown_by(&Blockchain::start(&notebook(), START + seconds(1.0)).unwrap(), &notebook(), "foreign", 3);
    let parts = |chain: &Blockchain| (1..=chain.len()).filter_map(|len| chain.at(len)).collect::<Vec<_>>();
    [left, right, liar, foreign].iter().flat_map(parts).collect()
}

fn told(chain: &Blockchain, form: u8, after: u64) -> Told {
    match form {
        0 => chain.clone().into(),
        1 => bare(chain, after),
        2 => document(chain),
        3 => Told::Document(serde_json::to_string(chain.last_block()).unwrap().into()),
        4 => Told::Document("{\"chain\": []".into()),
        _ => tip(chain),
    }
}

/// Turns numbers into an input. Small numbers keep most of them near something that is expected.
fn input(bench: &Bench, chains: &[Blockchain], numbers: [u8; 5]) -> Option<Input> {
    let [kind, from, which, form, number] = numbers;
    let chain = &chains[usize::from(which) % chains.len()];
    let (request, after) = (RequestId(u64::from(number % 8)), u64::from(number % 4));
    let told = told(chain, form % 6, after);
    let transaction =
        Transaction::new(["alice", "bob", "0"][usize::from(which % 3)], "someone", number.into());
    let transaction = if form % 2 == 0 { transaction } else { transaction.with_nonce(after) };
    let message = match kind % 24 {
        0 | 1 => Message::ChainRequest { request },
        2..=4 => Message::Chain { request, chain: told },
        5..=7 => Message::NewBlock(told),
        8 => Message::BlocksRequest {
            request,
            wanted: chain.tip_hash(),
            locator: [(after, chain.tip_hash()), (1, chains[0].tip_hash())].into(),
        },
        9..=11 => Message::Blocks { request, after, blocks: told },
        12 => acknowledge(chain),
        13 => match form % 5 {
            0 => inventory(number.into(), &[transaction]),
            1 => Message::TransactionsRequest { request, wanted: [transaction.hash()].into() },
            2 => transactions(number.into(), &[transaction]),
            3 => Message::AcknowledgeInventory { request },
            _ => Message::InventoryRequest,
        },
        14 => return Some(Input::LinkUp(peer(from.into()))),
        15 => return Some(Input::Wake),
        16 | 17 => {
            let (id, template) = bench.search?;
            return Some(match form % 4 {
                0 => Input::Found(SearchId(id.0.saturating_sub(1)), number.into()),
                1 => Input::Found(id, number.into()),
                2 if number < 16 => {
                    let exhausted = Exhausted { challenge: template.challenge, target: template.target };
                    Input::Exhausted(id, exhausted)
                }
                _ => Input::Found(id, proof_for(template.challenge, template.target)),
            });
        }
        23 if from >= 128 => return Some(Input::GiveUp(Ticket(u64::from(number % 32)))),
        _ => return None,
    };
    Some(Input::Message(peer(1 + u32::from(from % 5)), message))
}

fn command(numbers: [u8; 5]) -> Command {
    let [kind, from, which, _, number] = numbers;
    match kind % 24 {
        18 => Command::Register(vec![peer(u32::from(from % 5))]),
        19 => Command::Submit(Transaction::new(
            ["alice", "bob"][usize::from(which % 2)],
            "someone",
            number.into(),
        )),
        20 => Command::Resolve,
        21 => Command::Mine,
        22 => [Command::StartMining, Command::StopMining][usize::from(which % 2)].clone(),
        _ => [Command::Chain, Command::Pending][usize::from(which % 2)].clone(),
    }
}

fn walk(rules: &Rules, steps: &[([u8; 5], u16)]) {
    let limits = Limits { orphans: 3, side_branches: 2, bad_blocks: 20, mempool: 4, ..Limits::default() };
    let mut bench = Bench::with_limits(rules.clone(), limits);
    bench.command(Command::Register(vec![peer(1), peer(2), peer(3)]));
    let chains = chains(rules, &bench.chain());
    for &(numbers, millis) in steps {
        bench.now += seconds(f64::from(millis) / 1e3);
        let sender = match input(&bench, &chains, numbers) {
            Some(input) => {
                let sender = if let Input::Message(from, _) = &input { Some(*from) } else { None };
                bench.tell(input);
                sender
            }
            None => {
                bench.command(command(numbers));
                None
            }
        };
        // Tips are announced to peers alone, and questions are answered to whoever asked.
        for effect in &bench.effects.to_do {
            if let Effect::Send(to, Message::NewBlock(_)) = effect {
                assert!(bench.node.peers().contains(to), "{to} is no peer");
            }
            if let (Effect::Send(to, Message::Chain { .. } | Message::Blocks { .. }), Some(sender)) =
                (effect, sender)
            {
                assert_eq!(*to, sender);
            }
        }
        let chain = bench.chain();
        let mined: Vec<_> = chain.iter().flat_map(|block| block.transactions()).collect();
        assert!(bench.node.mempool().len() <= 4);
        assert!(!rules.accounts || bench.node.mempool().iter().all(|pending| !mined.contains(&pending)));
    }
    // Its chain is valid from the first block to the last, read back from its document.
    let chain = bench.chain();
    assert_eq!(Blockchain::from_json(&chain.to_json(), rules).unwrap(), chain);
    // Whoever resolves is answered when the time is up, and whoever mines when that is stopped.
    bench.pass(1.0);
    bench.command(Command::StopMining);
    assert!(bench.is_settled());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_comes_a_node_does_what_it_owes(
        steps in prop::collection::vec((any::<[u8; 5]>(), prop_oneof![3 => Just(0), 1 => 0..1500_u16]), 1..60),
    ) {
        walk(&notebook(), &steps);
        walk(&sealed(), &steps);
    }
}
