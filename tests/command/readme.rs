//! The README's experiment prints what stands there.

use std::fs;

use crate::program::{directory, succeed};

#[test]
fn the_readmes_experiment_prints_what_stands_there() {
    let readme = include_str!("../../README.md");
    let (_, section) = readme.split_once("## An experiment, without a line of Rust").unwrap();
    let fenced = |language: &str| {
        let (_, rest) = section.split_once(&format!("```{language}\n")).unwrap();
        rest.split_once("```").unwrap().0
    };
    let directory = directory();
    fs::write(directory.path().join("delays.json"), fenced("json")).unwrap();
    let mut words = fenced("sh").split_whitespace();
    assert_eq!(words.next(), Some("chainlab"));
    let printed = succeed(directory.path(), &words.collect::<Vec<_>>());
    assert_eq!(printed, fenced("text"));
}
