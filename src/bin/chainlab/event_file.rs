//! What happens in a run, written to a file meanwhile.

use std::{
    fs::File,
    io::{self, BufWriter},
    path::PathBuf,
};

use chainlab::{EventWriter, Simulation, simulation::SimulationEvents};

use crate::ended::naming;

/// A file of events, as lines of JSON.
pub(crate) struct EventFile<'a> {
    path: &'a PathBuf,
    /// Until the run begins.
    file: Option<File>,
    begun: Option<(SimulationEvents, EventWriter<BufWriter<File>>)>,
}

impl<'a> EventFile<'a> {
    pub(crate) fn create(path: &'a PathBuf) -> Result<Self, String> {
        let file = File::create(path).map_err(|error| naming(path)(&error))?;
        Ok(Self { path, file: Some(file), begun: None })
    }

    /// Writes what has happened since the last time; at first it begins to watch, and has messages traced if they are to be.
    pub(crate) fn write(&mut self, simulation: &Simulation, trace: bool) -> Result<(), String> {
        self.try_write(simulation, trace).map_err(|error| naming(self.path)(&error))
    }

    /// Writes out what a buffer still holds.
    pub(crate) fn finish(mut self) -> Result<(), String> {
        let flushed = self.begun.as_mut().map_or(Ok(()), |(_, writer)| writer.flush());
        flushed.map_err(|error| naming(self.path)(&error))
    }

    fn try_write(&mut self, simulation: &Simulation, trace: bool) -> io::Result<()> {
        if let Some(file) = self.file.take() {
            simulation.set_tracing(trace);
            let events = simulation.events_with_capacity(usize::MAX);
            let writer = events.writer(BufWriter::new(file))?;
            self.begun = Some((events, writer));
        }
        let Some((events, writer)) = &mut self.begun else { return Ok(()) };
        events.try_for_each(|event| writer.write(&event))
    }
}
