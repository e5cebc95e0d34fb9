//! What saves leave behind and clear away, and what they leave alone: only what they wrote themselves is ever removed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use chainlab::Network;
use proptest::prelude::*;
use tempfile::TempDir;

use crate::state::{
    State, files, forked, generation, is_tidy, load, names, quick_notebook, quick_sealed, write_sealed,
};

fn saved_by(network: &Network) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    network.save(dir.path()).unwrap();
    dir
}

/// All files under a directory, with their contents.
fn contents(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for name in names(dir) {
        let path = dir.join(&name);
        match fs::read(&path) {
            Ok(content) => all.push((name, content)),
            Err(_) => all.extend(
                contents(&path).into_iter().map(|(below, content)| (format!("{name}/{below}"), content)),
            ),
        }
    }
    all
}

/// Saves over and over to a directory with things of somebody else's, which are to stay as they are.
fn assert_left_alone(dir: &Path, theirs: &[&str]) {
    let of_theirs = || -> Vec<_> {
        let is_theirs = |name: &str| theirs.iter().any(|theirs| name.starts_with(theirs));
        contents(dir).into_iter().filter(|(name, _)| is_theirs(name)).collect()
    };
    let before = of_theirs();
    assert!(!before.is_empty());
    for rules in [quick_notebook(), quick_sealed(), quick_notebook()] {
        let network = forked(rules);
        network.save(dir).unwrap();
        assert_eq!(load(dir), State::of(&network));
        assert_eq!(of_theirs(), before);
    }
    let names = names(dir);
    assert_eq!(names.len(), theirs.len() + 3, "`current`, a generation and `lock` are ours: {names:?}");
}

#[test]
fn folders_and_files_of_somebody_else_s_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let theirs = ["generation-0", "generation-1", "generation-2", "generation-2024", "generation-4", "notes"];
    for folder in ["generation-2024", "generation-2", "generation-0"] {
        fs::create_dir(dir.path().join(folder)).unwrap();
        fs::write(dir.path().join(folder).join("network.json"), "{}").unwrap();
    }
    for file in ["generation-1", "generation-4", "notes"] {
        fs::write(dir.path().join(file), "mine").unwrap();
    }
    assert_left_alone(dir.path(), &theirs);
}

/// A whole generation that somebody has copied is theirs, though a save has written it once.
#[test]
fn a_copy_of_a_generation_is_left_alone() {
    let dir = saved_by(&forked(quick_sealed()));
    let (one, copy) = (dir.path().join("generation-1"), dir.path().join("generation-2"));
    fs::create_dir(&copy).unwrap();
    for name in names(&one) {
        fs::copy(one.join(&name), copy.join(&name)).unwrap();
    }
    assert_left_alone(dir.path(), &["generation-2"]);
}

/// The generation before the current one is gone. What has its name now is somebody's own.
#[test]
fn a_folder_with_the_name_of_a_removed_generation_is_left_alone() {
    let network = forked(quick_sealed());
    let dir = saved_by(&network);
    network.save(dir.path()).unwrap();
    let theirs = dir.path().join("generation-1");
    fs::create_dir(&theirs).unwrap();
    fs::write(theirs.join("network.json"), "mine").unwrap();
    fs::write(theirs.join("diary"), "mine").unwrap();
    assert_left_alone(dir.path(), &["generation-1"]);

    fs::remove_dir_all(&theirs).unwrap();
    network.save(dir.path()).unwrap();
    let before = generation(&fs::read_to_string(dir.path().join("current")).unwrap(), 1);
    fs::write(dir.path().join(&before), "mine").unwrap();
    assert_left_alone(dir.path(), &[&before]);
}

/// Without the file that names it nobody knows which generation is the current one; all the more must it stay.
#[test]
fn what_no_file_names_is_kept() {
    let dir = saved_by(&forked(quick_sealed()));
    fs::remove_file(dir.path().join("current")).unwrap();
    assert_left_alone(dir.path(), &["generation-1"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever a disk has kept of a save that was cut off before the rename, the old state is found, and the next save
    /// clears it away; whatever is left of the old one after the rename, the new state is found, and likewise.
    #[test]
    fn a_torn_save_is_never_seen(kept in proptest::collection::vec(proptest::option::of(any::<prop::sample::Index>()), 8)) {
        let old_network = forked(quick_sealed());
        let dir = saved_by(&old_network);
        let old = load(dir.path());
        let network = forked(quick_notebook());
        let new_dir = saved_by(&network);
        let new = load(new_dir.path());

        // It is written down what is begun before anything of it is there.
        let torn = dir.path().join("generation-2");
        write_sealed(&dir.path().join("current.new"), "generation-2\ngeneration-1\n");
        fs::create_dir(&torn).unwrap();
        tear(&files(new_dir.path())[1..], &torn, &kept);
        prop_assert_eq!(&load(dir.path()), &old);
        let again = dir.path().join("again");
        copy(dir.path(), &again);
        network.save(&again).unwrap();
        prop_assert_eq!(&load(&again), &new);
        prop_assert!(is_tidy(&again));
        fs::remove_dir_all(&again).unwrap();

        // The same moment, but the name of what is begun is torn: nothing of that is there yet.
        fs::remove_dir_all(&torn).unwrap();
        let begun = fs::read(dir.path().join("current.new")).unwrap();
        let len = kept[0].map_or(0, |len| len.index(begun.len()));
        fs::write(dir.path().join("current.new"), &begun[..len]).unwrap();
        prop_assert_eq!(&load(dir.path()), &old);
        network.save(dir.path()).unwrap();
        prop_assert_eq!(&load(dir.path()), &new);
        prop_assert!(is_tidy(dir.path()));

        // After the rename the old one is removed, in whatever order.
        let current = fs::read_to_string(dir.path().join("current")).unwrap();
        let before = dir.path().join(generation(&current, 1));
        fs::create_dir(&before).unwrap();
        let old_dir = saved_by(&old_network);
        tear(&files(old_dir.path())[1..], &before, &kept);
        prop_assert_eq!(&load(dir.path()), &new);
        old_network.save(dir.path()).unwrap();
        prop_assert_eq!(&load(dir.path()), &old);
        prop_assert!(is_tidy(dir.path()));
    }
}

/// Keeps of each file a beginning, or nothing at all.
fn tear(files: &[PathBuf], to: &Path, kept: &[Option<prop::sample::Index>]) {
    for (path, kept) in files.iter().zip(kept.iter().cycle()) {
        if let Some(len) = kept {
            let content = fs::read(path).unwrap();
            fs::write(to.join(path.file_name().unwrap()), &content[..len.index(content.len() + 1)]).unwrap();
        }
    }
}

/// Copies a saved directory, with what is left over in it.
fn copy(from: &Path, to: &Path) {
    for (name, content) in contents(from) {
        let path = to.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}
