//! An experiment: its runs, and how one of them is made.

use std::collections::BTreeSet;

#[cfg(feature = "parallel")]
use rayon::prelude::*;

use super::{
    definition::{Definition, namer},
    error::ExperimentError,
    figures,
    row::{Cell, FIRST, Row},
    run::Run,
    scenario::{NodeRef, Scenario},
};

/// Up to how many nodes each has columns of its own.
const NODES_SHOWN_MAX: usize = 10;
/// How many runs there are at most.
const RUNS_MAX: u64 = 100_000_000;

/// A scenario, the values that some of its fields take, and how often each of these points is run.
///
/// It is read from JSON. `grid` names fields as errors do (`faults[2].at_seconds`), each with a list of values or with a
/// range, `{"from": 0, "to": 0.5, "count": 11}`, of which there is every combination; or `points` lists objects that set
/// fields together.
///
/// A run's name is a hash of its scenario, its replicate and the version of the [model](super::MODEL), and its seed follows
/// from its name: neither from an order, nor from a thread, nor from what else there is to run.
///
/// ```
/// use chainlab::experiment::{Estimate, Experiment};
///
/// let experiment = Experiment::from_json(r#"{
///     "scenario": {"nodes": 3, "stop": {"blocks": 300}},
///     "grid": {"link.latency.fixed.seconds": [1, 20]},
///     "replicates": 4
/// }"#)?;
/// assert_eq!(experiment.runs().len(), 8);
///
/// let rows = experiment.run()?;
/// let column = experiment.columns().iter().position(|name| name == "stale_rate").expect("it is a figure");
/// let of_point = |point| {
///     let rates = rows.iter().filter(|row| row.run.point == point);
///     Estimate::of(&rates.filter_map(|row| row.cells[column].number()).collect::<Vec<_>>())
/// };
/// let (soon, late) = (of_point(0).expect("four runs"), of_point(1).expect("four runs"));
/// assert!(soon.high < late.low, "the longer under way, the more are stale");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Experiment {
    pub(super) definition: Definition,
    pub(super) layout: Layout,
    /// In the order of their names.
    runs: Vec<Run>,
}

/// Which columns there are.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// The nodes that have columns of their own.
    pub(super) nodes: Vec<u32>,
    pub(super) columns: Vec<String>,
}

impl Experiment {
    /// Reads an experiment, and checks the scenario of each of its points, with the seed of each of its runs.
    ///
    /// # Errors
    ///
    /// What is wrong, by its field, and for a scenario by its point.
    ///
    /// ```
    /// use chainlab::experiment::Experiment;
    ///
    /// let json = r#"{"scenario": {"stop": {"blocks": 10}}, "grid": {"nodes": [2, 0]}, "replicates": 1}"#;
    /// let error = Experiment::from_json(json).unwrap_err().to_string();
    /// assert!(error.starts_with("point 1 (nodes = 0): nodes: 0 is not "), "{error}");
    /// ```
    pub fn from_json(json: &str) -> Result<Self, ExperimentError> {
        let definition = Definition::read(json)?;
        let points = definition.points.len();
        let count = u64::from(points) * u64::from(definition.replicates);
        if count > RUNS_MAX {
            let problem = format!("at {points} points they are {count} runs, more than {RUNS_MAX}");
            return Err(ExperimentError::at("replicates", problem));
        }
        let mut runs = Vec::with_capacity(count as usize);
        let mut shown = Shown::default();
        for point in 0..points {
            let scenario = definition.scenario(point)?;
            shown.add(&scenario);
            let namer = namer(&scenario);
            for replicate in 0..definition.replicates {
                let run = Run { id: namer.name(replicate), point, replicate };
                let checked = scenario.check_with_seed(run.id.seed());
                checked.map_err(|source| definition.wrong_at(point, source))?;
                runs.push(run);
            }
        }
        runs.sort_unstable_by_key(|run| (run.id, run.point));
        if let Some(pair) = runs.windows(2).find(|pair| pair[0].id == pair[1].id) {
            let (first, second) = (pair[0].point, pair[1].point);
            return Err(ExperimentError::Twice { first, second, values: definition.describe(second) });
        }
        let layout = Layout::new(&definition, shown.nodes());
        Ok(Self { definition, layout, runs })
    }

