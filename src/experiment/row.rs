//! What one run came to, as a row of a table.

use std::{collections::BTreeSet, fmt::Write};

use serde::de::IgnoredAny;
use serde_json::Value;

use super::run::{MODEL, Run, RunId};

/// How rows are written: a file is tidy either way, one row a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values, as RFC 4180 has them, with a line of names first: what pandas and R read. What was not
    /// measured is empty.
    Csv,
    /// An object a line.
    JsonLines,
}

/// What stands in a row under one name.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Cell {
    /// Nothing: it was not measured.
    Nothing,
    /// A number of things.
    Count(u64),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// A part of a scenario.
    Part(Value),
}

/// What one run came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The run.
    pub run: Run,
    /// What stands under each of the [columns](super::Experiment::columns).
    pub cells: Vec<Cell>,
}

/// The columns before those of fields and figures.
pub(super) const FIRST: [&str; 4] = ["run", "replicate", "seed", "model"];

impl Row {
    pub(super) fn new(run: Run, cells: impl IntoIterator<Item = Cell>) -> Self {
        let Run { id, replicate, .. } = run;
        let first = [
            Cell::Text(id.to_string()),
            Cell::Count(replicate.into()),
            Cell::Count(id.seed()),
            Cell::Count(MODEL.into()),
        ];
        Self { run, cells: first.into_iter().chain(cells).collect() }
    }
}

impl Format {
    /// Returns the lines before all rows, of columns with these names.
    pub fn header(self, columns: &[String]) -> String {
        match self {
            Self::Csv => joined(columns.iter().map(|name| quoted(name.clone()))),
            Self::JsonLines => String::new(),
        }
    }

    /// Returns the line of a row whose columns have these names.
    pub fn line(self, row: &Row, columns: &[String]) -> String {
        match self {
            Self::Csv => joined(row.cells.iter().map(Cell::csv)),
            Self::JsonLines => {
                let mut line = String::from("{");
                for (name, cell) in columns.iter().zip(&row.cells) {
                    let comma = if line.len() > 1 { "," } else { "" };
                    write!(line, "{comma}{}:{}", Value::from(&**name), cell.json())
                        .expect("a string takes every text");
                }
                line + "}\n"
            }
        }
    }
}

impl Cell {
    /// A value of a scenario's field.
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Nothing,
            // A line of the file is a row.
            Value::String(text) if !text.contains(char::is_control) => Self::Text(text.clone()),
            Value::Number(number) => match (number.as_u64(), number.as_f64()) {
                (Some(count), _) => Self::Count(count),
                (None, Some(float)) if number.is_f64() => Self::Number(float),
                _ => Self::Part(value.clone()),
            },
            other => Self::Part(other.clone()),
        }
    }

    /// Returns the number that it is, if it is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Count(count) => Some(*count as f64),
            Self::Number(number) => Some(*number),
            Self::Nothing | Self::Text(_) | Self::Part(_) => None,
        }
    }

    fn csv(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::Count(count) => count.to_string(),
            // The shortest that is read as the same float.
            Self::Number(number) if number.is_finite() => format!("{number:?}"),
            Self::Number(_) => String::new(),
            Self::Text(text) => quoted(text.clone()),
            Self::Part(part) => quoted(part.to_string()),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Nothing => Value::Null,
            Self::Count(count) => (*count).into(),
            Self::Number(number) => (*number).into(),
            Self::Text(text) => text.as_str().into(),
            Self::Part(part) => part.clone(),
        }
    }
}

fn joined(cells: impl Iterator<Item = String>) -> String {
    cells.collect::<Vec<_>>().join(",") + "\n"
}

/// How many cells a line of comma-separated values has; none, if it ends within quotes.
pub(super) fn cell_count(line: &[u8]) -> Option<usize> {
    let mut is_quoted = false;
    let ends = line.iter().filter(|byte| {
        is_quoted ^= **byte == b'"';
        **byte == b',' && !is_quoted
    });
    let count = 1 + ends.count();
    (!is_quoted).then_some(count)
}

fn quoted(text: String) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

impl Format {
    /// Returns the name of the run whose whole line it is, under a header of so many cells; none, if it is no such line.
    pub(super) fn run_of(self, line: &[u8], cells: Option<usize>) -> Option<RunId> {
        let (begin, middle): (&[u8], &[u8]) = match self {
            Self::Csv => (b"", b","),
            Self::JsonLines => (b"{\"run\":\"", b"\","),
        };
        let (id, rest) = line.strip_prefix(begin)?.split_at_checked(32)?;
        rest.strip_prefix(middle)?;
        let is_whole = match self {
            Self::Csv => line.ends_with(b"\n") && !line.ends_with(b"\r\n") && cell_count(line) == cells,
            Self::JsonLines => line.ends_with(b"}\n") && serde_json::from_slice::<IgnoredAny>(line).is_ok(),
        };
        std::str::from_utf8(id).ok().filter(|_| is_whole)?.parse().ok()
    }

    /// Tells whether a row has these columns, by its line, if that tells it.
    pub(super) fn has_columns(self, line: &[u8], columns: &[String]) -> bool {
        match self {
            Self::Csv => true,
            Self::JsonLines => {
                let fields: Option<serde_json::Map<String, Value>> = serde_json::from_slice(line).ok();
                let names = columns.iter().collect::<BTreeSet<_>>();
                fields.is_some_and(|fields| fields.keys().collect::<BTreeSet<_>>() == names)
            }
        }
    }

