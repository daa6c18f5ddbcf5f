//! Tests against a server whose responses are given byte by byte.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const KEY: &str = "sk_test_the_key";
const OK: &str = "HTTP/1.1 200 OK\r\nRequest-Id: req_1\r\nContent-Length: 2\r\n\r\n{}";

/// Answers every request with the same bytes and keeps the connection open.
#[derive(Clone)]
struct Server {
    base: String,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(answer: impl Into<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/", listener.local_addr().unwrap());
        let server = Self { base, connections: Arc::default(), requests: Arc::default() };
        let (answer, accepting) = (answer.into(), server.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                accepting.connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, answer.clone(), accepting.requests.clone()));
            }
        });
        server
    }

    fn transport(&self) -> HttpTransport {
        self.patient(Duration::from_secs(20))
    }

    fn patient(&self, timeout: Duration) -> HttpTransport {
        HttpTransport::new(&SecretString::from(KEY.to_owned()), Some(&self.base), timeout).unwrap()
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, answer: String, requests: Arc<Mutex<Vec<String>>>) {
    let mut bytes = vec![0; 16 * 1024];
    // The requests of these tests are small enough to arrive in one read.
    while let Ok(length @ 1..) = stream.read(&mut bytes).await {
        requests.lock().unwrap().push(String::from_utf8_lossy(&bytes[..length]).to_lowercase());
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn read_event() -> Request {
    Request {
        method: Method::Get,
        path: "/v1/events/evt_1".to_owned(),
        query: Some("expand[0]=data.payment_intent".to_owned()),
        form: None,
        idempotency_key: None,
    }
}

fn open_checkout() -> Request {
    Request {
        method: Method::Post,
        path: "/v1/checkout/sessions".to_owned(),
        query: None,
        form: Some("mode=payment".to_owned()),
        idempotency_key: Some("topup_1-1".to_owned()),
    }
}

#[tokio::test]
async fn a_request_says_what_stripe_must_know() {
    let server = Server::start(OK).await;
    let transport = server.transport();
    transport.send(read_event()).await.unwrap();
    transport.send(open_checkout()).await.unwrap();
    let requests = server.requests();
    assert!(requests[0].starts_with("get /v1/events/evt_1?expand[0]=data.payment_intent http/1.1\r\n"), "{requests:?}");
    assert!(!requests[0].contains("idempotency-key") && !requests[0].contains("content-type"), "{requests:?}");
    assert!(requests[1].starts_with("post /v1/checkout/sessions http/1.1\r\n"), "{requests:?}");
    for line in ["idempotency-key: topup_1-1", "content-type: application/x-www-form-urlencoded"] {
        assert!(requests[1].contains(&format!("\r\n{line}\r\n")), "{line} in {requests:?}");
    }
    assert!(requests[1].ends_with("\r\n\r\nmode=payment"), "{requests:?}");
    let version = format!("stripe-version: {}", stripe_client_core::VERSION.as_str());
    let agent = concat!("user-agent: stripe/v1 rustbindings/1.0.0-rc.10 topup/", env!("CARGO_PKG_VERSION"));
    for request in &requests {
        for line in [&version, agent, "authorization: bearer sk_test_the_key"] {
            assert!(request.contains(&format!("\r\n{line}\r\n")), "{line} in {request}");
        }
    }
}

#[test]
fn the_user_agent_names_the_version_of_the_library_that_is_used() {
    let manifest = include_str!("../../../../Cargo.toml");
    let (_, version) = USER_AGENT.split_once("RustBindings/").unwrap();
    let version = version.split(' ').next().unwrap();
    assert!(manifest.contains(&format!("async-stripe-client-core = \"={version}\"")), "{version}");
}

#[tokio::test]
async fn the_answer_is_given_as_it_came() {
    for status in [200, 404, 500] {
        let error = r#"{"error":{"type":"api_error"}}"#;
        let answer = format!("HTTP/1.1 {status} X\r\nRequest-Id: req_{status}\r\nContent-Length: 30\r\n\r\n{error}");
        let answer = Server::start(answer).await.transport().send(read_event()).await.unwrap();
        assert_eq!((answer.status, answer.request_id), (status, Some(format!("req_{status}"))));
        assert_eq!(answer.body, error.as_bytes());
    }
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let server = Server::start(OK).await;
    let transport = server.transport();
    for _ in 0..5 {
        transport.send(open_checkout()).await.unwrap();
    }
    assert_eq!((server.requests().len(), server.connections()), (5, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_does_not_end_with_the_runtime_of_the_caller() {
    let server = Server::start(OK).await;
    let transport = Arc::new(server.transport());
    for _ in 0..2 {
        let transport = transport.clone();
        let worker = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(transport.send(read_event())).unwrap()
        });
        assert_eq!(tokio::task::spawn_blocking(|| worker.join().unwrap()).await.unwrap().status, 200);
    }
    assert_eq!((server.requests().len(), server.connections()), (2, 1));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::start(OK).await;
    let location = &elsewhere.base;
    let answer = format!("HTTP/1.1 307 Temporary Redirect\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
    let answer = Server::start(answer).await.transport().send(open_checkout()).await.unwrap();
    assert_eq!((answer.status, elsewhere.connections()), (307, 0));
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_given_up() {
    let body = |length: usize| format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{}", "x".repeat(length));
    let largest = Server::start(body(MAX_ANSWER_BYTES)).await.transport().send(read_event()).await.unwrap();
    assert_eq!(largest.body.len(), MAX_ANSWER_BYTES);
    let chunk = format!("{:x}\r\n{}\r\n", 1024 * 1024, "x".repeat(1024 * 1024));
    let endless = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}", chunk.repeat(9));
    for answer in [body(MAX_ANSWER_BYTES + 1), endless] {
        let error = Server::start(answer).await.transport().send(read_event()).await.unwrap_err();
        assert!(matches!(error, TransportError::TooLarge { status: 200, limit_bytes: MAX_ANSWER_BYTES }), "{error:?}");
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_to_its_end_in_time_is_late() {
    for answer in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{"] {
        let transport = Server::start(answer).await.patient(Duration::from_millis(200));
        let error = transport.send(read_event()).await.unwrap_err();
        assert!(matches!(error, TransportError::TimedOut), "{answer:?}: {error:?}");
    }
}

#[tokio::test]
async fn a_connection_that_is_not_made_is_not_late() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let transport =
        HttpTransport::new(&SecretString::from(KEY.to_owned()), Some(&base), Duration::from_secs(20)).unwrap();
    let error = transport.send(read_event()).await.unwrap_err();
    assert!(matches!(error, TransportError::Broken(_)), "{error:?}");
}

#[test]
fn the_key_is_not_shown_and_what_cannot_be_used_is_refused() {
    let new = |key: &str, base: &str| {
        HttpTransport::new(&SecretString::from(key.to_owned()), Some(base), Duration::from_secs(1))
    };
    let text = format!("{:?}", new(KEY, "http://127.0.0.1:1/").unwrap());
    assert!(text.contains("127.0.0.1:1") && !text.contains(KEY), "{text}");
    for (key, base) in [("sk_test_a\nb", "http://127.0.0.1:1/"), (KEY, "nowhere")] {
        let text = format!("{:?}", new(key, base).unwrap_err());
        assert!(!text.contains("sk_test"), "{text}");
    }
}
