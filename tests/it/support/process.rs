//! The `topup` program as a separate process, which can be paused, stopped and killed.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// The names and values of settings.
pub type Settings = HashMap<&'static str, String>;

/// How long a process may take for what a test waits for.
const PATIENCE: Duration = Duration::from_mins(1);

/// A process that runs until it is stopped.
pub struct Process {
    child: Child,
    errors: UnboundedReceiver<String>,
    output: UnboundedReceiver<String>,
}

/// The program with exactly these settings and none from the environment or a `.env`.
pub fn topup(settings: &Settings) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_topup"));
    command.env_clear().envs(settings).current_dir(std::env::temp_dir());
    command
}

/// A port that is free now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port()
}

impl Process {
    /// Starts a command.
    pub fn start(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("topup starts");
        let errors = lines(child.stderr.take().expect("piped"));
        let output = lines(child.stdout.take().expect("piped"));
        Self { child, errors, output }
    }

    /// Starts `topup serve` and waits until it is serving. It pauses at the given checkpoint, if any.
    pub async fn serve(settings: &Settings, pause_at: Option<u64>) -> Self {
        let mut command = topup(settings);
        command.arg("serve");
        if let Some(number) = pause_at {
            command.env("TOPUP_PAUSE_AT_CHECKPOINT", number.to_string());
        }
        let mut process = Self::start(command);
        process.error_line("\"serving\"").await;
        process
    }

    /// The same, with a pause at the first checkpoint whose name begins so.
    pub async fn serve_until(settings: &Settings, name: &str) -> Self {
        let mut command = topup(settings);
        command.arg("serve").env("TOPUP_PAUSE_AT_CHECKPOINT", name);
        let mut process = Self::start(command);
        process.error_line("\"serving\"").await;
        process
    }

    /// Waits for a line on standard error with this text. Returns all lines up to it.
    pub async fn error_line(&mut self, text: &str) -> Vec<String> {
        wait_for(&mut self.errors, text).await
    }

    /// Waits for a line on standard output with this text. Returns all lines up to it.
    pub async fn output_line(&mut self, text: &str) -> Vec<String> {
        wait_for(&mut self.output, text).await
    }

    /// Waits until it has paused at its checkpoint. Returns the checkpoint's name.
    pub async fn paused(&mut self) -> String {
        loop {
            match self.errors.recv().await {
                Some(line) if line.starts_with("paused at checkpoint") => return line,
                Some(_) => {}
                None => std::future::pending().await,
            }
        }
    }

    /// Continues from the checkpoint.
    pub fn go_on(&mut self) {
        self.child.stdin.as_mut().expect("piped").write_all(b"\n").expect("listens");
    }

    /// SIGKILL: no shutdown, no cleanup.
    pub fn kill(&mut self) {
        self.child.kill().expect("dies");
        self.child.wait().expect("is gone");
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
    }

    /// Waits until it ends. Returns whether it succeeded, and the remaining lines of standard error.
    pub async fn ended(mut self) -> (bool, Vec<String>) {
        let mut rest = Vec::new();
        while let Some(line) = self.errors.recv().await {
            rest.push(line);
        }
        (self.child.wait().expect("ends").success(), rest)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A failed test must not leave it running.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn lines(from: impl Read + Send + 'static) -> UnboundedReceiver<String> {
    let (send, receive) = unbounded_channel();
    std::thread::spawn(move || {
        BufReader::new(from).lines().map_while(Result::ok).all(|line| send.send(line).is_ok());
    });
    receive
}

async fn wait_for(lines: &mut UnboundedReceiver<String>, text: &str) -> Vec<String> {
    let mut seen = Vec::new();
    let search = async {
        while let Some(line) = lines.recv().await {
            let found = line.contains(text);
            seen.push(line);
            if found {
                return true;
            }
        }
        false
    };
    let found = tokio::time::timeout(PATIENCE, search).await.unwrap_or(false);
    assert!(found, "topup never wrote {text:?}, only:\n{}", seen.join("\n"));
    seen
}

/// Runs the program until it ends. Returns whether it succeeded, its output and its errors. A program that does not
/// end, such as a service that should not have started, is killed after two minutes.
pub fn run(settings: &Settings, arguments: &[&str]) -> (bool, String, String) {
    let mut command = topup(settings);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("topup runs");
    let (ended, end) = std::sync::mpsc::channel::<()>();
    let process = child.id().to_string();
    let watch = std::thread::spawn(move || {
        if end.recv_timeout(Duration::from_mins(2)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            Command::new("kill").args(["-9", &process]).status().expect("kill runs");
        }
    });
    let output = child.wait_with_output().expect("its output");
    drop(ended);
    watch.join().expect("it watched");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.success(), text(output.stdout), text(output.stderr))
}

/// A raw connection, for incomplete requests.
pub fn raw_request(address: SocketAddr, request: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("connects");
    stream.write_all(request).expect("is sent");
    stream
}

/// Reads until the other side closes.
pub fn read_all(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).ok();
    text
}
