//! An experiment: how many blocks go stale as the links become slower?

use std::{error::Error, time::Duration};

use chainlab::{
    Difficulty, Retarget, Rules, Simulation,
    network::HashRate,
    pow::Target,
    wire::{Latency, Link, Topology},
};

#[test]
fn latency() -> Result<(), Box<dyn Error>> {
    let mut stale_rates = Vec::new();
    for millis in [10, 100, 1000, 10_000] {
        // A block every ten seconds, whatever becomes stale, by twenty miners as strong as each other.
        let retarget = Retarget::new(Target::from_expected_hashes(200_000), 144, Duration::from_secs(10))?;
        let difficulty = Difficulty::Retargeted(retarget.with_easiest_target(Target::EASIEST)?);
        let simulation = Simulation::new(Rules { difficulty, ..Rules::bitcoin() }, 42);
        let link = Link::default().with_latency(Latency::exponential(Duration::from_millis(millis)));
        simulation.set_default_link(link);
        for _ in 0..20 {
            let miner = simulation.spawn()?;
            simulation.start_mining(miner, HashRate::per_second(1000.0)?)?;
        }
        simulation.join(&Topology::Random { links: 4 })?;
        simulation.run_blocks(5000);

        let report = simulation.report();
        let (stale, spread) = (report.stale_rate, &report.propagation.to_90_percent);
        println!("{millis:>6} ms: {:>5.2} % stale, nine in ten after {:.1?}", 100.0 * stale, spread.median);
        stale_rates.push(stale);
    }
    assert!(stale_rates.is_sorted(), "slower links, more stale blocks: {stale_rates:?}");
    assert!(stale_rates[0] < 0.01 && stale_rates[3] > 0.2, "{stale_rates:?}");
    Ok(())
}
