//! A curve as plain data.

use super::chart;
use crate::picture::names::cut;

/// The most points of a curve: on paper nobody could tell more apart.
const POINTS_MAX: usize = 100_000;
/// How many characters of a text are shown.
const LONGEST: usize = 60;

/// A point of a curve: a mean, or whatever the curve is of, and the band or the interval around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// What the figure depends on.
    pub x: f64,
    /// The figure.
    pub mean: f64,
    /// Where its band or its interval begins; as much as the mean if there is none.
    pub low: f64,
    /// Where it ends.
    pub high: f64,
}

/// A figure against what it depends on: points in the order of their `x`, and what has been published about it.
///
/// ```
/// use chainlab::picture::{Curve, Point};
///
/// let point = |x, mean| Point { x, mean, low: mean - 0.01, high: mean + 0.01 };
/// let points = [point(0.1, 0.08), point(0.25, 0.25), point(0.4, 0.48)];
/// let curve = Curve::swept("share of the hash rate", "share of the chain", points)
///     .with_published("Eyal and Sirer 2014", [(0.1, 0.07), (0.4, 0.5)]);
/// let svg = curve.to_svg()?;
/// assert!(svg.contains("Eyal and Sirer 2014"));
///
/// let error = Curve::swept("delay", "stale rate", [point(f64::NAN, 0.0)]).to_svg().unwrap_err();
/// assert_eq!(error.to_string(), "point 1: x is NaN, which is not drawn: 0 is, or 1e-100 to 1e100 in size");
/// # Ok::<(), chainlab::picture::CurveError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Curve {
    pub(super) title: String,
    pub(super) x: String,
    pub(super) y: String,
    pub(super) shape: Shape,
    pub(super) points: Vec<Point>,
    pub(super) published: Option<(String, Vec<(f64, f64)>)>,
}

/// How points become a curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shape {
    /// A line through all of them, a band around it.
    Line,
    /// A mark for each, with its interval, and a line through all.
    Marks,
    /// Each lasts until the next.
    Steps,
    /// A bar for each, of such a width, that begins at its `x`.
    Bars { width: f64 },
}

impl Curve {
    /// Makes the curve of a figure against a field that was swept, each point with its 95 % interval: a stale rate against
    /// a delay, or a share of the revenue against one of the hash rate.
    pub fn swept(
        field: impl Into<String>,
        figure: impl Into<String>,
        points: impl IntoIterator<Item = Point>,
    ) -> Self {
        let (x, y) = (cut(&field.into(), LONGEST), cut(&figure.into(), LONGEST));
        let title = format!("{y} against {x}");
        let points = points.into_iter().collect();
        Self { title, x, y, shape: Shape::Marks, points, published: None }
    }

    /// Returns the curve with a published one beside it: its name, and points in the order of their `x`.
    pub fn with_published(
        self,
        name: impl Into<String>,
        points: impl IntoIterator<Item = (f64, f64)>,
    ) -> Self {
        Self { published: Some((cut(&name.into(), LONGEST), points.into_iter().collect())), ..self }
    }

    /// Returns the points.
    #[must_use]
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// Draws the curve as an SVG document, for light and dark paper.
    ///
    /// # Errors
    ///
    /// There are no points or too many, or one cannot be drawn: it is not finite, or too large or too small to tell.
    pub fn to_svg(&self) -> Result<String, CurveError> {
        match self.points.len() {
            0 => return Err(CurveError::NoPoints),
            found if found > POINTS_MAX => return Err(CurveError::TooManyPoints { found }),
            _ => {}
        }
        for (number, Point { x, mean, low, high }) in (1..).zip(&self.points) {
            for (field, value) in [("x", *x), ("mean", *mean), ("low", *low), ("high", *high)] {
                check(number, field, value)?;
            }
        }
        let published = self.published.iter().flat_map(|(_, points)| points);
        for (number, (x, y)) in (1..).zip(published) {
            check(number, "published x", *x)?;
            check(number, "published y", *y)?;
        }
        Ok(chart::draw(self))
    }
}

fn check(point: usize, field: &'static str, value: f64) -> Result<(), CurveError> {
    if value == 0.0 || (1e-100..=1e100).contains(&value.abs()) {
        Ok(())
    } else {
        Err(CurveError::Value { point, field, value })
    }
}

/// Why a curve cannot be drawn.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CurveError {
    /// There is nothing to draw.
    #[error("there are no points to draw")]
    NoPoints,
    /// Nobody could tell them apart.
    #[error("{found} points are more than can be told apart, {POINTS_MAX}: draw fewer of them")]
    TooManyPoints {
        /// How many there are.
        found: usize,
    },
    /// A value that has no place.
    #[error("point {point}: {field} is {value}, which is not drawn: 0 is, or 1e-100 to 1e100 in size")]
    Value {
        /// The point, counted from 1.
        point: usize,
        /// Which of its values.
        field: &'static str,
        /// The value.
        value: f64,
    },
}
