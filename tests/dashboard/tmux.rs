//! The dashboard in a real terminal, that of tmux, which is whole again however the dashboard ends.

use std::{
    env,
    fs::{self, File},
    io::Read,
    path::Path,
    process::Command,
    sync::{
        LazyLock,
        mpsc::{Receiver, channel},
    },
    thread,
};

use ratatui::text::Line;
use tempfile::TempDir;

use crate::{
    built,
    screen::Screen,
    tools::{PATIENCE, has_tool},
};

/// Set where this test binary is to panic with the terminal taken over.
const PANIC: &str = "CHAINLAB_DASHBOARD_PANIC";

static EXAMPLE: LazyLock<String> = LazyLock::new(|| {
    const NAME: &str = "dashboard";
    built::build(&["--example", NAME]).remove(NAME).expect("it was built")
});

/// A terminal with a shell in it.
struct Tmux {
    directory: TempDir,
    /// Gets a word whenever something was written to the terminal.
    written: Receiver<()>,
    /// How the terminal was set before anything ran in it.
    settings: String,
}

impl Tmux {
    /// Opens a terminal of 80 x 24, if this machine has tmux.
    fn open() -> Option<Self> {
        if !has_tool("tmux", Command::new("tmux").arg("-V")) {
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("written");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let (sender, written) = channel();
        let read = pipe.clone();
        let reader = move || {
            let mut pipe = File::open(read).unwrap();
            let mut bytes = [0; 4096];
            // Whoever no longer listens wants nothing.
            while pipe.read(&mut bytes).is_ok_and(|count| count > 0) && sender.send(()).is_ok() {}
        };
        thread::Builder::new().spawn(reader).unwrap();
        let mut tmux = Self { directory, written, settings: String::new() };
        let shell = "exec env ENV= PS1='ready> ' sh";
        tmux.tell(&["-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", shell]);
        tmux.tell(&["pipe-pane", "-O", &format!("exec cat > '{}'", pipe.display())]);
        // The prompt may have been written before anybody listened.
        tmux.run("echo open");
        tmux.wait_for(|page| page.lines().any(|line| line == "open"));
        tmux.settings = tmux.terminal_settings();
        Some(tmux)
    }

    /// Gives tmux a command, and returns its answer.
    fn tell(&self, arguments: &[&str]) -> String {
        let socket = self.directory.path().join("socket");
        let mut command = Command::new("tmux");
        let output = command.arg("-u").arg("-S").arg(socket).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Types a line into the shell.
    fn run(&self, line: &str) {
        self.tell(&["send-keys", "-l", line]);
        self.press("Enter");
    }

    fn press(&self, key: &str) {
        self.tell(&["send-keys", key]);
    }

    fn resize(&self, width: u16, height: u16) {
        self.tell(&["resize-window", "-x", &width.to_string(), "-y", &height.to_string()]);
    }

    /// Returns what is on the terminal.
    fn page(&self) -> String {
        self.tell(&["capture-pane", "-p", "-J"])
    }

    /// Waits until a page is as it is to be, and returns it.
    #[track_caller]
    fn wait_for(&self, is_so: impl Fn(&str) -> bool) -> String {
        loop {
            let page = self.page();
            if is_so(&page) {
                return page;
            }
            if self.written.recv_timeout(PATIENCE).is_err() {
                panic!("nothing more is written:\n{page}");
            }
        }
    }

    /// Waits until a text is on the terminal, and returns the page.
    #[track_caller]
    fn wait_for_text(&self, text: &str) -> String {
        self.wait_for(|page| page.contains(text))
    }

    /// Returns how the terminal is set: whether it echoes, waits for whole lines, and more.
    fn terminal_settings(&self) -> String {
        let file = self.directory.path().join("settings");
        self.run("clear");
        // What is typed is not yet what is said, which may come right after the prompt: the screen is cleared whenever the
        // shell comes to it.
        self.run(&format!("stty -g > '{}'; echo sav''ed", file.display()));
        self.wait_for_text("saved");
        fs::read_to_string(file).unwrap()
    }

    /// Checks that the terminal is what it was before anything ran in it.
    #[track_caller]
    fn assert_whole(&self) {
        let shown = self.tell(&["display-message", "-p", "#{alternate_on} #{cursor_flag} #{mouse_any_flag}"]);
        assert_eq!(shown, "0 1 0\n", "the shell's screen is there, with its cursor");
        assert_eq!(self.terminal_settings(), self.settings);
    }

    /// Starts the dashboard, and waits for its first picture. In the end the shell tells its exit code.
    fn start(&self, arguments: &str) -> String {
        self.run("clear");
        let process = self.process_file();
        let start = format!("echo $$ > {process}; exec {} {arguments}", *EXAMPLE);
        self.run(&format!("sh -c '{start}'; echo ended with $?."));
        self.wait_for(|page| page.contains("q quit") && page.contains(" the last heights "))
    }

    fn process_file(&self) -> String {
        self.directory.path().join("process").display().to_string()
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let socket = self.directory.path().join("socket");
        let _ = Command::new("tmux").arg("-S").arg(socket).arg("kill-server").status();
    }
}

#[test]
fn keys_sizes_and_the_end() {
    let Some(tmux) = Tmux::open() else { return };
    let page = tmux.start("--interval 0.5");
    assert!(page.lines().count() <= 24 && page.starts_with("chainlab  5 nodes, "), "{page}");
    for key in ["↑↓ node", "p partition", "h hold link", "c crash", "+ faster", "- slower", "space pause"]
    {
        assert!(page.contains(key), "{key}: {page}");
    }
    let page = tmux.wait_for(|page| page.contains(": mined block ") && page.contains(" k "));
    assert!(page.contains("messages ") && page.contains("reorganisations "), "{page}");

    tmux.press("Down");
    tmux.wait_for_text(">node-1");
    for (key, effect) in [
        ("p", "between node 1 and node 2"),
        ("p", "whole again"),
        ("h", "the link between node 1 and node 2 is held"),
        ("h", "the link between node 1 and node 2 is released"),
        ("c", "node 1 is crashed"),
        ("c", "node 1 is restarted"),
        ("+", "node 1 is to make 131072 attempts a second"),
        ("-", "node 1 is to make 65536 attempts a second"),
        ("Space", "all nodes are paused"),
        ("Space", "all nodes go on"),
    ] {
        tmux.press(key);
        tmux.wait_for_text(effect);
    }

    for (width, height) in [(200, 60), (40, 12), (10, 3), (80, 24)] {
        tmux.resize(width, height);
        // The keys stand at the very bottom, as wide as it is.
        tmux.wait_for(|page| {
            let lines: Vec<_> = page.lines().collect();
            let is_as_high = lines.len() == usize::from(height);
            let is_as_wide = lines.iter().any(|line| line.contains("node-4")) || height < 20;
            is_as_high && is_as_wide && lines.iter().all(|line| line.chars().count() <= usize::from(width))
        });
    }
    tmux.wait_for(|page| page.contains("q quit") && page.contains(" the last heights "));

    tmux.press("q");
    let page = tmux.wait_for_text("ended with 0.");
    assert!(page.contains(" blocks were mined in "), "{page}");
    tmux.assert_whole();
}

#[test]
fn ctrl_c_leaves_the_terminal_whole() {
    let Some(tmux) = Tmux::open() else { return };
    tmux.start("");
    tmux.press("C-c");
    let page = tmux.wait_for_text("ended with 0.");
    assert!(page.contains(" blocks were mined in ") && !page.contains("hash/s"), "{page}");
    tmux.assert_whole();
}

#[test]
fn a_signal_leaves_the_terminal_whole() {
    let Some(tmux) = Tmux::open() else { return };
    tmux.start("");
    let process = fs::read_to_string(tmux.process_file()).unwrap();
    let kill = format!("kill -s INT {process}");
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    tmux.wait_for_text("ended with 0.");
    tmux.assert_whole();
}

#[test]
fn a_panic_leaves_the_terminal_whole() {
    let Some(tmux) = Tmux::open() else { return };
    tmux.run("clear");
    let binary = env::current_exe().unwrap();
    let child = "tmux::child --exact --ignored --nocapture";
    tmux.run(&format!(
        "RUST_BACKTRACE=0 {PANIC}='{}' {} {child}; echo ended with $?.",
        tmux.process_file(),
        binary.display()
    ));
    tmux.wait_for_text("ended with 101.");
    let said = fs::read_to_string(tmux.process_file()).unwrap();
    assert_eq!(said, "the terminal was taken over");
    let page = tmux.page();
    for text in ["a node's thread panics", "the screen's thread panics"] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("a picture"), "{page}");
    tmux.assert_whole();
}

/// What panics.
#[test]
#[ignore = "another test runs it, in a terminal"]
fn child() {
    let Some(file) = env::var_os(PANIC) else { return };
    let mut screen = Screen::take().unwrap();
    screen.terminal.draw(|frame| frame.render_widget(Line::from("a picture"), frame.area())).unwrap();
    fs::write(Path::new(&file), "the terminal was taken over").unwrap();
    let node = thread::Builder::new().spawn(|| panic!("a node's thread panics")).unwrap();
    assert!(node.join().is_err());
    panic!("the screen's thread panics");
}
