//! Runs over all cores.

use std::{error::Error, num::NonZero, sync::mpsc::channel};

use chainlab::experiment::{ExperimentError, Row, Run};
use rayon::prelude::*;

use crate::{interrupt, progress};

/// What became of runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All were made.
    Done,
    /// A signal came before they were.
    Interrupted,
}

enum News {
    Made(Box<Result<Row, ExperimentError>>),
    Interrupted,
}

impl News {
    /// The row that it brings, if it does.
    fn row(self) -> Option<Row> {
        match self {
            Self::Made(row) => row.ok(),
            Self::Interrupted => None,
        }
    }
}

/// Makes runs on so many threads, all cores if it is not said, and hands over each row as soon as it is made. At the
/// first signal it returns at once: what is under way is left.
///
/// `done` runs of the same whole were made before; the progress bar begins there.
pub(crate) fn spread(
    runs: Vec<Run>,
    done: usize,
    threads: Option<NonZero<usize>>,
    make: impl Fn(Run) -> Result<Row, ExperimentError> + Send + Sync + 'static,
    mut take: impl FnMut(Row) -> Result<(), Box<dyn Error>>,
) -> Result<Outcome, Box<dyn Error>> {
    let (news, heard) = channel();
    let signals = news.clone();
    // Whoever would hear of it may have ended.
    interrupt::listen(move || drop(signals.send(News::Interrupted)))?;
    let count = runs.len();
    // More threads than runs would have nothing to do.
    let threads = threads.map_or(0, |threads| threads.get().min(count.max(1)));
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|number| format!("runs-{number}"))
        .build()?;
    pool.spawn(move || {
        // One by one: how long a run takes is not known, and each of them is worth its own place in the queue.
        runs.into_par_iter().with_max_len(1).for_each_with(news, |news, run| {
            // Once nobody listens, the process is about to end.
            let _ = news.send(News::Made(Box::new(make(run))));
        });
    });
    let bar = progress::bar(done + count, "runs").with_position(done as u64);
    bar.reset_eta();
    bar.tick();
    for _ in 0..count {
        match heard.recv().expect("the handler of signals holds a sender") {
            News::Made(row) => match *row {
                Ok(row) => take(row)?,
                Err(error) => {
                    // What others have made meanwhile is not lost.
                    heard.try_iter().filter_map(News::row).try_for_each(&mut take)?;
                    return Err(error.into());
                }
            },
            News::Interrupted => {
                bar.abandon();
                heard.try_iter().filter_map(News::row).try_for_each(&mut take)?;
                return Ok(Outcome::Interrupted);
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(Outcome::Done)
}
