//! Chromium without a window, told what to do over a pipe.

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::tools::{PATIENCE, has_tool};

/// A browser with one page.
pub(crate) struct Chromium {
    child: Child,
    commands: ChildStdin,
    messages: Receiver<Value>,
    next_id: u64,
    session: Option<String>,
    /// What pages have told by themselves.
    told: Vec<Value>,
    _profile: TempDir,
}

impl Chromium {
    /// Starts the browser, if this machine has one.
    pub(crate) fn start() -> Option<Self> {
        let names = ["chromium", "chromium-browser", "google-chrome"];
        let is_there = |name: &&str| {
            let status =
                Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            status.is_ok_and(|status| status.success())
        };
        let name = names.iter().find(|name| is_there(name)).unwrap_or(&names[0]);
        if !has_tool("chromium", Command::new(name).arg("--version")) {
            return None;
        }
        let profile = tempfile::tempdir().unwrap();
        // It reads commands from file 3 and writes to file 4.
        let mut command = Command::new("sh");
        command.args([
            "-c",
            "exec \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1",
            "sh",
            name,
            "--remote-debugging-pipe",
        ]);
        command.args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--no-proxy-server",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ]);
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (commands, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, messages) = channel();
        let read = move || {
            for message in BufReader::new(output).split(0).map_while(Result::ok) {
                let message = serde_json::from_slice(&message).expect("it speaks JSON");
                // Nobody may be listening any more.
                let _ = sender.send(message);
            }
        };
        thread::Builder::new().spawn(read).unwrap();
        Some(Self {
            child,
            commands,
            messages,
            next_id: 0,
            session: None,
            told: Vec::new(),
            _profile: profile,
        })
    }

    /// Sends a command and waits for what it returns.
    pub(crate) fn command(&mut self, method: &str, parameters: Value) -> Value {
        self.next_id += 1;
        let mut command = json!({"id": self.next_id, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        self.commands.write_all((command.to_string() + "\0").as_bytes()).unwrap();
        loop {
            let mut message = self.messages.recv_timeout(PATIENCE).expect("the browser answers");
            if message["id"] == self.next_id {
                assert!(message.get("error").is_none(), "{method}: {}", message["error"]);
                return message["result"].take();
            }
            self.told.push(message);
        }
    }

    /// Opens a page of a size, in pixels.
    pub(crate) fn open(&mut self, url: &str, [width, height]: [u64; 2]) {
        self.session = None;
        let target = self.command("Target.createTarget", json!({"url": "about:blank"}));
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let session = self.command("Target.attachToTarget", attach)["sessionId"].as_str().unwrap().to_owned();
        self.session = Some(session);
        for domain in ["Runtime", "Log", "Network"] {
            self.command(&format!("{domain}.enable"), json!({}));
        }
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.command("Emulation.setDeviceMetricsOverride", size);
        self.command("Page.navigate", json!({ "url": url }));
        self.wait_for("document.readyState === 'complete'");
    }

    /// What went wrong in pages: uncaught exceptions, errors that they wrote to the console, and what they may not do.
    pub(crate) fn thrown(&self) -> Vec<Value> {
        let is_wrong = |told: &&Value| match told["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Runtime.consoleAPICalled") => told["params"]["type"] == "error",
            // What a server refuses is no fault of the page.
            Some("Log.entryAdded") => {
                let entry = &told["params"]["entry"];
                entry["level"] == "error" && entry["source"] != "network"
            }
            _ => false,
        };
        self.told.iter().filter(is_wrong).cloned().collect()
    }

    /// The addresses that pages have asked for.
    pub(crate) fn requested(&self) -> Vec<String> {
        let requests = self.told.iter().filter(|told| told["method"] == "Network.requestWillBeSent");
        requests.map(|told| told["params"]["request"]["url"].as_str().unwrap().to_owned()).collect()
    }

    /// Evaluates an expression in the page.
    pub(crate) fn evaluate(&mut self, expression: &str) -> Value {
        let parameters = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let mut result = self.command("Runtime.evaluate", parameters);
        assert!(result.get("exceptionDetails").is_none(), "{expression}: {result}");
        result["result"]["value"].take()
    }

    /// Waits until an expression is true.
    pub(crate) fn wait_for(&mut self, expression: &str) {
        let step = Duration::from_millis(50);
        for _ in 0..PATIENCE.as_millis() / step.as_millis() {
            if self.evaluate(expression) == json!(true) {
                return;
            }
            thread::park_timeout(step);
        }
        panic!("it never was: {expression}\n{}", self.evaluate("document.body.innerText"));
    }

    /// Keeps a picture of the page in the directory that `CHAINLAB_SCREENSHOTS` names, if it does.
    pub(crate) fn keep_picture(&mut self, name: &str) {
        let Some(directory) = env::var_os("CHAINLAB_SCREENSHOTS") else { return };
        let picture = self.command("Page.captureScreenshot", json!({"captureBeyondViewport": true}));
        let mut decode = Command::new("base64");
        let path = std::path::Path::new(&directory).join(name);
        decode.arg("--decode").stdin(Stdio::piped()).stdout(fs::File::create(path).unwrap());
        let mut decode = decode.spawn().unwrap();
        decode.stdin.take().unwrap().write_all(picture["data"].as_str().unwrap().as_bytes()).unwrap();
        decode.wait().unwrap();
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
