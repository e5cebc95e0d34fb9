use super::*;
use crate::{
    message::RequestId,
    wire::{Latency, Waiting},
};
use proptest::prelude::*;
use std::{collections::BTreeMap, time::Duration};

const ROOM: Room = Room { messages: 3, bytes: 100 };

fn load(bytes: u64) -> Load {
    Load { bytes, own_bytes: bytes, ..Load::default() }
}

fn node(number: u32) -> NodeId {
    NodeId::new(number)
}

fn message() -> Message {
    Message::ChainRequest { request: RequestId(0) }
}

#[derive(Debug, Clone)]
enum Step {
    /// Where all that came before has arrived it may arrive at once, and it may take time to look at.
    Send(u32, u32, u64, bool, u64),
    /// The message that has been under way for the longest arrives.
    Arrive,
    Hold(u32, u32),
    Release(u32, u32),
    Crash(u32),
    Partition(u32),
    Heal,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let pair = || (0..3_u32, 0..3_u32);
    let step = prop_oneof![
        6 => (pair(), 1..120_u64, any::<bool>(), 0..2_u64)
            .prop_map(|((from, to), bytes, may_arrive, nanos)| Step::Send(from, to, bytes, may_arrive, nanos)),
        4 => Just(Step::Arrive),
        2 => pair().prop_map(|(from, to)| Step::Hold(from, to)),
        2 => pair().prop_map(|(from, to)| Step::Release(from, to)),
        1 => (0..3_u32).prop_map(Step::Crash),
        1 => (0..3_u32).prop_map(Step::Partition),
        1 => Just(Step::Heal),
    ];
    proptest::collection::vec(step, 0..200)
}

proptest! {
    /// Of each link as much is under way as was taken on and neither arrived nor was lost, up to the bounds; in the
    /// end nothing is left.
    #[test]
    fn messages_are_counted_until_they_have_arrived(millis in 0..2_u64, steps in steps()) {
        let mut traffic = Traffic::new(1, ROOM);
        traffic.set_default(Link::default().with_latency(Latency::fixed(Duration::from_millis(millis))));
        let mut queue = std::collections::VecDeque::new();
        let mut counts = BTreeMap::<_, Vec<u64>>::new();
        let arrive = |traffic: &mut Traffic, counts: &mut BTreeMap<_, Vec<u64>>, message: UnderWay| {
            let (link, bytes) = ((message.from, message.to), message.bytes);
            match traffic.arrive(message) {
                Offer::Held => None,
                Offer::Later(message) => Some(message),
                _ => {
                    let sizes = counts.get_mut(&link).unwrap();
                    let place = sizes.iter().position(|size| *size == bytes).unwrap();
                    sizes.remove(place);
                    None
                }
            }
        };
        let release = |traffic: &mut Traffic, from, to| {
            let was_held = !traffic.links().is_reachable(from, to);
            let (came_up, due) = traffic.release(Time::UNIX_EPOCH, from, to);
            assert!(was_held || came_up.is_none() && due.is_empty());
            due
        };
        let has_held = steps.iter().any(|step| matches!(step, Step::Hold(..)));
        for step in steps {
            match step {
                Step::Send(from, to, bytes, may_arrive, validation_nanos) => {
                    let link = (node(from), node(to));
                    let sizes = counts.entry(link).or_default();
                    let fits = sizes.is_empty() || sizes.len() < 3 && sizes.iter().sum::<u64>() + bytes <= 100;
                    let load = Load { validation_nanos, ..load(bytes) };
                    let may_arrive = may_arrive && queue.is_empty();
                    match traffic.send(Time::UNIX_EPOCH, link, message(), load, may_arrive, Trace::default()) {
                        Offer::Later(message) => {
                            queue.push_back(message);
                            sizes.push(bytes);
                            prop_assert!(fits);
                        }
                        Offer::Held => {
                            sizes.push(bytes);
                            prop_assert!(fits && may_arrive);
                        }
                        Offer::Arrived(..) => {
                            let is_held = !traffic.links().is_reachable(node(from), node(to));
                            prop_assert!(fits && may_arrive && millis == 0 && validation_nanos == 0 && !is_held);
                        }
                        Offer::TooMuch(_) => prop_assert!(!fits),
                        Offer::Lost(loss, _) => prop_assert_eq!(loss, MessageLoss::Partition),
                    }
                }
                Step::Arrive => {
                    if let Some(message) = queue.pop_front() {
                        queue.extend(arrive(&mut traffic, &mut counts, message));
                    }
                }
                Step::Hold(from, to) => traffic.hold(node(from), node(to)),
                Step::Release(from, to) => queue.extend(release(&mut traffic, node(from), node(to))),
                Step::Crash(crashed) => traffic.crash(node(crashed)),
                Step::Partition(alone) => drop(traffic.partition(Partition::new([[node(alone)]]).unwrap())),
                Step::Heal => drop(traffic.heal()),
            }
            for (&(from, to), sizes) in &counts {
                let expected = Waiting { messages: sizes.len() as u32, bytes: sizes.iter().sum() };
                prop_assert_eq!(traffic.links.waiting(from, to), expected);
            }
        }
        for (from, to) in (0..9).map(|pair| (node(pair / 3), node(pair % 3))) {
            queue.extend(release(&mut traffic, from, to));
        }
        while let Some(message) = queue.pop_front() {
            queue.extend(arrive(&mut traffic, &mut counts, message));
        }
        prop_assert!(traffic.held.is_empty());
        for (from, to) in counts.into_keys() {
            prop_assert_eq!(traffic.links.waiting(from, to), Waiting::default());
        }
        traffic.heal();
        let are_perfect = millis == 0 && !has_held;
        prop_assert!(!are_perfect || traffic.links.are_perfect(), "where nothing takes time nothing is left");
    }
}

