//! A product's server that receives messages: it records them and answers as the test says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::support::until;

/// How requests are answered.
#[derive(Debug, Clone)]
pub enum Mode {
    /// With this status, and these further header lines.
    Status(u16, &'static str),
    /// Not at all: the connection stays open.
    Silent,
    /// The connection is closed without an answer.
    Broken,
    /// With a body that does not end.
    Endless,
    /// Well, once the mode is another one.
    Held,
}

/// The usual answer.
pub const WELL: Mode = Mode::Status(200, "");
/// The answer of a broken program.
pub const FAILS: Mode = Mode::Status(500, "");

/// A message as it arrived.
#[derive(Debug, Clone)]
pub struct Received {
    /// The header fields, with lower-case names.
    pub headers: HashMap<String, String>,
    /// The body.
    pub text: String,
    /// The body, read.
    pub body: Value,
    /// Whether it was answered with success.
    pub was_taken: bool,
}

impl Received {
    /// The message's id.
    pub fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    /// The message's type.
    pub fn event(&self) -> &str {
        self.body["type"].as_str().expect("a type")
    }
}

#[derive(Debug)]
struct Shared {
    mode: watch::Sender<Mode>,
    received: Mutex<Vec<Received>>,
    connections: Mutex<usize>,
}

/// Stops when dropped.
pub struct Receiver {
    /// Its URL.
    pub url: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Receiver {
    /// A receiver that answers well.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let (mode, received) = (watch::Sender::new(WELL), Mutex::default());
        let shared = Arc::new(Shared { mode, received, connections: Mutex::default() });
        let task = tokio::spawn(accept(listener, shared.clone()));
        Self { url, shared, task }
    }

    /// Answers in another way from now on.
    pub fn answer(&self, mode: Mode) {
        self.shared.mode.send_replace(mode);
    }

    /// Everything that arrived.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().expect("no panic").clone()
    }

    /// The messages that were answered with success.
    pub fn taken(&self) -> Vec<Received> {
        self.received().into_iter().filter(|message| message.was_taken).collect()
    }

    /// The types of the messages that were taken, in the order of their arrival.
    pub fn events(&self) -> Vec<String> {
        self.taken().iter().map(|message| message.event().to_owned()).collect()
    }

    /// How many connections were opened.
    pub fn connections(&self) -> usize {
        *self.shared.connections.lock().expect("no panic")
    }

    /// Waits for a message of this type that is taken.
    pub async fn wait_for(&self, event: &str) -> Received {
        until(event, async || self.taken().into_iter().find(|message| message.event() == event)).await
    }

    /// Waits until so many messages were taken.
    pub async fn wait_for_taken(&self, count: usize) -> Vec<Received> {
        let what = format!("{count} messages");
        until(&what, async || Some(self.taken()).filter(|taken| taken.len() >= count)).await
    }

    /// Waits until so many attempts have arrived, whatever was answered.
    pub async fn wait_for_attempts(&self, count: usize) -> Vec<Received> {
        let what = format!("{count} attempts");
        until(&what, async || Some(self.received()).filter(|received| received.len() >= count)).await
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        *shared.connections.lock().expect("no panic") += 1;
        tokio::spawn(serve(stream, shared.clone()));
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    while let Some((head, text)) = read(&mut stream).await {
        let mode = shared.mode.borrow().clone();
        let was_taken = matches!(mode, Mode::Status(200..=299, _) | Mode::Endless | Mode::Held);
        let headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        let body = serde_json::from_str(&text).expect("JSON");
        shared.received.lock().expect("no panic").push(Received { headers, text, body, was_taken });
        let mode = match mode {
            Mode::Held => {
                let mut changes = shared.mode.subscribe();
                changes.wait_for(|mode| !matches!(mode, Mode::Held)).await.expect("the receiver is there");
                WELL
            }
            other => other,
        };
        match mode {
            Mode::Held => {}
            Mode::Silent => std::future::pending().await,
            Mode::Broken => return,
            Mode::Endless => {
                if stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.is_err() {
                    return;
                }
                while stream.write_all(&[b'x'; 4_096]).await.is_ok() {}
                return;
            }
            Mode::Status(status, lines) => {
                let answer = format!("HTTP/1.1 {status} Said\r\ncontent-length: 0\r\n{lines}\r\n");
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Reads one request: its head and its body. `None` when the connection ends.
async fn read(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).expect("text");
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            let whole = end + 4 + length.unwrap_or(0_usize);
            if bytes.len() >= whole {
                let body = String::from_utf8(bytes[end + 4..whole].to_vec()).expect("text");
                return Some((head, body));
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
