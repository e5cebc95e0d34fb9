//! Which module may import which: each sees only those above it, and only the drivers see threads, channels and clocks.
//!
//! Every path in the code counts, in a `use` or not. What stands under `#[cfg(test)]` is exempt, and so is `lib.rs`,
//! which shows all modules to the reader.

use std::{fs, path::Path};

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// The modules, each below all that it may import.
const MODULES: &[&str] = &[
    "text",
    "hash",
    "lookup",
    "document",
    "time",
    "transaction",
    "accounts",
    "block",
    "pow",
    "rules",
    "blockchain",
    "mempool",
    "message",
    "command",
    "event",
    "strategy",
    "node",
    "wire",
    "report",
    "picture",
    "verbs",
    "network",
    "simulation",
    "experiment",
    "guide",
];

/// Files of a module whose order is checked too, each below all that it may import.
const ORDERED: &[(&str, &[&str])] = &[
    (
        "verbs",
        &[
            "closure",
            "rate",
            "error",
            "state",
            "names",
            "view",
            "links_up",
            "trace",
            "traffic",
            "ending",
            "drive",
            "agreement",
            "front",
            "calls",
            "conditions",
            "faults",
            "watch",
            "picture",
            "puppets",
        ],
    ),
    (
        "network",
        &[
            "spin", "clock", "changes", "panicked", "question", "effort", "mailbox", "counters", "watch",
            "nodes", "delivery", "shared", "late", "worker", "life", "threads", "acts",
        ],
    ),
];

/// What belongs to the outside world, and the modules that may name it.
const RESERVED: &[(&[&str], &[&str])] = &[
    (&["crossbeam"], &["network"]),
    (&["crossbeam_channel"], &["network"]),
    // It has an order that differs from run to run.
    (&["hashbrown"], &["lookup"]),
    (&["parking_lot"], &["network"]),
    (&["std", "time", "Instant"], &["network"]),
    (&["std", "time", "SystemTime"], &["network"]),
    (&["std", "thread"], &["network", "experiment"]),
];

