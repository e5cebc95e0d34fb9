//! `chainlab draw`: pictures of the events that a run has written.

use std::{
    collections::BTreeSet,
    error::Error,
    fs::{self, File},
    io::{self, BufReader, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use chainlab::{
    EventReader, NodeId,
    picture::{Curve, ForkTree, Replay, ReplayError, SpaceTime, Span},
};

use crate::ended::{Ended, check_output, naming};

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
    /// Draws the tree of all blocks: SVG, DOT for Graphviz, or text, by the ending of the output.
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
    /// Draws how blocks spread: the share of the nodes that have one against the time since it was mined, as SVG.
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
    /// Where it is drawn: a file whose ending tells how, `.svg` or `.html`, of a tree `.svg`, `.dot`, `.gv` or `.txt`.
    /// Standard output, if it is not said.
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
            let ending = files.ending(&["", "txt", "svg", "dot", "gv"])?;
            let tree = files.read(ForkTree::read)?;
            files.write(&match ending {
                "svg" => tree.to_svg(),
                "dot" | "gv" => tree.to_dot(),
                _ => tree.to_string(),
            })
        }
        Picture::SpaceTime { files, from, to, nodes } => {
            files.ending(&["svg"])?;
            let diagram = files.read(|lines| space_time(lines, *from, *to, nodes))?;
            files.write(&diagram.to_svg())
        }
        Picture::Curves { files } => {
            files.ending(&["svg"])?;
            let curve = files.read(|lines| {
                let events: Result<Vec<_>, _> = EventReader::new(lines)?.collect();
                Ok::<_, Box<dyn Error>>(Curve::propagation(events?))
            })?;
            let svg = curve.to_svg().map_err(|error| naming(&files.events)(&error))?;
            files.write(&svg)
        }
        Picture::Replay { files, thinned } => {
            files.ending(&["html"])?;
            let replay = files.read(Replay::read)?;
            let replay = if *thinned { replay.thinned() } else { replay };
            let page = replay.to_html().map_err(|error| match error {
                ReplayError::TooMany { .. } => format!("{error}, by --thinned"),
                _ => error.to_string(),
            });
            files.write(&page?)
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
    let last = || events.iter().map(|event| event.time).max().map_or(Duration::ZERO, |last| last - start);
    let to = to.unwrap_or_else(last);
    if from >= to {
        let [from, to] = [from, to].map(|time| time.as_secs_f64());
        return Err(format!("no time lies between {from} s and {to} s after the start of the run").into());
    }
    let there: BTreeSet<_> = events.iter().map(|event| event.node).collect();
    let asked: Vec<_> = nodes.iter().copied().map(NodeId::new).collect();
    let unknown: Vec<_> =
        asked.iter().filter(|node| !there.contains(node)).map(ToString::to_string).collect();
    if !unknown.is_empty() {
        return Err(format!("of {} no event tells", unknown.join(", ")).into());
    }
    let nodes = if asked.is_empty() { there.into_iter().collect() } else { asked };
    Ok(SpaceTime::from_events(&events, Span { from: start + from, to: start + to }, nodes)?)
}

impl Files {
    /// Reads the events, unless the picture would take their place; what is wrong with them names their file.
    fn read<T, E: Into<Box<dyn Error>>>(
        &self,
        read: impl FnOnce(BufReader<File>) -> Result<T, E>,
    ) -> Result<T, Box<dyn Error>> {
        let named = |error: Box<dyn Error>| naming(&self.events)(&*error);
        let lines = File::open(&self.events).map_err(|error| named(error.into()))?;
        if let Some(output) = &self.output {
            check_output(output, [&self.events])?;
        }
        Ok(read(BufReader::new(lines)).map_err(|error| named(error.into()))?)
    }

    /// Returns the ending of the output, in small letters, if it is one of those; of standard output the first.
    fn ending(&self, known: &[&'static str]) -> Result<&'static str, String> {
        let Some(output) = &self.output else { return Ok(known[0]) };
        let ending =
            output.extension().map_or_else(String::new, |ending| ending.to_string_lossy().to_lowercase());
        known.iter().copied().find(|known| *known == ending).ok_or_else(|| {
            let known: Vec<_> =
                known.iter().filter(|known| !known.is_empty()).map(|known| format!(".{known}")).collect();
            format!(
                "{}: its ending tells how it is drawn, and is to be {}",
                output.display(),
                known.join(", ")
            )
        })
    }

    fn write(&self, picture: &str) -> Ended {
        match &self.output {
            Some(output) => fs::write(output, picture).map_err(|error| naming(output)(&error))?,
            None => io::stdout().lock().write_all(picture.as_bytes())?,
        }
        Ok(ExitCode::SUCCESS)
    }
}
