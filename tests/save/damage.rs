//! Whatever is damaged, missing or made up is named.

use std::{collections::BTreeMap, fs, path::Path};

use chainlab::{
    BlockHash, DocumentError, LossReason, Network, NodeId, RulesError, Violation,
    network::{Config, LoadError, SaveError, SpawnError},
};
use tempfile::TempDir;

use crate::state::{State, files, forked, load, names, node, quick_notebook, quick_sealed, write_sealed};

fn saved() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    forked(quick_sealed()).save(dir.path()).unwrap();
    dir
}

fn load_error(dir: &Path) -> LoadError {
    Network::load(dir, Config::default()).map(|network| State::of(&network)).unwrap_err()
}

fn assert_named(error: &impl ToString, path: &Path) {
    let (error, path) = (error.to_string(), path.display().to_string());
    assert!(error.contains(&path), "the error does not name {path}: {error}");
}

#[test]
fn a_flipped_bit_is_found_wherever_it_is() {
    let dir = saved();
    for path in files(dir.path()) {
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1 << (at % 8);
            fs::write(&path, damaged).unwrap();
            assert_named(&load_error(dir.path()), &path);
        }
        fs::write(&path, whole).unwrap();
    }
    load(dir.path());
}

#[test]
fn a_file_of_another_length_is_found() {
    let dir = saved();
    for path in files(dir.path()) {
        let whole = fs::read(&path).unwrap();
        let shorter = (0..whole.len()).step_by(17).chain([whole.len() - 1]).map(|len| whole[..len].to_vec());
        for damaged in shorter.chain([[&whole[..], b"\n"].concat(), [&whole[..], &whole].concat()]) {
            fs::write(&path, damaged).unwrap();
            assert_named(&load_error(dir.path()), &path);
        }
        fs::write(&path, whole).unwrap();
    }
    load(dir.path());
}

#[test]
fn a_missing_file_is_named() {
    let dir = saved();
    for path in files(dir.path()).into_iter().skip(1) {
        let whole = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let error = load_error(dir.path());
        assert!(matches!(&error, LoadError::File(error) if error.path == path), "{error}");
        fs::write(&path, whole).unwrap();
    }
    fs::remove_file(dir.path().join("current")).unwrap();
    assert!(matches!(load_error(dir.path()), LoadError::NothingSaved { dir: named } if named == dir.path()));
}

#[test]
fn where_nothing_was_saved_nothing_is_found_or_made() {
    let dir = tempfile::tempdir().unwrap();
    for dir in [dir.path(), &dir.path().join("missing")] {
        assert!(matches!(load_error(dir), LoadError::NothingSaved { dir: named } if named == dir));
    }
    assert_eq!(names(dir.path()), [""; 0]);
}

#[test]
fn a_copy_without_the_lock_loads() {
    let dir = saved();
    fs::remove_file(dir.path().join("lock")).unwrap();
    load(dir.path());
}

/// Changes the text of a generation's document, and makes the checksums right again.
fn forge(generation: &Path, name: &str, from: &str, to: &str) {
    let text = fs::read_to_string(generation.join(name)).unwrap();
    assert!(text.contains(from), "{text}");
    let forged = text.replacen(from, to, 1);
    fs::write(generation.join(name), &forged).unwrap();
    let list = generation.join("SHA256SUMS");
    let sums = fs::read_to_string(&list).unwrap();
    let (lines, _) = sums.rsplit_once("# ").unwrap();
    let [old, new] = [text, forged].map(|text| BlockHash::of(text.as_bytes()).to_string());
    write_sealed(&list, &lines.replace(&old, &new));
}