#[test]
fn modules_import_only_what_stands_above_them() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let guide = fs::read_to_string(source.join("lib.rs")).expect("the crate has a lib.rs");
    let mut files = Vec::new();
    collect_files(&source, &mut files);
    assert!(files.len() > 30, "the crate has more than {} files", files.len());

    let mut broken = Vec::new();
    for file in files {
        let name =
            file.strip_prefix(&source).expect("the file was found there").to_str().expect("an ASCII name");
        let text = fs::read_to_string(source.join(name)).expect("the file was found there");
        broken.extend(check(&guide, name, &text).into_iter().map(|line| format!("src/{line}")));
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn files_of_a_module_import_only_what_stands_above_them() {
    for (module, order) in ORDERED {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(module);
        let place = |name: &str| order.iter().position(|each| *each == name);
        for (at, file) in order.iter().enumerate() {
            let text = fs::read_to_string(folder.join(format!("{file}.rs"))).expect("the file is there");
            for Named { path, line } in paths_in(&text) {
                let path: Vec<&str> = path.iter().map(String::as_str).collect();
                if let ["super", name, ..] = path[..] {
                    let imported = place(name)
                        .unwrap_or_else(|| panic!("{module}/{file}.rs:{line}: `{name}` has no place"));
                    assert!(imported < at, "{module}/{file}.rs:{line}: `{file}` stands above `{name}`");
                }
            }
        }
        let entries = fs::read_dir(&folder).expect("the folder can be read");
        let files =
            entries.map(|entry| entry.expect("the folder can be read").path()).filter(|path| path.is_file());
        // Beside them is `mod.rs`; folders are below all.
        assert_eq!(files.count(), order.len() + 1, "each file of {module} has its place");
    }
}

fn collect_files(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        // The command is a crate of its own, and sees what everybody does.
        if path.ends_with("src/bin") {
            continue;
        }
        if path.is_dir() {
            collect_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("src/lib.rs")
        {
            files.push(path);
        }
    }
}

/// Checks one file, named as in `src`, and returns what it breaks: file, line and rule. `guide` is the text of `lib.rs`,
/// whose re-exports tell which module a name at the crate's root comes from.
fn check(guide: &str, file: &str, text: &str) -> Vec<String> {
    let place = |module: &str| MODULES.iter().position(|each| *each == module);
    let module = file.split('/').next().expect("a split has a first part").trim_end_matches(".rs");
    let Some(own_place) = place(module) else {
        return vec![format!("{file}: the module `{module}` has no place in the list of modules")];
    };
    // `src/hash.rs` and `src/pow/mod.rs` are one module deep, `src/pow/target.rs` two.
    let depth = file.split('/').filter(|part| *part != "mod.rs").count();
    let re_exports = paths_in(guide);

    let mut broken = Vec::new();
    for Named { path, line } in paths_in(text) {
        let mut report = |rule: String| broken.push(format!("{file}:{line}: `{}`: {rule}", path.join("::")));
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        for (reserved, modules) in RESERVED {
            // `use std::time;` and `use std::time::*;` would let it in unseen.
            let stem = path.strip_suffix(&["*"]).unwrap_or(&path);
            let names_it = stem.starts_with(reserved) || (stem.len() > 1 && reserved.starts_with(stem));
            if names_it && !modules.contains(&module) {
                report(format!("only {} may name `{}`", modules.join(" and "), reserved.join("::")));
            }
        }
        if path.iter().take_while(|part| **part == "super").count() >= depth {
            report("a path to another module begins with `crate`".into());
        }
        // `pub(crate)` has no second part.
        let ["crate", name, ..] = path[..] else { continue };
        let origin = || {
            re_exports.iter().find(|export| export.path.len() > 1 && export.path.ends_with(&[name.into()]))
        };
        let imported =
            if place(name).is_some() { Some(name) } else { origin().map(|export| &*export.path[0]) };
        match imported.and_then(|imported| Some((imported, place(imported)?))) {
            None => report(format!("`{name}` is neither a module nor re-exported from one")),
            Some(("network", _)) if module == "simulation" => {
                report("`simulation` and `network` never see each other".into());
            }
            Some((imported, at)) if at > own_place => {
                report(format!("`{module}` stands above `{imported}` and may not import it"));
            }
            Some(_) => {}
        }
    }
    broken
}

/// A path that stands in the code, and its line.
struct Named {
    path: Vec<String>,
    line: usize,
}

fn paths_in(text: &str) -> Vec<Named> {
    let mut paths = Vec::new();
    collect_paths(text.parse().expect("the source is Rust"), &[], &mut paths);
    paths
}

/// Collects all paths, those in the trees of `use` declarations written out: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn collect_paths(stream: TokenStream, prefix: &[String], paths: &mut Vec<Named>) {
    let mut tokens = without_tests(stream).into_iter().peekable();
    let mut current = Vec::new();
    let mut line = 0;
    // Whether the last tokens were `::`.
    let mut goes_on = false;
    // Whether the prefix applies: in `{a, b as c}` to `a` and `b`.
    let mut is_first = true;
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(colon) if colon.as_char() == ':' && colon.spacing() == Spacing::Joint => {
                tokens.next_if(|next| matches!(next, TokenTree::Punct(colon) if colon.as_char() == ':'));
                goes_on = true;
                continue;
            }
            TokenTree::Ident(part) => {
                if !goes_on {
                    finish(&mut current, line, paths);
                    current.extend_from_slice(if is_first { prefix } else { &[] });
                    line = part.span().start().line;
                }
                if part != "self" {
                    current.push(part.to_string());
                }
            }
            TokenTree::Group(group) if goes_on && group.delimiter() == Delimiter::Brace => {
                collect_paths(group.stream(), &std::mem::take(&mut current), paths);
            }
            TokenTree::Group(group) => {
                finish(&mut current, line, paths);
                collect_paths(group.stream(), &[], paths);
            }
            // All that the path before it holds.
            TokenTree::Punct(star)
                if star.as_char() == '*' && (goes_on || is_first && !prefix.is_empty()) =>
            {
                let mut path = if goes_on { std::mem::take(&mut current) } else { prefix.to_vec() };
                path.push("*".into());
                paths.push(Named { path, line: star.span().start().line });
            }
            TokenTree::Punct(comma) if comma.as_char() == ',' => {
                finish(&mut current, line, paths);
                is_first = true;
                continue;
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => finish(&mut current, line, paths),
        }
        goes_on = false;
        is_first = false;
    }
    finish(&mut current, line, paths);
}

fn finish(current: &mut Vec<String>, line: usize, paths: &mut Vec<Named>) {
    if !current.is_empty() {
        paths.push(Named { path: std::mem::take(current), line });
    }
}

/// Leaves out every item under `#[cfg(test)]`, up to its closing brace or semicolon.
fn without_tests(stream: TokenStream) -> Vec<TokenTree> {
    let mut kept: Vec<TokenTree> = Vec::new();
    let mut in_test = false;
    for token in stream {
        if in_test {
            in_test = match &token {
                TokenTree::Group(group) => group.delimiter() != Delimiter::Brace,
                TokenTree::Punct(punct) => punct.as_char() != ';',
                _ => true,
            };
            continue;
        }
        if matches!(&token, TokenTree::Group(attribute) if attribute.to_string().replace(' ', "") == "[cfg(test)]")
        {
            kept.pop().expect("an attribute begins with #");
            in_test = true;
            continue;
        }
        kept.push(token);
    }
    kept
}

mod the_check_itself {
    use super::check;

