//! The `topup` program as a process of its own, which can be killed.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

/// `topup serve`, running.
pub struct Process {
    child: Child,
    /// Its address.
    pub url: String,
    lines: Receiver<String>,
}

/// The program, with exactly these settings.
pub fn topup(settings: &HashMap<&'static str, String>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_topup"));
    // No setting of the machine, and no .env of the project.
    command.env_clear().envs(settings).current_dir(std::env::temp_dir());
    command
}

/// A port that is free now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port()
}

impl Process {
    /// Starts `topup serve` and waits until it serves.
    pub fn serve(settings: &HashMap<&'static str, String>, pause_at: Option<u64>) -> Self {
        let address = &settings["BIND_ADDRESS"];
        let url = format!("http://{address}");
        let mut command = topup(settings);
        command.arg("serve").stdin(Stdio::piped()).stderr(Stdio::piped()).stdout(Stdio::null());
        if let Some(number) = pause_at {
            command.env("TOPUP_PAUSE_AT_CHECKPOINT", number.to_string());
        }
        let mut child = command.spawn().expect("topup starts");
        let (send, lines) = channel();
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).all(|line| send.send(line).is_ok()));
        let process = Self { child, url, lines };
        process.wait_for_line("\"serving\"");
        process
    }

    /// Waits for a line of its log that has this text.
    pub fn wait_for_line(&self, text: &str) -> String {
        let mut seen = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(std::time::Duration::from_secs(60)) {
            if line.contains(text) {
                return line;
            }
            seen.push(line);
        }
        panic!("topup never wrote {text:?}, only:\n{}", seen.join("\n"));
    }

    /// Whether it has paused at its checkpoint; takes what it wrote so far.
    pub fn has_paused(&self) -> bool {
        self.lines.try_iter().any(|line| line.starts_with("paused at checkpoint"))
    }

    /// Lets it go on from its checkpoint.
    pub fn go_on(&mut self) {
        self.child.stdin.as_mut().expect("piped").write_all(b"\n").expect("listens");
    }

    /// SIGKILL: no goodbye, no cleaning up.
    pub fn kill(mut self) {
        self.child.kill().expect("dies");
        self.child.wait().expect("is gone");
    }

    /// SIGTERM, and waits; gives whether it ended well.
    pub fn terminate(mut self) -> bool {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
        self.child.wait().expect("ends").success()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A test that failed must not leave it running.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Runs the program to its end; gives whether it succeeded, its output and what it said of errors.
pub fn run(settings: &HashMap<&'static str, String>, arguments: &[&str]) -> (bool, String, String) {
    let output = topup(settings).args(arguments).stdin(Stdio::null()).output().expect("topup runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.success(), text(output.stdout), text(output.stderr))
}

/// A raw connection, for requests that end in the middle.
pub fn raw_request(address: SocketAddr, request: &[u8]) -> std::net::TcpStream {
    let mut stream = std::net::TcpStream::connect(address).expect("connects");
    stream.write_all(request).expect("is sent");
    stream
}

/// Reads what comes until the other side closes.
pub fn read_all(mut stream: std::net::TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).ok();
    text
}