    /// Returns the runs, in the order of their names.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Returns the names of the columns of its rows: who the run is, the fields that its points set, and the figures of
    /// its report. Nodes have columns of their own if there are ten or fewer, and else those whose strategy is stated.
    pub fn columns(&self) -> &[String] {
        &self.layout.columns
    }

    /// Returns the names of the columns that hold figures.
    pub fn figures(&self) -> &[String] {
        &self.columns()[FIRST.len() + self.definition.points.fields().len()..]
    }

    /// Returns how many points there are.
    pub fn points(&self) -> u32 {
        self.definition.points.len()
    }

    /// Returns what a point sets, for a person: `link.loss = 0.1, nodes = 5`.
    ///
    /// # Panics
    ///
    /// There is no such point.
    pub fn describe(&self, point: u32) -> String {
        self.definition.describe(point)
    }

    /// Makes all of its runs, and returns their rows in the order of their names: with the feature `parallel` on all
    /// cores, and else one after the other. The rows are the same.
    ///
    /// # Errors
    ///
    /// A scenario cannot be run.
    pub fn run(&self) -> Result<Vec<Row>, ExperimentError> {
        #[cfg(feature = "parallel")]
        let rows: Vec<_> = self.runs.par_iter().with_max_len(1).map(|run| self.row(*run)).collect();
        #[cfg(not(feature = "parallel"))]
        let rows: Vec<_> = self.runs.iter().map(|run| self.row(*run)).collect();
        // The error is the first run's that has one, and not the first that was come to.
        rows.into_iter().collect()
    }

    /// Makes one of its runs.
    ///
    /// # Errors
    ///
    /// The scenario cannot be run.
    ///
    /// # Panics
    ///
    /// The run is another experiment's, whose point is not there.
    pub fn row(&self, run: Run) -> Result<Row, ExperimentError> {
        self.definition.row(&self.layout, run)
    }
}

impl Definition {
    /// Makes a run, if that is its name.
    pub(super) fn row(&self, layout: &Layout, run: Run) -> Result<Row, ExperimentError> {
        let mut scenario = self.scenario(run.point)?;
        let found = namer(&scenario).name(run.replicate);
        if found != run.id {
            return Err(ExperimentError::Other { planned: run.id, found });
        }
        scenario.seed = run.id.seed();
        let report = scenario.run().map_err(|source| self.wrong_at(run.point, source))?;
        let fields = self.points.values(run.point).into_iter().map(Cell::of);
        Ok(Row::new(run, fields.chain(figures::cells(&report, &layout.nodes))))
    }
}

impl Layout {
    pub(super) fn new(definition: &Definition, nodes: Vec<u32>) -> Self {
        let first = FIRST.iter().map(|name| (*name).to_owned());
        let fields = definition.points.fields().iter().map(ToString::to_string);
        let columns = first.chain(fields).chain(figures::columns(&nodes)).collect();
        Self { nodes, columns }
    }
}

/// Which nodes are to have columns of their own, of all scenarios together.
#[derive(Debug, Default)]
struct Shown {
    most_nodes: usize,
    strategists: BTreeSet<u32>,
}

impl Shown {
    fn add(&mut self, scenario: &Scenario) {
        self.most_nodes = self.most_nodes.max(scenario.nodes);
        let named = scenario.strategies.iter().flat_map(|stated| stated.nodes.iter().flatten());
        self.strategists.extend(named.filter_map(|node| number_of(scenario, node)));
    }

    fn nodes(self) -> Vec<u32> {
        if self.most_nodes <= NODES_SHOWN_MAX {
            (0..self.most_nodes as u32).collect()
        } else {
            self.strategists.into_iter().collect()
        }
    }
}

fn number_of(scenario: &Scenario, node: &NodeRef) -> Option<u32> {
    match node {
        NodeRef::Number(number) => u32::try_from(*number).ok(),
        NodeRef::Name(name) => {
            let named = scenario.names.iter().position(|each| each == name);
            u32::try_from(named.or_else(|| name.strip_prefix("node-")?.parse().ok())?).ok()
        }
    }
}
