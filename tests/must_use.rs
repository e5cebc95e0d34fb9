//! Who drops what a value returns in its place is warned. Each `expect` here is itself a warning, which the linter's run
//! refuses, as soon as the compiler says nothing of its line.

use std::time::Duration;

use chainlab::{
    Block, Blockchain, PreviousHash, Retarget, Rules, Time, Timestamp,
    pow::Target,
    wire::{Latency, Link},
};

#[test]
fn a_chain_that_is_dropped_has_not_grown() {
    let rules = Rules::notebook().with_first_target(Target::EASIEST);
    let chain = Blockchain::start(&rules, Time::UNIX_EPOCH).unwrap();
    let block = Block::new(2, Timestamp::integer(1), [], 0, PreviousHash::Hash(chain.tip_hash()));
    #[expect(unused_must_use, reason = "the mistake")]
    chain.append(block.clone(), &rules).unwrap();
    assert_eq!(chain.len(), 1);
    let chain = chain.append(block, &rules).unwrap();
    assert_eq!(chain.len(), 2);
}

#[test]
fn values_that_are_dropped_have_not_changed() {
    let link = Link::default();
    #[expect(unused_must_use, reason = "the mistake")]
    link.with_loss(0.5).unwrap();
    #[expect(unused_must_use, reason = "the mistake")]
    link.with_latency(Latency::fixed(Duration::from_secs(1)));
    assert_eq!(link, Link::default());
    let rules = Rules::sealed();
    #[expect(unused_must_use, reason = "the mistake")]
    rules.clone().paced_for(1e12);
    assert_eq!(rules, Rules::sealed());
    let retarget = Retarget::new(Target::EASIEST, 10, Duration::from_secs(1)).unwrap();
    #[expect(unused_must_use, reason = "the mistake")]
    retarget.with_window(20).unwrap();
    assert_eq!(retarget.window(), 10);
}
