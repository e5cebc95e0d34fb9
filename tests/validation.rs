//! The simulation against what others have published: every row of the short form of `chainlab validate`.

use chainlab::experiment::{Effort, Model};

#[test]
fn every_published_figure_is_met() {
    let models = Model::all(Effort::Quick);
    let mut rows = 0;
    let mut missed = Vec::new();
    for model in &models {
        for checked in model.check() {
            rows += 1;
            if !checked.passes() {
                missed.push(format!("{}: {checked:?}", model.name));
            }
        }
    }
    // Nine miners' 18, two miners' 13, 6 of agreeing ones, 3 bounds, 36 of selfish ones, and 21 that were derived.
    assert_eq!(rows, 97);
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
