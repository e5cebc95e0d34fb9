//! Tools that a machine may lack: the test that needs one says so and passes, unless `CHAINLAB_REQUIRE_TOOLS` is set.

use std::{
    env,
    io::{self, Write},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

/// How long anything may take that a healthy machine does in a moment.
#[allow(dead_code, reason = "each test binary uses its part")]
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Whether a tool is there; if it is not, says so past the harness, or fails where it must be there.
pub(crate) fn has_tool(tool: &str, probe: &mut Command) -> bool {
    let is_there =
        probe.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    if !is_there {
        skip(&format!("{tool} is missing"));
    }
    is_there
}

/// Says that a test is skipped, because something is missing that may not be where nothing is skipped.
pub(crate) fn skip(why: &str) {
    assert!(env::var_os("CHAINLAB_REQUIRE_TOOLS").is_none(), "{why}");
    say_skipped(why);
}

/// Says past the harness that a test is skipped.
pub(crate) fn say_skipped(why: &str) {
    let test = thread::current().name().unwrap_or("a test").to_owned();
    let _ = writeln!(io::stderr(), "skipped: {test}: {why}");
}
