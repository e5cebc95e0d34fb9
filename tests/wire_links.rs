//! The life of a message over a link, by the public interface: fates, draws, order, partitions, holds.

use std::time::Duration;

use chainlab::{
    NodeId, Time,
    wire::{Arrival, Fate, Latency, Link, Links, MessageLoss, Partition, Verdict},
};

const A: NodeId = NodeId::new(0);
const B: NodeId = NodeId::new(1);
const C: NodeId = NodeId::new(2);

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn at(millis: u64) -> Time {
    Time::from_nanos(millis * 1_000_000)
}

fn jittery() -> Link {
    Link::default().with_latency(Latency::uniform(ms(10), ms(90)).unwrap())
}

/// Sends so many messages from A to B, one a millisecond.
fn send_many(links: &mut Links, count: u64) -> Vec<Fate> {
    (0..count).map(|millis| links.send(at(millis), A, B, 100)).collect()
}

#[test]
fn a_link_is_directed() {
    let mut links = Links::new(1);
    let slow = Link::default().with_latency(Latency::fixed(ms(40)));
    links.set_link(A, B, slow);
    assert_eq!(links.send(at(1), A, B, 100), Fate::Deliver(at(41)));
    assert_eq!(links.send(at(1), B, A, 100), Fate::Deliver(at(1)));
    assert_eq!((links.link(A, B), links.link(B, A)), (slow, Link::default()));
    links.set_both_links(B, C, slow);
    assert_eq!(links.send(at(1), B, C, 100), Fate::Deliver(at(41)));
    assert_eq!(links.send(at(1), C, B, 100), Fate::Deliver(at(41)));
    links.set_default(slow);
    assert_eq!(links.send(at(1), C, A, 100), Fate::Deliver(at(41)));
}

#[test]
fn bandwidth_and_latency_add_up_and_messages_queue() {
    let mut links = Links::new(1);
    links.set_default(Link::default().with_latency(Latency::fixed(ms(5))).with_bandwidth(1_000_000).unwrap());
    // 10,000 bytes take 10 ms.
    assert_eq!(links.send(at(0), A, B, 10_000), Fate::Deliver(at(15)));
    assert_eq!(links.send(at(0), A, B, 20_000), Fate::Deliver(at(35)), "behind the first");
    assert_eq!(links.send(at(0), A, C, 10_000), Fate::Deliver(at(15)), "another link is free");
    assert_eq!(links.send(at(12), A, B, 1000), Fate::Deliver(at(36)), "behind both");
    assert_eq!(links.send(at(100), A, B, 1000), Fate::Deliver(at(106)), "the link is free again");
    assert_eq!(links.send(at(200), A, B, u64::MAX), Fate::Deliver(Time::from_nanos(u64::MAX)));
}

#[test]
fn lost_messages_take_their_bandwidth() {
    let mut links = Links::new(1);
    let link = Link::default().with_bandwidth(1000).unwrap();
    links.set_default(link.with_loss(1.0).unwrap());
    assert_eq!(links.send(at(0), A, B, 10), Fate::Lost(MessageLoss::Loss));
    links.set_default(link);
    assert_eq!(links.send(at(0), A, B, 10), Fate::Deliver(at(20)));
}

#[test]
fn losses_are_as_frequent_as_the_link_says() {
    for (seed, loss) in [(1, 0.0), (2, 0.01), (3, 0.3), (4, 0.9), (5, 1.0)] {
        let mut links = Links::new(seed);
        links.set_default(Link::default().with_loss(loss).unwrap());
        let lost = send_many(&mut links, 100_000)
            .iter()
            .filter(|&&fate| fate == Fate::Lost(MessageLoss::Loss))
            .count();
        let (share, tolerance) = (lost as f64 / 1e5, 5.0 * (loss * (1.0 - loss) / 1e5).sqrt());
        assert!((share - loss).abs() <= tolerance, "{share} of the messages are lost, expected {loss}");
    }
}

#[test]
fn an_ordered_link_keeps_order_and_another_does_not() {
    let arrivals = |ordered| {
        let mut links = Links::new(1);
        links.set_default(jittery().with_order(ordered));
        send_many(&mut links, 1000)
            .into_iter()
            .map(|fate| match fate {
                Fate::Deliver(time) => time,
                other => panic!("{other:?}"),
            })
            .collect::<Vec<Time>>()
    };
    let (ordered, unordered) = (arrivals(true), arrivals(false));
    assert!(ordered.is_sorted());
    assert!(!unordered.is_sorted());
    // The same draws; order makes each wait for the latest before it, and for nothing else.
    let mut latest = Time::default();
    for (ordered, unordered) in ordered.into_iter().zip(unordered) {
        latest = latest.max(unordered);
        assert_eq!(ordered, latest);
    }
}

