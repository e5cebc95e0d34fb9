//! What comes twice, and what is yet to come.

use super::*;
use crate::Rules;

const START: Time = Time::from_secs(1_000_000);
const SECOND: u64 = 1_000_000_000;

const RECEIVER: NodeId = NodeId::new(0);

/// Two nodes have told a third of a block each, which takes so long.
fn told([one, other]: [(&Blockchain, u64); 2]) -> (Floods, Queue) {
    let (mut floods, mut queue, mut lanes) = (Floods::default(), Queue::new(START), Lanes::default());
    for links in [&[][..], &[(RECEIVER, one.1)], &[(RECEIVER, other.1)]] {
        assert!(lanes.add_node(links));
    }
    floods.set_lanes(Arc::new(lanes), false, None);
    for (from, (chain, _)) in [(1, one), (2, other)] {
        floods
            .relay(START, (NodeId::new(from), None), chain, (None, &[]), &mut queue, &mut 0)
            .expect("it has not told of it");
    }
    (floods, queue)
}

/// The second of two nodes has told of a block, and after it the third, from whom it came sooner, and in vain. What the
/// second has said is queued twice then.
fn after_something_in_vain(chain: &Blockchain) -> (Floods, Queue) {
    let (mut floods, mut queue) = told([(chain, 2 * SECOND), (chain, SECOND)]);
    let sooner = queue.pop_until(Time::MAX).expect("it was told");
    assert!(matches!(floods.arrive(&sooner), Wave::First(..)));
    floods.was_in_vain(sooner.at, (0, chain), RECEIVER, &mut queue);
    (floods, queue)
}

/// Of two blocks that come at one moment a node has not forgotten the second when the first comes.
#[test]
fn what_is_yet_to_come_is_not_missed() {
    let chains = [START, START.after_nanos(SECOND)].map(|at| Blockchain::started(&Rules::sealed(), at));
    let (mut floods, mut queue) = told([(&chains[0], SECOND), (&chains[1], SECOND)]);
    for is_missed in [false, true] {
        let arrival = queue.pop_until(Time::MAX).expect("it was told");
        assert!(matches!(floods.arrive(&arrival), Wave::First(..)));
        let remembers = |chain: &Blockchain| chain.is_same_copy(&chains[0]);
        assert_eq!(floods.miss(arrival.at, RECEIVER, &queue, remembers), is_missed);
    }
}

/// Whatever goes from before or behind it, a flood keeps its number, and the next takes one that is free.
#[test]
fn what_is_left_keeps_its_number() {
    let chains =
        [0, 1, 2].map(|secs| Blockchain::started(&Rules::sealed(), START.after_nanos(secs * SECOND)));
    for (nanos, first, last) in [([SECOND, 3 * SECOND], 0, 1), ([3 * SECOND, SECOND], 1, 0)] {
        let (mut floods, mut queue) = told([(&chains[0], nanos[0]), (&chains[1], nanos[1])]);
        for (number, nanos) in [(first, SECOND), (last, 3 * SECOND)] {
            let arrival = queue.pop_until(Time::MAX).expect("it was told");
            assert_eq!(arrival.at, START.after_nanos(nanos));
            assert!(matches!(floods.arrive(&arrival), Wave::First(at, _) if at == number));
            floods.end_those_over(arrival.at.after_nanos(1));
        }
        assert_eq!(floods.begin(chains[2].clone(), START.after_nanos(4 * SECOND)), Some(0));
    }
}

/// Whoever is told of a block near the end of time hears of it from the first that tells it, or with the end of time.
#[test]
fn near_the_end_of_time_a_block_comes_once() {
    let now = Time::from_nanos(u64::MAX - 3 * SECOND);
    let chain = Blockchain::started(&Rules::sealed(), START);
    let (mut floods, mut queue, mut lanes) = (Floods::default(), Queue::new(now), Lanes::default());
    let far = NodeId::new(3);
    for links in [&[][..], &[(RECEIVER, SECOND)], &[(RECEIVER, 2 * SECOND), (far, 4 * SECOND)], &[]] {
        assert!(lanes.add_node(links));
    }
    floods.set_lanes(Arc::new(lanes), false, None);
    for from in [1, 2].map(NodeId::new) {
        let told = floods.relay(now, (from, None), &chain, (None, &[]), &mut queue, &mut 0);
        assert!(told.is_ok());
    }
    let arrivals = std::iter::from_fn(|| queue.pop_until(Time::MAX));
    let arrivals: Vec<_> = arrivals.map(|arrival| (arrival.at, arrival.from, arrival.to)).collect();
    assert_eq!(arrivals, [(now.after_nanos(SECOND), 1, 0), (Time::MAX, 2, 3)]);
}

#[test]
fn what_is_queued_twice_comes_once() {
    let chain = Blockchain::started(&Rules::sealed(), START);
    let (mut floods, mut queue) = after_something_in_vain(&chain);
    let [first, second] = [(); 2].map(|()| queue.pop_until(Time::MAX).expect("it is queued twice"));
    assert_eq!(first, second);
    assert!(matches!(floods.arrive(&first), Wave::First(..)));
    assert!(matches!(floods.arrive(&second), Wave::Repeat));
}

/// Whether none of it has come, or it has come once and its second is still there.
#[test]
fn what_is_queued_twice_is_one_message() {
    let chain = Blockchain::started(&Rules::sealed(), START);
    for has_come in [false, true] {
        let (mut floods, mut queue) = after_something_in_vain(&chain);
        let mut turn = (START.after_nanos(2 * SECOND), 0, 0);
        if has_come {
            let first = queue.pop_until(Time::MAX).expect("it is queued twice");
            assert!(matches!(floods.arrive(&first), Wave::First(..)));
            turn = first.turn();
        }
        let left = floods.spell_out(turn, &mut queue);
        assert_eq!(left.len(), usize::from(!has_come));
    }
}
