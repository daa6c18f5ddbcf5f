//! A Stripe API endpoint that answers at once: the sandbox's model behind a minimal HTTP server.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use stripe_sandbox::{DEFAULT_API_VERSION, Model, ModelRequest};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::clock::wall_clock_ms;
use crate::failure::Failure;
use crate::http::{content_length, find};
use crate::recording::Recording;
use crate::renewal::Renewal;

/// The model is replaced after this many requests, because it keeps everything.
const MODEL_REQUESTS: u64 = 2_000;
const MAX_REQUEST_BYTES: usize = 64 * 1024;

/// The endpoint. It listens until the process ends.
#[derive(Clone)]
pub struct Stripe {
    pub address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    model: Model,
    requests: u64,
    /// The form of the latest request for a checkout.
    latest_form: String,
    /// The responses for top-ups that the benchmark seeded itself.
    recording: Recording,
    /// The responses for subscriptions that it seeded.
    renewal: Renewal,
}

impl Stripe {
    /// Starts the endpoint on its own thread.
    ///
    /// # Errors
    /// If no port is free.
    pub fn start(recording: Recording, renewal: Renewal) -> Result<Self, Failure> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Shared { model: new_model(0), requests: 0, latest_form: String::new(), recording, renewal };
        let stripe = Self { address, shared: Arc::new(Mutex::new(shared)) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let shared = stripe.shared.clone();
        std::thread::spawn(move || runtime.block_on(listen(listener, shared)));
        Ok(stripe)
    }

    /// The form of the latest request for a checkout.
    pub fn latest_form(&self) -> String {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).latest_form.clone()
    }
}

fn new_model(seed: u64) -> Model {
    Model::seeded(seed, "http://127.0.0.1")
}

async fn listen(listener: std::net::TcpListener, shared: Arc<Mutex<Shared>>) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    while let Ok((stream, _)) = listener.accept().await {
        // A closed connection is not an error here; if it matters, the service reports it.
        tokio::spawn(serve(stream, shared.clone()));
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Mutex<Shared>>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut received = Vec::with_capacity(8 * 1024);
    while received.len() < MAX_REQUEST_BYTES {
        if stream.read_buf(&mut received).await? == 0 {
            break;
        }
        let Some(request) = Received::read(&received) else { continue };
        let answer = shared.lock().unwrap_or_else(PoisonError::into_inner).answer(&request);
        received.clear();
        stream.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}

impl Shared {
    fn answer(&mut self, request: &Received<'_>) -> String {
        if self.requests.is_multiple_of(MODEL_REQUESTS) {
            self.model = new_model(self.requests);
        }
        self.requests = self.requests.saturating_add(1);
        if request.method == "GET"
            && let Some(body) =
                self.recording.answer(request.path, request.form).or_else(|| self.renewal.answer(request.path))
        {
            return self.http(200, &body);
        }
        if (request.method, request.path) == ("POST", "/v1/checkout/sessions") {
            request.form.clone_into(&mut self.latest_form);
        }
        let asked = ModelRequest {
            method: request.method,
            path: request.path,
            form: request.form,
            idempotency_key: request.header("idempotency-key"),
            api_version: request.header("stripe-version").unwrap_or(DEFAULT_API_VERSION),
        };
        let answer = self.model.request(&asked, wall_clock_ms());
        self.http(answer.status, &answer.body.to_string())
    }

    fn http(&self, status: u16, body: &str) -> String {
        format!(
            "HTTP/1.1 {status} Answer\r\ncontent-type: application/json\r\nrequest-id: req_{:014}\r\ncontent-length: {}\r\n\r\n{body}",
            self.requests,
            body.len()
        )
    }
}

/// A complete request.
#[derive(Debug, PartialEq, Eq)]
struct Received<'r> {
    method: &'r str,
    path: &'r str,
    header: &'r str,
    form: &'r str,
}

impl<'r> Received<'r> {
    /// `None` until the request is complete.
    fn read(bytes: &'r [u8]) -> Option<Self> {
        let header_bytes = find(bytes, b"\r\n\r\n")?;
        let (header, body) = bytes.split_at_checked(header_bytes)?;
        let (header, body) = (std::str::from_utf8(header).ok()?, std::str::from_utf8(body.get(4..)?).ok()?);
        let (first, header) = header.split_once("\r\n").unwrap_or((header, ""));
        let length = content_length(header.split("\r\n"))?;
        let mut words = first.split(' ');
        let (method, path) = (words.next()?, words.next()?);
        (body.len() >= length).then_some(Self { method, path, header, form: body })
    }

    fn header(&self, wanted: &str) -> Option<&'r str> {
        let lines = self.header.split("\r\n").filter_map(|line| line.split_once(':'));
        lines.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_when_its_last_byte_is_there() {
        let text = "POST /v1/x HTTP/1.1\r\nContent-Length: 3\r\nIdempotency-Key: k\r\n\r\na=b";
        assert_eq!(Received::read(&text.as_bytes()[..text.len() - 1]), None);
        let request = Received::read(text.as_bytes()).unwrap();
        assert_eq!((request.method, request.path, request.form), ("POST", "/v1/x", "a=b"));
        assert_eq!(request.header("idempotency-key"), Some("k"));
    }
}