#[test]
fn a_forgery_with_the_right_checksums_is_refused() {
    let is_peer = |error: &LoadError, of: NodeId, is: NodeId| matches!(error, LoadError::Peer { node, peer, nodes: 3, .. } if (*node, *peer) == (of, is));
    type Check<'a> = Box<dyn Fn(&LoadError) -> bool + 'a>;
    let cases: Vec<(&str, &str, Check)> = vec![
        (
            "\"relay\": \"none\"",
            "\"relay\": 0",
            Box::new(|error| matches!(error, LoadError::Document { .. })),
        ),
        (
            "\"version\": 1",
            "\"version\": 2",
            Box::new(|error| {
                error.to_string().ends_with("version 2 of the format is not known here; version 1 is")
            }),
        ),
        (
            "\"format\": \"chainlab network\"",
            "\"format\": \"a novel\"",
            Box::new(|error| {
                error.to_string().ends_with("the format is \"a novel\", not \"chainlab network\"")
            }),
        ),
        ("\"rules\"", "\"laws\"", Box::new(|error| matches!(error, LoadError::Document { .. }))),
        ("\"amount\": 3", "\"amount\": -3", Box::new(|error| matches!(error, LoadError::Document { .. }))),
        ("\"anna\"", "\"an\\u0000a\"", Box::new(|error| matches!(error, LoadError::Spawn(_)))),
        ("        0\n", "        3\n", Box::new(|error| is_peer(error, node(1), node(3)))),
        ("        0\n", "        1\n", Box::new(|error| is_peer(error, node(1), node(1)))),
        ("        0\n", "        2\n", Box::new(|error| is_peer(error, node(1), node(2)))),
        (
            "\"reward\": 50",
            "\"reward\": 51",
            Box::new(|error| {
                matches!(error, LoadError::Chain { source: chainlab::ChainError::Invalid(invalid), .. }
                    if invalid.position == 2 && matches!(invalid.violation, Violation::RewardAmount { expected: 51, found: 50 }))
            }),
        ),
    ];
    for (from, to, is_right) in cases {
        let dir = saved();
        forge(&dir.path().join("generation-1"), "network.json", from, to);
        let error = load_error(dir.path());
        assert!(is_right(&error), "{from} -> {to}: {error:?}");
        if !matches!(error, LoadError::Spawn(_)) {
            assert_named(&error, &dir.path().join("generation-1"));
        }
    }
}

#[test]
fn rules_that_cannot_be_kept_together_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    forked(quick_notebook()).save(dir.path()).unwrap();
    let generation = dir.path().join("generation-1");
    forge(&generation, "network.json", "\"relay\": \"none\"", "\"relay\": \"push\"");
    let error = load_error(dir.path());
    assert!(matches!(error, LoadError::Spawn(SpawnError::Rules(RulesError::Relay { .. }))), "{error}");
}

#[test]
fn a_chain_of_another_length_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let network = forked(quick_notebook());
    network.save(dir.path()).unwrap();
    let generation = dir.path().join("generation-1");
    let chain = network.chain(node(2)).unwrap();
    let stated = |length| format!("\"length\": {length},\n      \"tip\": \"{}\"", chain.tip_hash());
    forge(&generation, "network.json", &stated(5), &stated(6));
    let [own, other] = [5, 6].map(|length| format!("chain-{length}-{}.json", chain.tip_hash()));
    let error = load_error(dir.path());
    assert!(matches!(error, LoadError::Unlisted { path, .. } if path == generation.join(&other)));

    fs::copy(generation.join(&own), generation.join(&other)).unwrap();
    let sums = fs::read_to_string(generation.join("SHA256SUMS")).unwrap();
    let (lines, _) = sums.rsplit_once("# ").unwrap();
    write_sealed(&generation.join("SHA256SUMS"), &lines.replace(&own, &other));
    let error = load_error(dir.path());
    assert!(
        matches!(error, LoadError::Tip { path, length: 5, found } if path == generation.join(&other) && found == chain.tip_hash())
    );
}

#[test]
fn a_chain_that_is_another_or_unlisted_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let network = forked(quick_notebook());
    network.save(dir.path()).unwrap();
    let generation = dir.path().join("generation-1");
    let chain = network.chain(node(2)).unwrap();
    let name = format!("chain-{}-{}.json", chain.len(), chain.tip_hash());

    forge(&generation, &name, "\"length\": 5", "\"length\": 6");
    let error = load_error(dir.path());
    assert_named(&error, &generation.join(&name));
    let length = DocumentError::Length { stated: 6, actual: 5 };
    assert!(
        matches!(error, LoadError::Chain { source: chainlab::ChainError::Document(source), .. } if source == length)
    );

    forge(&generation, &name, "\"length\": 6", "\"length\": 5");
    load(dir.path());
    let parent = chain.parent().unwrap();
    forge(&generation, &name, &chain.to_json(), &parent.to_json());
    let error = load_error(dir.path());
    assert!(
        matches!(error, LoadError::Tip { path, length: 4, found } if path == generation.join(&name) && found == parent.tip_hash())
    );

    write_sealed(&generation.join("SHA256SUMS"), "");
    let error = load_error(dir.path());
    assert!(matches!(error, LoadError::Unlisted { path, .. } if path == generation.join("network.json")));

    write_sealed(&generation.join("SHA256SUMS"), "network.json\n");
    let error = load_error(dir.path());
    assert!(matches!(error, LoadError::Line { found, .. } if found == "network.json"));
}