#[test]
fn a_faster_setting_does_not_overtake_on_an_ordered_link() {
    let mut links = Links::new(1);
    links.set_link(A, B, Link::default().with_latency(Latency::fixed(ms(100))));
    assert_eq!(links.send(at(0), A, B, 1), Fate::Deliver(at(100)));
    links.set_link(A, B, Link::default());
    assert_eq!(links.send(at(1), A, B, 1), Fate::Deliver(at(100)));
    links.set_link(A, B, Link::default().with_order(false));
    assert_eq!(links.send(at(2), A, B, 1), Fate::Deliver(at(2)));
    links.set_link(A, B, Link::default());
    assert_eq!(links.send(at(3), A, B, 1), Fate::Deliver(at(100)), "not before the first either");
}

#[test]
fn draws_are_keyed() {
    let lossy = jittery().with_loss(0.2).unwrap();
    let mut links = Links::new(9);
    links.set_default(lossy);
    let fates = send_many(&mut links, 1000);

    // The same seed gives the same fates; another gives others; so does the way back.
    let mut same = Links::new(9);
    same.set_default(lossy);
    assert_eq!(send_many(&mut same, 1000), fates);
    let mut other = Links::new(10);
    other.set_default(lossy);
    assert_ne!(send_many(&mut other, 1000), fates);
    let back: Vec<Fate> = (0..1000).map(|millis| links.send(at(millis), B, A, 100)).collect();
    assert_ne!(back, fates);

    // Nothing that happens to others shifts them, nor what does not go over the link itself.
    let mut busy = Links::new(9);
    busy.set_default(lossy);
    let among_others = (0..1000).map(|millis| {
        let now = at(millis);
        busy.send(now, A, C, 5);
        busy.send(now, NodeId::new(millis as u32 + 3), B, 5);
        busy.set_link(B, C, Link::default().with_loss(0.5).unwrap());
        busy.send_with(Verdict::Drop, now, A, B, 5);
        busy.send_with(Verdict::Delay(ms(3)), now, A, B, 5);
        busy.hold(A, B);
        busy.partition(Partition::new([[A]]).unwrap());
        assert_eq!(busy.send(now, A, B, 5), Fate::Lost(MessageLoss::Partition));
        busy.heal();
        busy.send(now, A, B, 100)
    });
    assert_eq!(among_others.collect::<Vec<_>>(), fates);
}

#[test]
fn a_loss_leaves_the_latencies_as_they_were() {
    let unordered = jittery().with_order(false);
    let fates = |link| {
        let mut links = Links::new(9);
        links.set_default(link);
        send_many(&mut links, 1000)
    };
    let pairs = fates(unordered).into_iter().zip(fates(unordered.with_loss(0.5).unwrap()));
    let (lost, kept): (Vec<_>, Vec<_>) =
        pairs.partition(|&(_, lossy)| lossy == Fate::Lost(MessageLoss::Loss));
    assert!(kept.iter().all(|(lossless, lossy)| lossless == lossy));
    assert!(lost.len() > 400 && kept.len() > 400);
}

#[test]
fn a_verdict_goes_before_the_link() {
    let mut links = Links::new(1);
    links.set_default(
        Link::default()
            .with_latency(Latency::fixed(ms(50)))
            .with_bandwidth(1)
            .unwrap()
            .with_loss(1.0)
            .unwrap(),
    );
    let sent = links.epoch();
    assert_eq!(links.send_with(Verdict::Delay(ms(7)), at(1), A, B, 100), Fate::Deliver(at(8)));
    assert_eq!(
        links.send_with(Verdict::Delay(ms(2)), at(2), A, B, 100),
        Fate::Deliver(at(4)),
        "it overtakes"
    );
    assert_eq!(links.send_with(Verdict::Pass, at(1), A, B, 100), Fate::Lost(MessageLoss::Loss));
    links.set_default(Link::default());
    assert_eq!(links.send_with(Verdict::Drop, at(1), A, B, 100), Fate::Lost(MessageLoss::Verdict));
    assert_eq!(links.send_with(Verdict::default(), at(1), A, B, 100), Fate::Deliver(at(1)));
    // But neither through a hold nor through a partition, be it there or yet to come.
    links.hold(A, B);
    assert_eq!(links.arrival(A, B, sent), Arrival::Held);
    links.partition(Partition::new([[A]]).unwrap());
    assert_eq!(links.send_with(Verdict::Delay(ms(7)), at(1), A, B, 100), Fate::Lost(MessageLoss::Partition));
    links.heal();
    assert_eq!(links.arrival(A, B, sent), Arrival::Lost(MessageLoss::Partition));
}