    /// Returns the numbers of a row, and nothing for what is none, by its line; none, if it is not the line of as many
    /// columns.
    pub fn numbers(self, line: &str, columns: &[String]) -> Option<Vec<Option<f64>>> {
        match self {
            Self::Csv => {
                let cells = cells_of(line.strip_suffix('\n')?)?;
                let numbers =
                    cells.iter().map(|cell| cell.parse().ok().filter(|number: &f64| number.is_finite()));
                (cells.len() == columns.len()).then(|| numbers.collect())
            }
            Self::JsonLines => {
                let fields: serde_json::Map<String, Value> = serde_json::from_str(line).ok()?;
                columns.iter().map(|name| Some(fields.get(name)?.as_f64())).collect()
            }
        }
    }
}

/// Splits a line of comma-separated values.
fn cells_of(line: &str) -> Option<Vec<String>> {
    let mut cells = Vec::new();
    let mut rest = line;
    loop {
        let mut cell = String::new();
        if let Some(mut quoted) = rest.strip_prefix('"') {
            loop {
                let (text, after) = quoted.split_once('"')?;
                cell.push_str(text);
                match after.strip_prefix('"') {
                    Some(after) => {
                        cell.push('"');
                        quoted = after;
                    }
                    None => {
                        rest = after;
                        break;
                    }
                }
            }
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            cell.push_str(&rest[..end]);
            rest = &rest[end..];
        }
        cells.push(cell);
        if rest.is_empty() {
            return Some(cells);
        }
        rest = rest.strip_prefix(',')?;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn row(cells: Vec<Cell>) -> (Row, Vec<String>) {
        let run = Run { id: RunId::from_bytes([7; 16]), point: 0, replicate: 3 };
        let row = Row::new(run, cells);
        let columns = (0..row.cells.len()).map(|place| match FIRST.get(place) {
            Some(name) => (*name).to_owned(),
            None => format!("c,{place}"),
        });
        let columns = columns.collect();
        (row, columns)
    }

    #[test]
    fn rows_are_lines() {
        let part = Cell::of(&json!({"random": {"links": 8}}));
        let (row, columns) =
            row(vec![Cell::Number(1e21), Cell::Number(0.1), Cell::Nothing, part, Cell::of(&json!("ring"))]);
        let id = "07".repeat(16);
        assert_eq!(
            Format::Csv.header(&columns),
            "run,replicate,seed,model,\"c,4\",\"c,5\",\"c,6\",\"c,7\",\"c,8\"\n"
        );
        assert_eq!(
            Format::Csv.line(&row, &columns),
            format!(
                "{id},3,{},{MODEL},1e21,0.1,,\"{{\"\"random\"\":{{\"\"links\"\":8}}}}\",ring\n",
                row.run.id.seed()
            )
        );
        let line = Format::JsonLines.line(&row, &columns);
        assert!(line.starts_with(&format!("{{\"run\":\"{id}\",\"replicate\":3,\"seed\":")), "{line}");
        assert!(
            line.ends_with(
                r#","c,4":1e+21,"c,5":0.1,"c,6":null,"c,7":{"random":{"links":8}},"c,8":"ring"}
"#
            ),
            "{line}"
        );
    }

    /// Whatever its texts hold.
    #[test]
    fn a_line_cut_within_a_text_is_none() {
        let (row, columns) = row(vec![Cell::Part(json!({"part": "},"}))]);
        let line = Format::JsonLines.line(&row, &columns);
        assert_eq!(Format::JsonLines.run_of(line.as_bytes(), None), Some(row.run.id));
        let (cut, _) = line.rsplit_once(',').unwrap();
        assert!(cut.ends_with('}'));
        assert_eq!(Format::JsonLines.run_of(format!("{cut}\n").as_bytes(), None), None);
    }

    fn cell() -> impl Strategy<Value = Cell> {
        prop_oneof![
            Just(Cell::Nothing),
            any::<u32>().prop_map(|count| Cell::Count(count.into())),
            any::<f64>().prop_map(Cell::Number),
            "[a-z ,\"]{0,8}[a-z]".prop_map(|text| Cell::Text(format!("t{text}"))),
            ".{0,12}".prop_map(|text| Cell::Part(json!({"part": text}))),
        ]
    }

    proptest! {
        #[test]
        fn numbers_come_back_from_one_line(cells in prop::collection::vec(cell(), 0..8)) {
            let (row, columns) = row(cells);
            for format in [Format::Csv, Format::JsonLines] {
                let line = format.line(&row, &columns);
                prop_assert_eq!(line.matches('\n').count(), 1);
                let count = cell_count(format.header(&columns).as_bytes());
                prop_assert_eq!(format.run_of(line.as_bytes(), count), Some(row.run.id));
                let cut = line.rsplit_once(',').map_or(String::new(), |(cut, _)| format!("{cut}\n"));
                for damaged in [cut, line.replace('\n', "\r\n"), line.trim_end().to_owned()] {
                    prop_assert_eq!(format.run_of(damaged.as_bytes(), count), None, "{}", damaged);
                }
                let numbers = format.numbers(&line, &columns).unwrap();
                let expected = row.cells.iter().map(|cell| cell.number().filter(|number| number.is_finite()));
                prop_assert_eq!(&numbers[1..], &expected.collect::<Vec<_>>()[1..]);
                prop_assert_eq!(format.numbers(&line, &columns[1..]).is_none(), format == Format::Csv);
            }
        }

        #[test]
        fn any_line_is_read_or_refused(line in ".{0,80}") {
            for format in [Format::Csv, Format::JsonLines] {
                let _ = (format.run_of(line.as_bytes(), Some(1)), format.numbers(&line, &["a".into()]));
            }
        }
    }
}
