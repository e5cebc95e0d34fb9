//! A network in the terminal: its nodes, the last heights as a tree, what happens and how often, and keys that cut it in
//! two, hold its links, crash its nodes and change their hash rates.
//!
//! `cargo run --release --example dashboard`; the keys stand at the bottom. With `-- --frames 3` it prints three pictures as
//! text instead, for which it needs no terminal.

mod dashboard;
#[path = "../shared/end.rs"]
mod end;
mod forks;
mod keys;
mod model;
mod panels;
mod rates;
mod screen;
mod text;
mod tree;
#[path = "../shared/values.rs"]
mod values;

use std::{
    error::Error,
    io::{self, IsTerminal, Write},
    process::{self, ExitCode},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chainlab::{NodeId, Report, network::Clock};
use clap::{Parser, value_parser};
use ratatui::crossterm::event::{self, Event};

use crate::{
    dashboard::{Dashboard, Setting},
    keys::Act,
    screen::Screen,
};

/// The time from one picture to the next, at most.
const FRAME: Duration = Duration::from_millis(100);
/// The time from one picture to the next where they are printed, and their size.
const PRINTED: Duration = Duration::from_millis(500);
const PRINTED_SIZE: (u16, u16) = (80, 24);

/// Shows a network that runs in the terminal, and lets keys do to it what can be done to one.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many nodes there are, in a ring.
    #[arg(long, default_value_t = 5, value_parser = value_parser!(u32).range(1..=100))]
    nodes: u32,
    /// The seconds from block to block, which the difficulty keeps to.
    #[arg(long, default_value = "2", value_parser = values::seconds)]
    interval: Duration,
    /// The seconds that a message takes from a node to the next.
    #[arg(long, default_value = "0.3", value_parser = values::seconds)]
    latency: Duration,
    /// Prints so many pictures as text, one every half second, and takes no keys.
    #[arg(long, value_parser = value_parser!(u64).range(1..))]
    frames: Option<u64>,
}

fn main() -> ExitCode {
    end::with(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    if arguments.frames.is_none() && !io::stdout().is_terminal() {
        return Err("standard output is no terminal; `--frames 3` prints three pictures as text".into());
    }
    let interrupted = listen()?;
    let Arguments { nodes, interval, latency, .. } = *arguments;
    let mut dashboard = Dashboard::start(Setting { nodes, interval, latency })?;
    match arguments.frames {
        Some(frames) => print(&mut dashboard, frames, &interrupted)?,
        None => show(&mut dashboard, &interrupted)?,
    }
    tell(&dashboard.end()?, &mut io::stdout())?;
    Ok(())
}

/// Has the first signal of Ctrl-C noted, and the second end the process at once, with the terminal given back.
fn listen() -> Result<Arc<AtomicBool>, ctrlc::Error> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let noted = Arc::clone(&interrupted);
    ctrlc::set_handler(move || {
        if noted.swap(true, Ordering::SeqCst) {
            screen::give_back();
            // What a shell reports of a program that the signal ended.
            process::exit(130);
        }
    })?;
    Ok(interrupted)
}

/// Shows the dashboard on the terminal until a key or a signal ends it.
fn show(dashboard: &mut Dashboard, interrupted: &AtomicBool) -> io::Result<()> {
    let mut screen = Screen::take()?;
    while !interrupted.load(Ordering::SeqCst) {
        dashboard.advance();
        screen.terminal.draw(|frame| panels::draw(frame, dashboard.model()))?;
        let mut wait = FRAME;
        // What is pressed together is done together; a new size is seen by the next picture.
        while event::poll(wait)? {
            wait = Duration::ZERO;
            let Event::Key(key) = event::read()? else { continue };
            match Act::of(key) {
                Some(Act::Quit) => return Ok(()),
                Some(act) => dashboard.act(act),
                None => {}
            }
        }
    }
    Ok(())
}

/// Prints so many pictures, or until a signal ends it.
fn print(dashboard: &mut Dashboard, frames: u64, interrupted: &AtomicBool) -> io::Result<()> {
    let mut out = io::stdout();
    let clock = Clock::wall();
    let now = || clock.now(NodeId::new(0));
    for _ in 0..frames {
        writeln!(out, "{}", text::drawn(dashboard.model(), PRINTED_SIZE))?;
        let next = now() + PRINTED;
        while now() < next {
            if interrupted.load(Ordering::SeqCst) {
                return Ok(());
            }
            dashboard.wait(FRAME);
        }
    }
    Ok(())
}

/// Tells what became of the network.
fn tell(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let (mined, stale, duration) = (report.mined, report.stale, report.duration);
    let reorganisations: u64 = report.reorganisations.values().sum();
    writeln!(out, "{mined} blocks were mined in {duration:.0?}, and {stale} of them went stale.")?;
    writeln!(out, "How often a node gave up blocks for a better branch: {reorganisations}.")
}
