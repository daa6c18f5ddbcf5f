//! Requests to Stripe in a network that has a proxy, or certificate authorities of its own.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};

use crate::support::app::settings;
use crate::support::process::{Process, Settings, free_port, topup};
use crate::support::{Backend, TestApp};

/// A proxy that refuses every tunnel and reports the first line of each request.
fn proxy() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (tell, asked) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let first = lines.next().unwrap_or_default();
            let rest = lines.take_while(|line| !line.is_empty()).count();
            if tell.send(format!("{first} ({rest} headers)")).is_err() {
                return;
            }
            (&stream).write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").ok();
        }
    });
    (url, asked)
}

async fn serve(settings: &Settings, environment: &[(&str, &str)], until: &str) {
    let mut command = topup(settings);
    command.arg("serve").env("BIND_ADDRESS", format!("127.0.0.1:{}", free_port())).envs(environment.iter().copied());
    let mut process = Process::start(command);
    process.error_line(until).await;
    process.error_line("\"serving\"").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stripe_is_asked_through_the_proxy_of_the_environment() {
    let app = TestApp::start(Backend::Sqlite).await;
    let cannot = "Stripe cannot be asked what the key may do";
    let elsewhere = settings(&app.database.url, "https://stripe.invalid", &[]);
    let (url, asked) = proxy();
    serve(&elsewhere, &[("HTTPS_PROXY", &url)], cannot).await;
    let requests: Vec<String> = asked.try_iter().collect();
    assert!(!requests.is_empty(), "the proxy is asked");
    assert!(requests.iter().all(|line| line.starts_with("CONNECT stripe.invalid:443 HTTP/1.1")), "{requests:?}");

    let (url, asked) = proxy();
    serve(&elsewhere, &[("HTTPS_PROXY", &url), ("NO_PROXY", "stripe.invalid")], cannot).await;
    assert_eq!(asked.try_iter().collect::<Vec<_>>(), Vec::<String>::new(), "not for an address without a proxy");

    let beside = settings(&app.database.url, &app.stripe.url, &[]);
    let all = [("HTTP_PROXY", url.as_str()), ("http_proxy", &url), ("ALL_PROXY", &url)];
    serve(&beside, &all, "Stripe accepts the key").await;
    assert_eq!(asked.try_iter().collect::<Vec<_>>(), Vec::<String>::new(), "not for an address of this host");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_in_the_log_names_stripes_request() {
    let app = TestApp::start(Backend::Sqlite).await;
    app.stripe.fault(json!({ "method": "GET", "path": "/v1/*", "times": 100, "kind": "status", "status": 500 })).await;
    let mut command = topup(&settings(&app.database.url, &app.stripe.url, &[("LOG", "topup=debug,info".to_owned())]));
    command.arg("serve").env("BIND_ADDRESS", format!("127.0.0.1:{}", free_port()));
    let lines = Process::start(command).error_line("Stripe cannot be asked what the key may do").await;
    let lines: Vec<Value> = lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let reason = lines.last().and_then(|line| line["reason"].as_str()).expect("a reason");
    let answers: Vec<&Value> = lines.iter().filter(|line| line["message"] == "Stripe answers").collect();
    assert!(answers.iter().all(|line| line["status"] == 500 && line["method"] == "GET"), "{answers:?}");
    let named =
        |line: &&Value| line["request_id"].as_str().is_some_and(|id| id.starts_with("req_") && reason.contains(id));
    assert!(answers.iter().any(named), "{reason} in {answers:?}");
    app.stripe.clear_faults().await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificate_authorities_that_cannot_be_read_are_a_warning_at_the_start() {
    let app = TestApp::start(Backend::Sqlite).await;
    let folder = tempfile::tempdir().expect("a folder");
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "no certificate").expect("written");
    let (missing, folder_of_none) = (folder.path().join("missing.pem"), folder.path().to_owned());
    let one = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http/auth/testdata/rsa_a_certificate.pem");
    let settings = settings(&app.database.url, &app.stripe.url, &[]);
    for (name, path, warns) in [
        ("SSL_CERT_FILE", &missing, true),
        ("SSL_CERT_FILE", &empty, true),
        ("SSL_CERT_FILE", &one, false),
        ("SSL_CERT_DIR", &missing, true),
        ("SSL_CERT_DIR", &folder_of_none, true),
    ] {
        let mut command = topup(&settings);
        command.arg("serve").env("BIND_ADDRESS", format!("127.0.0.1:{}", free_port())).env(name, path);
        let lines = Process::start(command).error_line("\"serving\"").await;
        let named = format!("{name}={}", path.display());
        let line = lines.iter().find(|line| line.contains("\"WARN\"") && line.contains(&named));
        assert_eq!(line.is_some(), warns, "{named}: {lines:?}");
    }
    app.finish().await;
}
