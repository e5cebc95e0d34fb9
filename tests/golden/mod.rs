//! Golden files: the first version of each format that is written to files.

use std::fs;

/// Compares with a file of this folder. `UPDATE_GOLDEN=1 cargo test` writes it anew; a change of a format that has been
/// released needs a new version instead.
#[track_caller]
pub(crate) fn assert_golden(name: &str, text: &str) {
    let path = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, text).unwrap();
    }
    assert_eq!(text, fs::read_to_string(&path).unwrap(), "{path}");
}
