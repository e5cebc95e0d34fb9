//! Events as documents and as text: every variant there and back, the lines' format, and what a person reads.

mod any;
mod lines;
mod text;

use std::fs;

/// Compares with a file of `tests/golden`, the first version of a format. `UPDATE_GOLDEN=1 cargo test` writes it anew;
/// a change of a format that has been released needs a new version instead.
#[track_caller]
fn assert_golden(name: &str, text: &str) {
    let path = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, text).unwrap();
    }
    assert_eq!(text, fs::read_to_string(&path).unwrap(), "{path}");
}
