//! What happens in a run, written to a file meanwhile.

use std::{
    fs::File,
    io::{self, BufWriter},
    path::Path,
};

use chainlab::{EventWriter, Simulation, simulation::SimulationEvents};

use crate::ended::naming;

/// A file of events, as lines of JSON.
pub(crate) struct EventFile<'a> {
    path: &'a Path,
    events: SimulationEvents,
    writer: EventWriter<BufWriter<File>>,
}

impl<'a> EventFile<'a> {
    /// Makes the file, and watches a simulation from now on.
    pub(crate) fn begin(path: &'a Path, simulation: &Simulation) -> Result<Self, String> {
        let events = simulation.events_with_capacity(usize::MAX);
        let writer = File::create(path).and_then(|file| events.writer(BufWriter::new(file)));
        Ok(Self { path, events, writer: named(path, writer)? })
    }

    /// Writes what has happened since the last time.
    pub(crate) fn write(&mut self) -> Result<(), String> {
        let Self { path, events, writer } = self;
        named(path, events.try_for_each(|event| writer.write(&event)))
    }

    /// Writes what has happened since, and all that is still in a buffer.
    pub(crate) fn finish(mut self) -> Result<(), String> {
        self.write()?;
        named(self.path, self.writer.flush())
    }
}

fn named<T>(path: &Path, result: io::Result<T>) -> Result<T, String> {
    result.map_err(|error| naming(path)(&error))
}