/// It is moved without a call.
#[test]
#[cfg(target_pointer_width = "64")]
fn a_message_under_way_is_small() {
    assert!(size_of::<UnderWay>() <= 128, "{}", size_of::<UnderWay>());
}

/// However little time it takes, as long as it has not arrived.
#[test]
fn a_partition_cuts_what_is_under_way_over_a_perfect_link() {
    let mut traffic = Traffic::new(1, ROOM);
    let link = (node(0), node(1));
    let Offer::Later(message) =
        traffic.send(Time::UNIX_EPOCH, link, message(), load(1), false, Trace::default())
    else {
        panic!("it may not arrive at once")
    };
    traffic.partition(Partition::new([[node(0)]]).unwrap());
    traffic.heal();
    assert!(matches!(traffic.arrive(message), Offer::Lost(MessageLoss::Partition, _)));
}

/// It takes none of its sender's time, nor of its link's, and none of its draws.
#[test]
fn what_finds_no_room_keeps_nothing_busy() {
    let link = Link::default().with_latency(Latency::exponential(Duration::from_secs(1)));
    let upload = Bandwidth::new(2000, 1_000_000).unwrap();
    let [mut full, mut roomy] = [1, 2].map(|messages| {
        let mut traffic = Traffic::new(1, Room { messages, bytes: 100_000 });
        traffic.set_default(link.with_bandwidth(1000).unwrap());
        traffic.set_bandwidth(node(0), upload);
        traffic
    });
    let send = |traffic: &mut Traffic| {
        let link = (node(0), node(1));
        traffic.send(Time::UNIX_EPOCH, link, message(), load(5000), false, Trace::default())
    };
    let later = |offer| match offer {
        Offer::Later(message) => message,
        offer => panic!("there is room: {offer:?}"),
    };
    let mut first = later(send(&mut full));
    assert_eq!(first.due, later(send(&mut roomy)).due);
    for _ in 0..3 {
        assert!(matches!(send(&mut full), Offer::TooMuch(_)));
    }
    while let Offer::Later(message) = full.arrive(first) {
        first = message;
    }
    assert_eq!(later(send(&mut full)).due, later(send(&mut roomy)).due);
}

#[test]
fn what_is_due_at_once_overtakes_nothing() {
    let mut traffic = Traffic::new(1, ROOM);
    let link = (node(0), node(1));
    let sent = traffic.send(Time::UNIX_EPOCH, link, message(), load(1), true, Trace::default());
    assert!(matches!(sent, Offer::Arrived(..)));
    let sent = traffic.send(Time::UNIX_EPOCH, link, message(), load(1), false, Trace::default());
    assert!(matches!(sent, Offer::Later(_)));
}
