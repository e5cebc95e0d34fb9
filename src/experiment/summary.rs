//! The figures of an experiment: their means over the replicates of each point.

use std::fmt;

use super::{
    estimate::{Estimate, Moments, short},
    runs::Experiment,
};
use crate::text::shortened;

/// The means of figures at each point of an experiment, over its replicates.
///
/// ```
/// use chainlab::experiment::{Experiment, Summary};
///
/// let json = r#"{"scenario": {"nodes": 2, "stop": {"blocks": 50}}, "replicates": 5}"#;
/// let experiment = Experiment::from_json(json)?;
/// let mut summary = Summary::new(&experiment, &[])?;
/// for row in experiment.run()? {
///     summary.add(row.run.point, row.cells.iter().map(|cell| cell.number()));
/// }
/// let share = summary.estimate(0, "node_0_chain_share").expect("there are five");
/// assert!(share.low < 0.5 && 0.5 < share.high);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Summary {
    /// What each point sets.
    points: Vec<Vec<String>>,
    fields: Vec<String>,
    figures: Vec<String>,
    /// The column of each figure.
    columns: Vec<usize>,
    /// Of each point, those of each figure.
    moments: Vec<Vec<Moments>>,
}

/// A name that no figure of an experiment has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{found}\" is no figure; there are {}", .figures.join(", "))]
pub struct UnknownFigure {
    /// The name, its first 80 characters.
    pub found: String,
    /// The names that there are.
    pub figures: Vec<String>,
}

impl Summary {
    /// Makes the summary of some of an experiment's [figures](Experiment::figures), or of all if none is named, without
    /// any row yet.
    ///
    /// # Errors
    ///
    /// A name that no figure has.
    pub fn new(experiment: &Experiment, figures: &[String]) -> Result<Self, UnknownFigure> {
        let all = experiment.figures();
        let figures = if figures.is_empty() { all } else { figures };
        let first = experiment.columns().len() - all.len();
        let column = |name: &String| match all.iter().position(|figure| figure == name) {
            Some(place) => Ok(first + place),
            None => Err(UnknownFigure { found: shortened(name), figures: all.to_vec() }),
        };
        let columns = figures.iter().map(column).collect::<Result<_, _>>()?;
        let points = &experiment.definition.points;
        let values = |point| points.values(point).into_iter().map(ToString::to_string).collect();
        Ok(Self {
            points: (0..points.len()).map(values).collect(),
            fields: points.fields().iter().map(ToString::to_string).collect(),
            figures: figures.to_vec(),
            columns,
            moments: vec![vec![Moments::default(); figures.len()]; points.len() as usize],
        })
    }

    /// Adds the row of a run of a point: what stands under each column, if it is a number.
    ///
    /// # Panics
    ///
    /// There is no such point.
    pub fn add(&mut self, point: u32, cells: impl IntoIterator<Item = Option<f64>>) {
        let cells: Vec<_> = cells.into_iter().collect();
        for (moments, column) in self.moments[point as usize].iter_mut().zip(&self.columns) {
            if let Some(figure) = cells.get(*column).copied().flatten() {
                moments.add(figure);
            }
        }
    }

    /// Returns a figure at a point, over the runs in which it was measured; none, if they are fewer than two.
    pub fn estimate(&self, point: u32, figure: &str) -> Option<Estimate> {
        let place = self.figures.iter().position(|name| name == figure)?;
        self.moments.get(point as usize)?[place].estimate()
    }
}

impl fmt::Display for Summary {
    /// Writes a table: a line for each figure at each point. Where there are fewer than two runs, there is no interval.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names = self.fields.clone();
        names.extend(["figure", "runs", "mean", "standard error", "95 % interval"].map(String::from));
        let mut table = vec![names];
        for (values, moments) in self.points.iter().zip(&self.moments) {
            for (figure, moments) in self.figures.iter().zip(moments) {
                let mut line = values.clone();
                line.extend([figure.clone(), moments.count.to_string()]);
                match moments.estimate() {
                    Some(estimate) => line.extend(estimate.texts()),
                    None if moments.count == 1 => {
                        line.extend([short(moments.mean, moments.mean), "-".into(), "-".into()])
                    }
                    None => line.extend(["-", "-", "-"].map(String::from)),
                }
                table.push(line);
            }
        }
        write_table(f, &table)
    }
}

/// Writes a table whose first line has the names; columns of numbers stand to the right.
fn write_table(f: &mut fmt::Formatter<'_>, table: &[Vec<String>]) -> fmt::Result {
    let is_number = |cell: &str| cell == "-" || cell.parse::<f64>().is_ok();
    let columns = 0..table.first().map_or(0, Vec::len);
    let shapes = columns.map(|column| {
        let cells = || table.iter().map(|line| line[column].as_str());
        let width = cells().map(|cell| cell.chars().count()).max().unwrap_or(0);
        (width, cells().skip(1).all(is_number))
    });
    let shapes: Vec<_> = shapes.collect();
    for line in table {
        let mut text = String::new();
        for (cell, (width, is_right)) in line.iter().zip(&shapes) {
            let cell = if *is_right { format!("{cell:>width$}") } else { format!("{cell:width$}") };
            text.push_str(&cell);
            text.push_str("  ");
        }
        writeln!(f, "{}", text.trim_end())?;
    }
    Ok(())
}