#[test]
fn a_partition_cuts_what_is_under_way_and_tells_who_can_talk_again() {
    let mut links = Links::new(1);
    links.set_default(jittery());
    let before = links.epoch();
    for (from, to) in [(A, B), (B, A), (A, C), (C, A)] {
        assert!(matches!(links.send(at(0), from, to, 1), Fate::Deliver(_)));
    }
    assert_eq!(links.partition(Partition::new([[B]]).unwrap()), Partition::default());
    assert!(!links.is_reachable(A, B) && !links.is_reachable(B, A) && links.is_reachable(A, C));
    assert_eq!(links.send(at(1), B, A, 1), Fate::Lost(MessageLoss::Partition));

    // Another partition in its place joins A and B again, and cuts C off.
    let between = links.epoch();
    let old = links.partition(Partition::new([[A, B]]).unwrap());
    assert!(old.separates(A, B) && links.is_reachable(A, B), "these can talk again");
    assert!(old.separates(B, C) && !links.is_reachable(B, C), "these still cannot");
    assert!(!old.separates(A, C) && !links.is_reachable(A, C), "these no longer can");
    let old = links.heal();
    assert!(old.separates(A, C) && links.is_reachable(A, C));

    let lost = Arrival::Lost(MessageLoss::Partition);
    assert_eq!(links.arrival(A, B, before), lost, "cut by the first");
    assert_eq!(links.arrival(A, B, between), Arrival::Arrived, "sent after it, spared by the second");
    assert_eq!(links.arrival(A, C, before), lost, "cut by the second");
    assert_eq!(links.arrival(A, C, between), lost, "sent during the first, cut by the second");
    assert_eq!(links.arrival(A, C, links.epoch()), Arrival::Arrived, "sent after both");
}

#[test]
fn a_partition_that_lasts_cuts_perfect_links_too() {
    let mut links = Links::new(1);
    let sent = links.epoch();
    assert_eq!(links.send(at(0), A, B, 1), Fate::Deliver(at(0)));
    links.partition(Partition::new([[A]]).unwrap());
    assert_eq!(
        links.arrival(A, B, sent),
        Arrival::Lost(MessageLoss::Partition),
        "it had not been delivered yet"
    );
    assert_eq!(links.arrival(B, C, sent), Arrival::Arrived);
}

#[test]
fn a_partition_cuts_what_a_verdict_delays_on_a_perfect_link() {
    let mut links = Links::new(1);
    let sent = links.epoch();
    assert_eq!(links.send_with(Verdict::Delay(ms(7)), at(1), A, B, 1), Fate::Deliver(at(8)));
    links.partition(Partition::new([[A]]).unwrap());
    links.heal();
    assert_eq!(links.arrival(A, B, sent), Arrival::Lost(MessageLoss::Partition));
}

#[test]
fn a_hold_stops_what_is_due_until_the_release() {
    let mut links = Links::new(1);
    let sent = links.epoch();
    assert_eq!(links.send(at(0), A, B, 1), Fate::Deliver(at(0)));
    links.hold(A, B);
    assert_eq!(links.arrival(A, B, sent), Arrival::Held, "under way when the hold began");
    assert_eq!(links.send(at(5), A, B, 1), Fate::Deliver(at(5)));
    assert_eq!(links.arrival(A, B, sent), Arrival::Held, "sent after it");
    assert_eq!(links.arrival(B, A, sent), Arrival::Arrived, "the way back is free");
    assert!(!links.is_reachable(A, B) && links.is_reachable(B, A));

    // A heal is no release, and what is held is cut like everything under way.
    links.partition(Partition::new([[A]]).unwrap());
    links.heal();
    assert_eq!(links.arrival(A, B, sent), Arrival::Lost(MessageLoss::Partition));
    assert_eq!(links.arrival(A, B, links.epoch()), Arrival::Held);

    assert!(links.release(A, B) && links.is_reachable(A, B));
    assert!(!links.release(A, B), "it is not held any more");
    assert_eq!(links.arrival(A, B, links.epoch()), Arrival::Arrived);
    assert_eq!(links.arrival(A, B, sent), Arrival::Lost(MessageLoss::Partition), "lost is lost");
}

#[test]
fn a_link_that_loses_everything_is_not_reachable() {
    let mut links = Links::new(1);
    links.set_link(A, B, Link::default().with_loss(1.0).unwrap());
    assert!(!links.is_reachable(A, B) && links.is_reachable(B, A));
    links.set_link(A, B, Link::default().with_loss(0.999).unwrap());
    assert!(links.is_reachable(A, B));
}

#[test]
fn a_seed_gives_the_same_fates_for_ever() {
    let mut links = Links::new(42);
    links.set_default(jittery().with_order(false).with_loss(0.5).unwrap());
    let fates = send_many(&mut links, 8).into_iter().map(|fate| match fate {
        Fate::Deliver(time) => Some(time.as_nanos()),
        _ => None,
    });
    // Computed apart from this code: SplitMix64's mixing, one step of Xoshiro256++, and its product with the range.
    let expected =
        [14165369, 33618692, 23100400, 69636198, 0, 26081769, 44180124, 0].map(|nanos| match nanos {
            0 => None,
            nanos => Some(nanos),
        });
    assert_eq!(fates.collect::<Vec<_>>(), expected);
}