    const GUIDE: &str =
        "mod hash; mod node; pub use hash::{BlockHash, ParseHashError}; pub use network::Network;";

    fn assert_refused(file: &str, text: &str, expected: &str) {
        let broken = check(GUIDE, file, text);
        assert!(
            broken.len() == 1 && broken[0].contains(expected),
            "expected {expected:?} alone, found {broken:?}"
        );
    }

    fn assert_allowed(file: &str, text: &str) {
        assert_eq!(check(GUIDE, file, text), Vec::<String>::new(), "{text}");
    }

    #[test]
    fn looking_up_is_allowed() {
        assert_allowed("node/mining.rs", "use crate::{block::{Block, PreviousHash}, command::Answer};");
        assert_allowed("network/call.rs", "use crate::{BlockHash, node::{self, Node}};");
        assert_allowed("pow/search.rs", "use super::{target::Target, work::Work}; use crate::pow::Search;");
        assert_allowed(
            "network/worker.rs",
            "use std::{thread, time::{Duration, Instant}}; use crossbeam_channel::Select;",
        );
        assert_allowed(
            "experiment/run.rs",
            "use std::thread::scope; use crate::{network::Network, simulation::Queue};",
        );
        assert_allowed("node.rs", "use std::{sync::Arc, time::Duration}; fn f(parking_lot_space: u8) {}");
    }

    #[test]
    fn looking_down_is_refused_with_file_line_and_rule() {
        assert_refused(
            "block.rs",
            "use std::fmt;\n\nuse crate::{\n    hash::BlockHash,\n    blockchain::{ChainError as E},\n};",
            "block.rs:5: `crate::blockchain::ChainError`: `block` stands above `blockchain`",
        );
    }

    #[test]
    fn every_path_counts() {
        assert_refused(
            "hash.rs",
            "fn f() { let x = g(crate::time::Time::MAX); }",
            "`hash` stands above `time`",
        );
        assert_refused(
            "hash.rs",
            "macro_rules! m { () => { $crate::time::Time } }",
            "`hash` stands above `time`",
        );
        assert_refused("node/mod.rs", "use crate::Network;", "`node` stands above `network`");
        assert_refused("node/mod.rs", "use crate::Unheard;", "neither a module nor re-exported");
        assert_refused("node/mod.rs", "use crate::*;", "`*` is neither a module");
        assert_refused("node/mod.rs", "use super::hash::BlockHash;", "begins with `crate`");
        assert_refused("node/gossip.rs", "use super::super::network::Network;", "begins with `crate`");
    }

    #[test]
    fn drivers_do_not_see_each_other() {
        assert_refused("simulation/mod.rs", "use crate::network::Clock;", "never see each other");
        assert_refused(
            "network/mod.rs",
            "use crate::simulation::Queue;",
            "`network` stands above `simulation`",
        );
    }

    #[test]
    fn the_outside_world_is_for_drivers() {
        assert_refused(
            "node.rs",
            "use crossbeam_channel::Sender;",
            "only network may name `crossbeam_channel`",
        );
        assert_refused(
            "wire/lane.rs",
            "type L = parking_lot::Mutex<u8>;",
            "only network may name `parking_lot`",
        );
        assert_refused("simulation/mod.rs", "use std::time::{Duration, Instant};", "`std::time::Instant`");
        assert_refused(
            "node.rs",
            "fn f() { std::thread::yield_now() }",
            "network and experiment may name `std::thread`",
        );
        assert_refused("simulation/mod.rs", "use std::{fmt, thread::{self}};", "`std::thread`");
        for hidden in
            ["use std::time;", "use std::time::*;", "use std::{fmt, time::{*}};", "use std::time::{self};"]
        {
            let broken = check(GUIDE, "node.rs", hidden);
            assert_eq!(broken.len(), 2, "{hidden} lets in both clocks: {broken:?}");
        }
    }

    #[test]
    fn tests_and_comments_are_exempt() {
        assert_allowed("hash.rs", "#[cfg(test)]\nmod tests {\n    use crate::network::Network;\n}");
        assert_allowed("hash.rs", "#[cfg(test)] #[expect(x, reason = \"y\")] use std::thread; use std::fmt;");
        assert_allowed(
            "hash.rs",
            "/// See [`crate::network::Network`].\nfn f() -> &'static str { \"crate::node\" }",
        );
        assert_refused(
            "hash.rs",
            "#[cfg(test)]\nmod tests {}\nuse crate::node::Node;",
            "hash.rs:3: `crate::node::Node`",
        );
        assert_refused("hash.rs", "#[cfg(not(test))] use crate::node::Node;", "`hash` stands above `node`");
    }

    #[test]
    fn an_unlisted_module_is_refused() {
        assert_refused("cellar/mod.rs", "", "`cellar` has no place");
    }
}