#[test]
fn an_unknown_generation_is_named() {
    let dir = saved();
    write_sealed(&dir.path().join("current"), "generation-2\n");
    let missing = dir.path().join("generation-2/SHA256SUMS");
    assert!(matches!(load_error(dir.path()), LoadError::File(error) if error.path == missing));

    write_sealed(&dir.path().join("current"), "../elsewhere\n");
    let error = load_error(dir.path());
    assert!(
        matches!(error, LoadError::Line { path, found, .. } if path == dir.path().join("current") && found == "../elsewhere\n")
    );
}

/// What cannot be pending stops no load: it is lost, and reported.
#[test]
fn what_cannot_be_pending_is_reported_as_lost() {
    let cases = [
        ("\"amount\": 3", "\"amount\": 3000000", LossReason::Unpayable),
        ("\"nonce\": 1", "\"nonce\": 0", LossReason::Replaced),
    ];
    for (from, to, reason) in cases {
        let dir = saved();
        forge(&dir.path().join("generation-1"), "network.json", from, to);
        let loaded = Network::load(dir.path(), Config::default()).unwrap();
        assert_eq!(loaded.report().transactions_lost, BTreeMap::from([(reason, 1)]), "{from} -> {to}");
    }
}

#[test]
fn what_finds_no_room_is_reported_as_lost() {
    for rules in [quick_notebook(), quick_sealed()] {
        let dir = tempfile::tempdir().unwrap();
        forked(rules).save(dir.path()).unwrap();
        let limits = chainlab::Limits { mempool: 1, ..Default::default() };
        let loaded = Network::load(dir.path(), Config { limits, ..Config::default() }).unwrap();
        assert_eq!(loaded.pending(node(2)).unwrap().len(), 1);
        assert_eq!(loaded.report().transactions_lost, BTreeMap::from([(LossReason::Evicted, 1)]));
    }
}

#[test]
fn a_save_that_cannot_be_made_leaves_the_old_one() {
    let network = forked(quick_notebook());
    let dir = saved();
    let old = load(dir.path());
    let file = dir.path().join("lock");
    for path in [file.clone(), file.join("below")] {
        let SaveError::File(error) = network.save(&path).unwrap_err() else {
            panic!("a file is no directory")
        };
        assert!(error.path.starts_with(&file), "{error}");
    }

    let current = dir.path().join("current");
    let whole = fs::read(&current).unwrap();
    fs::write(&current, "not ours").unwrap();
    assert!(matches!(network.save(dir.path()), Err(SaveError::Current { path }) if path == current));
    assert_eq!(fs::read_to_string(&current).unwrap(), "not ours");
    fs::write(&current, whole).unwrap();
    assert_eq!(load(dir.path()), old);

    network.save(dir.path()).unwrap();
    assert_eq!(load(dir.path()), State::of(&network));
}

#[test]
#[cfg(unix)]
fn a_read_only_directory_loads_and_keeps_what_it_has() {
    use std::os::unix::fs::PermissionsExt;

    let dir = saved();
    let old = load(dir.path());
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o555)).unwrap();
    assert_eq!(load(dir.path()), old);
    // Nothing is read-only to root.
    if fs::write(dir.path().join("probe"), "").is_err() {
        let error = forked(quick_notebook()).save(dir.path()).unwrap_err();
        assert_named(&error, dir.path());
        assert_eq!(load(dir.path()), old);
    }
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
}

/// A directory can lie deeper than any system has it: that is an error like any other.
#[test]
fn a_path_that_is_too_long_is_refused() {
    let network = Network::new(quick_sealed());
    let dir = tempfile::tempdir().unwrap();
    assert!(network.save(dir.path().join("a/".repeat(100_000))).is_err());
}
