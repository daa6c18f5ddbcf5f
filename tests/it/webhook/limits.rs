//! Limits of a delivery: size, time until its header is checked, and memory.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use stripe_sandbox::sign;
use topup::ports::Clock;

use crate::on_both_databases;
use crate::support::books::{Rows, rows};
use crate::support::process::raw_request;
use crate::support::stripe::WEBHOOK_SECRET;
use crate::support::{Options, TestApp, until};

const MAX_BYTES: usize = 1024 * 1024;
/// This many of the largest bodies fill a small memory.
const BODIES_IN_SMALL_MEMORY: usize = 2;

fn small_memory() -> Options {
    Options { webhook_bytes: BODIES_IN_SMALL_MEMORY * MAX_BYTES, ..Options::default() }
}

fn address(app: &TestApp) -> SocketAddr {
    app.url.trim_start_matches("http://").parse().expect("an address")
}

fn fresh_header(app: &TestApp, body: &[u8]) -> String {
    sign(WEBHOOK_SECRET, app.clock.now_ms() / 1_000, body)
}

/// The head of a delivery whose announced body does not arrive.
fn head(signature: &str, length: usize) -> String {
    format!(
        "POST /webhooks/stripe HTTP/1.1\r\nhost: topup\r\ncontent-type: application/json\r\n\
        stripe-signature: {signature}\r\ncontent-length: {length}\r\n\r\n"
    )
}

/// Reads the status line of an answer and the start of the rest. Fails after half a minute.
async fn answer_of(mut stream: TcpStream) -> String {
    let read = tokio::task::spawn_blocking(move || {
        stream.set_read_timeout(Some(std::time::Duration::from_secs(30))).expect("a timeout");
        let mut text = String::new();
        let mut buffer = [0_u8; 4_096];
        while !text.contains("\r\n\r\n{") {
            let count = stream.read(&mut buffer).expect("an answer");
            assert!(count > 0, "closed after {text:?}");
            text.push_str(std::str::from_utf8(&buffer[..count]).expect("text"));
        }
        text
    });
    read.await.expect("reads")
}

/// Whether an answer has already arrived.
fn is_answered(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).expect("a mode");
    let is_answered = stream.peek(&mut [0]).is_ok();
    stream.set_nonblocking(false).expect("a mode");
    is_answered
}

/// A valid event, padded with spaces before its end.
fn padded(event: &serde_json::Value, length: usize) -> Vec<u8> {
    let mut body = event.to_string().into_bytes();
    assert_eq!(body.pop(), Some(b'}'));
    body.resize(length - 1, b' ');
    body.push(b'}');
    body
}

on_both_databases! {
    async fn a_body_may_have_1_mib_and_not_one_byte_more(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (_, event) = app.pay_session("user_1", 250).await;
        app.deliver_bytes(&padded(&event, MAX_BYTES + 1)).await.expect_problem(413, "body_too_large");
        assert_eq!(rows(&app.app.db).await, Rows::default());
        app.deliver_bytes(&padded(&event, MAX_BYTES)).await.expect(200);
        assert_eq!(app.credits("user_1").await, 250);
        app.finish().await;
    }

    async fn a_body_of_unknown_length_is_cut_off_at_1_mib(backend: Backend) {
        let app = TestApp::start(backend).await;
        let head = format!(
            "POST /webhooks/stripe HTTP/1.1\r\nhost: topup\r\nstripe-signature: {}\r\ntransfer-encoding: chunked\r\n\r\n",
            fresh_header(&app, b"")
        );
        // The chunk is announced as larger than what is sent: the answer arrives before its end.
        let mut stream = raw_request(address(&app), format!("{head}{:x}\r\n", 16 * MAX_BYTES).as_bytes());
        stream.write_all(&vec![b' '; MAX_BYTES + 1]).expect("is sent");
        let answer = answer_of(stream).await;
        assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("body_too_large"), "{answer}");
        app.finish().await;
    }

    async fn a_bad_header_is_answered_before_the_body_has_come(backend: Backend) {
        let app = TestApp::start(backend).await;
        for header in ["", "nonsense", "t=1,v1=00"] {
            // No byte of the body is ever sent, and the connection stays open. If the service waited for the body, the
            // answer would be 408 or missing.
            let answer = answer_of(raw_request(address(&app), head(header, 1_000).as_bytes())).await;
            assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("invalid_webhook"), "{header}: {answer}");
        }
        let without = "POST /webhooks/stripe HTTP/1.1\r\nhost: topup\r\ncontent-length: 1000\r\n\r\n";
        let answer = answer_of(raw_request(address(&app), without.as_bytes())).await;
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("invalid_webhook"), "{answer}");
        app.finish().await;
    }

    async fn of_more_bodies_than_fit_into_memory_those_that_are_held_longest_are_told_to_come_again(backend: Backend) {
        let app = TestApp::start_with(backend, small_memory()).await;
        let (_, event) = app.pay_session("user_1", 250).await;
        let header = fresh_header(&app, event.to_string().as_bytes());
        let begin = || {
            let mut stream = raw_request(address(&app), head(&header, MAX_BYTES).as_bytes());
            stream.write_all(&vec![b' '; MAX_BYTES - 1]).expect("is sent");
            stream
        };
        // One more than fits: one of them is told to retry.
        let held: Vec<TcpStream> = (0..=BODIES_IN_SMALL_MEMORY).map(|_| begin()).collect();
        let first_refused = async || held.iter().find(|stream| is_answered(stream));
        let refused = until("a refusal", first_refused).await;
        let answer = answer_of(refused.try_clone().expect("a second handle")).await;
        assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("too_busy"), "{answer}");
        assert!(answer.contains("retry-after: 1"), "{answer}");
        assert_eq!(rows(&app.app.db).await, Rows::default());
        // A valid delivery is not affected.
        app.deliver(&event).await.expect(200);
        assert_eq!(app.credits("user_1").await, 250);
        drop(held);
        app.finish().await;
    }

    async fn many_who_send_slowly_keep_nobody_out(backend: Backend) {
        let app = TestApp::start_with(backend, small_memory()).await;
        let (_, event) = app.pay_session("user_1", 250).await;
        let header = fresh_header(&app, event.to_string().as_bytes());
        let begin = |_| raw_request(address(&app), (head(&header, MAX_BYTES) + "{").as_bytes());
        let held: Vec<TcpStream> = (0..100).map(begin).collect();
        app.deliver(&event).await.expect(200);
        assert_eq!(app.credits("user_1").await, 250);
        drop(held);
        app.finish().await;
    }

    async fn bodies_with_bad_headers_take_no_place(backend: Backend) {
        let app = TestApp::start(backend).await;
        let (_, event) = app.pay_session("user_1", 250).await;
        let mut held = Vec::new();
        for _ in 0..100 {
            let stream = raw_request(address(&app), head("nonsense", 1_000).as_bytes());
            let answer = answer_of(stream.try_clone().expect("a second handle")).await;
            assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
            held.push(stream);
        }
        app.deliver(&event).await.expect(200);
        assert_eq!(app.credits("user_1").await, 250);
        drop(held);
        app.finish().await;
    }
}
