//! Rows are merged in memory that does not depend on their number.

use std::{fmt::Write, fs, io};

use chainlab::experiment::{Experiment, Format, Merged, Pilots, Plan};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Returns the most memory that the merge of so many rows from ten files takes, in bytes.
fn peak(rows: u32) -> usize {
    let json = format!(r#"{{"scenario": {{"stop": {{"blocks": 1}}}}, "replicates": {rows}}}"#);
    let experiment = Experiment::from_json(&json).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let mut file = Vec::new();
    Plan::new(&experiment, Pilots::default()).write(experiment.runs(), &mut file).unwrap();
    let mut files = vec![Format::Csv.header(experiment.columns()); 10];
    for (place, run) in experiment.runs().iter().enumerate() {
        // What a row says is nothing to the merge, but for how many cells it has.
        let (others, text) = (",".repeat(experiment.columns().len() - 5), &mut files[place % 10]);
        writeln!(text, "{},{},0,1,{:0100}{others}", run.id, run.replicate, 0).unwrap();
    }
    let paths = files.into_iter().enumerate().map(|(place, text)| {
        let path = directory.path().join(format!("shard-{place}.csv"));
        fs::write(&path, text).unwrap();
        path
    });
    let paths: Vec<_> = paths.collect();
    drop(experiment);

    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let (plan, runs) = Plan::read(&*file).unwrap();
    let merged = plan.merge(runs, &paths, io::sink()).unwrap();
    assert_eq!(merged, Merged { rows: rows.into(), ..Merged::default() });
    ALLOCATOR.peak_usage() - before
}

#[test]
fn ten_times_as_many_rows_take_no_more_memory() {
    let (few, many) = (peak(10_000), peak(100_000));
    assert!(many < few + few / 10, "{few} bytes for ten thousand rows, {many} for a hundred thousand");
}
