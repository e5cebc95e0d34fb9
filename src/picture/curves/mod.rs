//! Curves: figures against what they depend on.
//!
//! A [`Curve`] is plain data until it is drawn: `plotters` draws its axes, lines and bands, and its texts are our own. It
//! stands behind the feature `plot`.

mod axis;
mod chain;
mod chart;
mod curve;
mod propagation;

pub use curve::{Curve, CurveError, Point};
