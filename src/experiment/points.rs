//! The points of an experiment: which values its fields take together.

use serde_json::{Map, Value};

use super::{error::ExperimentError, field::Field, range};

/// How many points there are at most.
const POINTS_MAX: u64 = 100_000_000;

/// Points by their places, counted from 0. An experiment without fields has one.
#[derive(Debug, Clone)]
pub(super) struct Points {
    fields: Vec<Field>,
    values: Values,
}

#[derive(Debug, Clone)]
enum Values {
    /// Of each field those that it takes; the last field's change first.
    Grid(Vec<Vec<Value>>),
    /// Of each point those of the fields.
    List(Vec<Vec<Value>>),
}

impl Points {
    /// Reads a grid: of each field its values.
    pub(super) fn of_grid(given: Map<String, Value>) -> Result<Self, ExperimentError> {
        let (mut fields, mut axes) = (Vec::new(), Vec::<Vec<_>>::new());
        let mut points = 1_u64;
        for (name, given) in given {
            let place = || format!("grid.{name}");
            fields.push(parse(&name, place)?);
            axes.push(range::values(given).map_err(|problem| ExperimentError::at(place(), problem))?);
            points = points.saturating_mul(axes[axes.len() - 1].len() as u64);
            // Ranges are short, and their values many: nothing more is made of too many.
            if points > POINTS_MAX {
                let lengths: Vec<_> = axes.iter().map(|axis| axis.len().to_string()).collect();
                let problem = format!("{} points are more than {POINTS_MAX}", lengths.join(" times "));
                return Err(ExperimentError::at("grid", problem));
            }
        }
        Ok(Self { fields, values: Values::Grid(axes) })
    }

    /// Reads a list of points, all of which set the same fields.
    pub(super) fn of_list(given: Vec<Map<String, Value>>) -> Result<Self, ExperimentError> {
        let Some(first) = given.first() else {
            return Err(ExperimentError::at("points", "there are none"));
        };
        let fields = first.keys().map(|name| parse(name, || format!("points[0].{name}")));
        let fields = fields.collect::<Result<Vec<_>, _>>()?;
        let names: Vec<_> = first.keys().cloned().collect();
        let mut list = Vec::with_capacity(given.len());
        for (place, point) in given.into_iter().enumerate() {
            if !point.keys().eq(&names) {
                let found: Vec<_> = point.keys().map(String::as_str).collect();
                let problem =
                    format!("it sets [{}], and the first sets [{}]", found.join(", "), names.join(", "));
                return Err(ExperimentError::at(format!("points[{place}]"), problem));
            }
            list.push(point.into_iter().map(|(_, value)| value).collect());
        }
        Ok(Self { fields, values: Values::List(list) })
    }

    /// Returns what is set at each point, in the order of the columns.
    pub(super) fn fields(&self) -> &[Field] {
        &self.fields
    }

    pub(super) fn len(&self) -> u32 {
        let len = match &self.values {
            Values::Grid(axes) => axes.iter().map(Vec::len).product(),
            Values::List(list) => list.len(),
        };
        u32::try_from(len).expect("there are no more than are allowed")
    }

    /// Returns what the fields are at a point that there is.
    pub(super) fn values(&self, point: u32) -> Vec<&Value> {
        match &self.values {
            Values::List(list) => list[point as usize].iter().collect(),
            Values::Grid(axes) => {
                let mut rest = point as usize;
                let mut values: Vec<_> = axes
                    .iter()
                    .rev()
                    .map(|axis| {
                        let value = &axis[rest % axis.len()];
                        rest /= axis.len();
                        value
                    })
                    .collect();
                values.reverse();
                values
            }
        }
    }
}

fn parse(name: &str, place: impl Fn() -> String) -> Result<Field, ExperimentError> {
    if name == "seed" {
        return Err(ExperimentError::at(
            place(),
            "each run has a seed of its own, which follows from its name",
        ));
    }
    Field::parse(name).ok_or_else(|| {
        ExperimentError::at(place(), "it names no field as link.loss or faults[2].nodes[0] do")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_grid_has_every_combination() {
        let points = Points::of_grid(map(json!({"nodes": [3, 5], "link.loss": [0, 0.1, 0.2]}))).unwrap();
        let names: Vec<_> = points.fields().iter().map(ToString::to_string).collect();
        assert_eq!(names, ["link.loss", "nodes"]);
        let all: Vec<_> = (0..points.len()).map(|point| json!(points.values(point))).collect();
        assert_eq!(json!(all), json!([[0, 3], [0, 5], [0.1, 3], [0.1, 5], [0.2, 3], [0.2, 5]]));
        assert_eq!(Points::of_grid(Map::new()).unwrap().len(), 1);
    }

    #[test]
    fn points_set_the_same_fields() {
        let points =
            Points::of_list(vec![map(json!({"a": 1, "b": 2})), map(json!({"b": 4, "a": 3}))]).unwrap();
        assert_eq!((points.len(), json!(points.values(1))), (2, json!([3, 4])));
        let error = Points::of_list(vec![map(json!({"a": 1})), map(json!({"b": 4}))]).unwrap_err();
        assert_eq!(error.to_string(), "points[1]: it sets [b], and the first sets [a]");
    }

    /// Whatever the names and values of others are, an error is bounded.
    #[test]
    fn errors_are_short() {
        let long = "a".repeat(100_000);
        let names = |count: usize| (0..count).map(|name| (format!("a{name}"), json!(1))).collect();
        let errors = [
            Points::of_grid(map(json!({&long: []}))),
            Points::of_grid(map(json!({format!("{long}["): [1]}))),
            Points::of_grid(map(json!({"nodes": long}))),
            Points::of_list(vec![names(10_000), names(10_001)]),
        ];
        for error in errors {
            let error = error.unwrap_err().to_string();
            assert!(error.chars().count() < 1_300, "{error}");
        }
    }

    #[test]
    fn too_many_are_refused() {
        let axis = json!({"from": 0, "to": 1, "count": 1_000_000});
        let error = Points::of_grid(map(json!({"a": axis, "b": axis, "c": axis, "d": axis}))).unwrap_err();
        assert!(error.to_string().ends_with("times 1000000 points are more than 100000000"), "{error}");
        // More values than there is memory for.
        let all = (0..2_000).map(|name| (format!("a{name}"), axis.clone())).collect();
        assert!(Points::of_grid(all).is_err());
        let error = Points::of_grid(map(json!({"seed": [1]}))).unwrap_err();
        assert!(error.to_string().starts_with("grid.seed: each run has a seed of its own"), "{error}");
        let error = Points::of_grid(map(json!({"a[": [1]}))).unwrap_err();
        assert!(error.to_string().starts_with("grid.a[: it names no field"), "{error}");
    }
}
