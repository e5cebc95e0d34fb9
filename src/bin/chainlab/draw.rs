//! `chainlab draw`: pictures of the events that a run has written.

use std::{
    error::Error,
    fs::{self, File},
    io::{self, BufReader, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use chainlab::{
    EventReader, NodeId,
    picture::{Curve, ForkTree, Replay, SpaceTime, Span},
};

use crate::ended::{Ended, naming};

/// Draws what happened in a run, from the events that `chainlab run --events` or an `EventWriter` has written.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    picture: Picture,
}

const EXAMPLES: &str = "\
Examples:
  chainlab run partition --events events.jsonl --trace
  chainlab draw tree events.jsonl                                which blocks stand on which, as text
  chainlab draw tree events.jsonl -o tree.svg
  chainlab draw space-time events.jsonl --to 600 -o messages.svg
  chainlab draw curves events.jsonl -o propagation.svg
  chainlab draw replay events.jsonl -o replay.html               a page that plays the run";

#[derive(Debug, clap::Subcommand)]
enum Picture {
    /// Draws the tree of all blocks: SVG, DOT for Graphviz, or text.
    Tree {
        #[command(flatten)]
        files: Files,
    },
    /// Draws who told whom, and when, as SVG; with `--trace` of the run, every message.
    SpaceTime {
        #[command(flatten)]
        files: Files,
        /// Where it begins, in seconds since the start of the run.
        #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = seconds)]
        from: Duration,
        /// Where it ends; at the last event, if it is not said.
        #[arg(long, value_name = "SECONDS", value_parser = seconds)]
        to: Option<Duration>,
        /// The numbers of the nodes, from above: `0,3,5`; all, if it is not said.
        #[arg(long, value_delimiter = ',')]
        nodes: Vec<u32>,
    },
    /// Draws the share of the nodes that have a block against the time since it was mined, as SVG.
    Curves {
        #[command(flatten)]
        files: Files,
    },
    /// Writes a page that plays the run, to be opened by any browser; it asks nobody for anything.
    Replay {
        #[command(flatten)]
        files: Files,
        /// Leaves out what a page has no room for.
        #[arg(long)]
        thinned: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Files {
    /// The events, as lines of JSON.
    events: PathBuf,
    /// What is drawn; its ending tells how a tree is: `.svg`, `.dot`, or text. Standard output, if it is not said.
    #[arg(short, long)]
    output: Option<PathBuf>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|error| format!("{error}"))?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

pub(crate) fn run(Arguments { picture }: &Arguments) -> Ended {
    match picture {
        Picture::Tree { files } => {
            let tree = files.read(ForkTree::read)?;
            let ending = files.output.as_ref().and_then(|output| output.extension()?.to_str());
            files.write(&match ending {
                Some("svg") => tree.to_svg(),
                Some("dot" | "gv") => tree.to_dot(),
                _ => tree.to_string(),
            })
        }
        Picture::SpaceTime { files, from, to, nodes } => {
            let diagram = files.read(|lines| space_time(lines, *from, *to, nodes))?;
            files.write(&diagram.to_svg())
        }
        Picture::Curves { files } => {
            let curve = files.read(|lines| {
                let events: Result<Vec<_>, _> = EventReader::new(lines)?.collect();
                Ok::<_, Box<dyn Error>>(Curve::propagation(events?))
            })?;
            files.write(&curve.to_svg()?)
        }
        Picture::Replay { files, thinned } => {
            let replay = files.read(Replay::read)?;
            let replay = if *thinned { replay.thinned() } else { replay };
            files.write(&replay.to_html()?)
        }
    }
}

fn space_time(
    lines: BufReader<File>,
    from: Duration,
    to: Option<Duration>,
    nodes: &[u32],
) -> Result<SpaceTime, Box<dyn Error>> {
    let reader = EventReader::new(lines)?;
    let start = reader.start();
    let events = reader.collect::<Result<Vec<_>, _>>()?;
    let last = || events.iter().map(|event| event.time).max().unwrap_or(start);
    let span = Span { from: start + from, to: to.map_or_else(last, |to| start + to) };
    let mut nodes: Vec<_> = nodes.iter().copied().map(NodeId::new).collect();
    if nodes.is_empty() {
        nodes = events.iter().map(|event| event.node).collect();
        nodes.sort_unstable();
        nodes.dedup();
    }
    Ok(SpaceTime::from_events(&events, span, nodes)?)
}

impl Files {
    /// Reads the events; what is wrong with them names their file.
    fn read<T, E: Into<Box<dyn Error>>>(
        &self,
        read: impl FnOnce(BufReader<File>) -> Result<T, E>,
    ) -> Result<T, Box<dyn Error>> {
        let named = |error: Box<dyn Error>| naming(&self.events)(&*error);
        let lines = File::open(&self.events).map_err(|error| named(error.into()))?;
        Ok(read(BufReader::new(lines)).map_err(|error| named(error.into()))?)
    }

    fn write(&self, picture: &str) -> Ended {
        match &self.output {
            Some(output) => write_file(output, picture)?,
            None => io::stdout().lock().write_all(picture.as_bytes())?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn write_file(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| naming(path)(&error))
}
