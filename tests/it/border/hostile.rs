//! The kinds of hostile clients and their behavior.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use stripe_sandbox::sign;

/// A documentation file that is large even when compressed.
const LARGE_FILE: &str = "/docs/swagger-ui-bundle.js";
/// How long a test waits for the service to close a connection.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a hostile client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Sends nothing.
    Silent,
    /// Sends half a request head.
    HalfHead,
    /// Sends half of the next request head after an answer.
    HalfLaterHead,
    /// Sends half a delivery with a well-formed but wrong signature.
    HalfDelivery,
    /// Sends an endless chunked body to a path that does not exist.
    EndlessAfterNotFound,
    /// Sends an endless chunked body, with `Connection: close`, where a body is refused.
    EndlessAfterClose,
    /// Requests a large file many times and reads nothing.
    ReadsNothing,
    /// Stays connected after an answer.
    Idle,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Silent,
        Self::HalfHead,
        Self::HalfLaterHead,
        Self::HalfDelivery,
        Self::EndlessAfterNotFound,
        Self::EndlessAfterClose,
        Self::ReadsNothing,
        Self::Idle,
    ];

    /// Connects and acts. A failed write means that the service already refused it, which is fine.
    pub fn begin(self, address: SocketAddr) -> TcpStream {
        let mut stream = TcpStream::connect(address).expect("connects");
        stream.set_nodelay(true).expect("a mode");
        let live = "GET /health/live HTTP/1.1\r\nhost: topup\r\n\r\n";
        match self {
            Self::Silent => {}
            Self::HalfHead => send(&mut stream, b"GET /credits HTTP/1.1\r\nhost: to"),
            Self::HalfLaterHead => {
                send(&mut stream, live.as_bytes());
                if answer_begins(&mut stream) {
                    send(&mut stream, b"GET /credits HTTP/1.1\r\nhost: to");
                }
            }
            Self::HalfDelivery => {
                let now = time_in_seconds();
                let signature = sign("whsec_of_a_stranger_0123456789", now, b"");
                let head = format!(
                    "POST /webhooks/stripe HTTP/1.1\r\nhost: topup\r\ncontent-type: application/json\r\n\
                     stripe-signature: {signature}\r\ncontent-length: 40000\r\n\r\n"
                );
                send(&mut stream, head.as_bytes());
                send(&mut stream, &vec![b' '; 30_000]);
            }
            Self::EndlessAfterNotFound => {
                let head = "POST /nowhere HTTP/1.1\r\nhost: topup\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n";
                send(&mut stream, head.as_bytes());
            }
            Self::EndlessAfterClose => {
                let head = "POST /webhooks/stripe HTTP/1.1\r\nhost: topup\r\nconnection: close\r\n\
                            transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n";
                send(&mut stream, head.as_bytes());
            }
            Self::ReadsNothing => {
                let ask = format!("GET {LARGE_FILE} HTTP/1.1\r\nhost: topup\r\n\r\n");
                send(&mut stream, ask.repeat(8).as_bytes());
            }
            Self::Idle => send(&mut stream, live.as_bytes()),
        }
        stream
    }
}

#[expect(clippy::disallowed_methods, reason = "a stranger lives in real time")]
fn time_in_seconds() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_secs()).expect("fits")
}

fn send(stream: &mut TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).ok();
}

fn answer_begins(stream: &mut TcpStream) -> bool {
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.read(&mut [0; 1_024]).is_ok_and(|count| count > 0)
}

/// Waits until the service closes the connection, and sends a little more from time to time.
pub fn is_ended(mut stream: TcpStream, trickle: &[u8]) -> bool {
    let deadline = Instant::now() + PATIENCE;
    stream.set_read_timeout(Some(Duration::from_millis(100))).expect("a timeout");
    let mut buffer = vec![0; 65_536];
    while Instant::now() < deadline {
        match stream.read(&mut buffer) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {
                if stream.write_all(trickle).is_err() {
                    return true;
                }
            }
            Err(_) => return true,
        }
    }
    false
}

/// The same for a client that does not read: it notices the close when a write fails.
pub fn is_ended_unread(mut stream: TcpStream) -> bool {
    let deadline = Instant::now() + PATIENCE;
    stream.set_nonblocking(true).expect("a mode");
    while Instant::now() < deadline {
        match stream.write(b"G") {
            Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => return true,
            _ => std::thread::yield_now(),
        }
    }
    false
}
