//! Traces as a collector gets them: one from a request through the database to the provider, continued from the caller,
//! without personal data; and what a slow or dead collector costs.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyValue;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::messages::LOCAL;
use crate::messages::receiver::Receiver;
use crate::on_both_databases;
use crate::support::app::{SUCCESS_URL, http_client};
use crate::support::process::{Process, Settings, free_port, run};
use crate::support::serve::{World, token};
use crate::support::{Backend, until};

/// A trace of the caller.
const CALLER_TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER_SPAN: &str = "00f067aa0ba902b7";

/// A request as the collector got it.
#[derive(Debug, Clone)]
struct Exported {
    head: String,
    body: Vec<u8>,
}

/// A collector that takes OTLP over HTTP.
struct Collector {
    url: String,
    exported: Arc<Mutex<Vec<Exported>>>,
    task: JoinHandle<()>,
}

impl Collector {
    /// Starts it; one that is silent takes connections and never answers.
    async fn start(is_silent: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let exported = Arc::new(Mutex::new(Vec::new()));
        let kept = exported.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, kept.clone(), is_silent));
            }
        });
        Self { url, exported, task }
    }

    fn requests(&self) -> Vec<Exported> {
        self.exported.lock().expect("no panic").clone()
    }

    /// All spans, and the names of their services.
    fn spans(&self) -> (Vec<Span>, Vec<String>) {
        let (mut spans, mut services) = (Vec::new(), Vec::new());
        for request in self.requests() {
            let read = ExportTraceServiceRequest::decode(request.body.as_slice()).expect("protobuf");
            for resource in read.resource_spans {
                let attributes = resource.resource.expect("a resource").attributes;
                let name = attributes.iter().find(|attribute| attribute.key == "service.name").expect("a name");
                services.push(text(name.value.as_ref().and_then(|value| value.value.as_ref())));
                spans.extend(resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
            }
        }
        (spans, services)
    }

    /// Every text that arrived: names, attributes, states, events.
    fn texts(&self) -> Vec<String> {
        let mut texts = Vec::new();
        for request in self.requests() {
            let read = ExportTraceServiceRequest::decode(request.body.as_slice()).expect("protobuf");
            // What is no text is numbers and the bytes of ids, which the debug form writes as numbers.
            texts.extend(format!("{read:?}").split('"').skip(1).step_by(2).map(str::to_owned));
        }
        texts
    }

    /// Waits for a span with this name.
    async fn wait_for(&self, name: &str) -> Span {
        until(name, async || self.spans().0.into_iter().find(|span| span.name == name)).await
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(mut stream: TcpStream, kept: Arc<Mutex<Vec<Exported>>>, is_silent: bool) {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).expect("text").to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            let whole = end + 4 + length.unwrap_or(0_usize);
            if bytes.len() >= whole {
                let body = bytes[end + 4..whole].to_vec();
                kept.lock().expect("no panic").push(Exported { head, body });
                bytes.drain(..whole);
                if is_silent {
                    return std::future::pending().await;
                }
                if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.is_err() {
                    return;
                }
                continue;
            }
        }
        match stream.read_buf(&mut bytes).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

fn text(value: Option<&AnyValue>) -> String {
    match value {
        Some(AnyValue::StringValue(text)) => text.clone(),
        Some(AnyValue::IntValue(number)) => number.to_string(),
        other => panic!("{other:?}"),
    }
}

fn attribute(span: &Span, name: &str) -> Option<String> {
    let found = span.attributes.iter().find(|attribute| attribute.key == name)?;
    Some(text(found.value.as_ref().and_then(|value| value.value.as_ref())))
}

fn hex_of(bytes: &[u8]) -> String {
    hex::encode(bytes)
}

/// Passes connections on to Stripe's stand-in, and keeps what is sent there. Returns the address.
async fn wiretap(stripe: &str, kept: Arc<Mutex<Vec<u8>>>) -> String {
    let to = stripe.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (to, kept) = (to.clone(), kept.clone());
            tokio::spawn(async move {
                let stripe = TcpStream::connect(to).await.expect("connects");
                let ((mut from, mut back), (mut answers, mut calls)) = (stream.into_split(), stripe.into_split());
                tokio::spawn(async move { tokio::io::copy(&mut answers, &mut back).await });
                let mut bytes = [0_u8; 4_096];
                while let Ok(count @ 1..) = from.read(&mut bytes).await {
                    kept.lock().expect("no panic").extend_from_slice(&bytes[..count]);
                    if calls.write_all(&bytes[..count]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    url
}

/// A traced service.
struct Traced {
    world: World,
    process: Process,
    settings: Settings,
    /// What was sent to Stripe.
    to_stripe: Arc<Mutex<Vec<u8>>>,
}

impl Traced {
    async fn start(backend: Backend, collector: &Collector, further: &[(&'static str, &str)]) -> Self {
        let world = World::new(backend).await;
        let (mut settings, to_stripe) = (world.settings(), Arc::default());
        settings.insert("STRIPE_API_BASE", wiretap(&world.stripe.url, Arc::clone(&to_stripe)).await);
        settings.insert("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.clone());
        settings.insert("METRICS_ADDRESS", format!("127.0.0.1:{}", free_port()));
        settings.insert("LOG", "debug".to_owned());
        settings.extend(further.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let process = Process::serve(&settings, None).await;
        Self { world, process, settings, to_stripe }
    }

    async fn measured(&self, series: &str) -> u64 {
        let url = format!("http://{}/metrics", self.settings["METRICS_ADDRESS"]);
        let text = http_client().get(url).send().await.expect("answers").text().await.expect("text");
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')).map(str::to_owned);
        line.map_or(0, |value| value.parse().expect("a whole number"))
    }

    async fn checkout(&self, account: &str, key: &str, headers: &[(&str, String)]) -> Value {
        let mut request = http_client()
            .post(format!("{}/credits/sessions", self.world.url()))
            .bearer_auth(token(account))
            .header("idempotency-key", key)
            .json(&json!({ "credits": 250, "successUrl": SUCCESS_URL }));
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let answer = request.send().await.expect("answers");
        assert_eq!(answer.status(), 200);
        answer.json().await.expect("JSON")
    }

    /// Stops it gracefully. Returns the log.
    async fn stop(self) -> Vec<String> {
        self.process.terminate();
        let (is_well, log) = self.process.ended().await;
        assert!(is_well, "{log:?}");
        self.world.finish().await;
        log
    }
}

on_both_databases! {
    async fn one_trace_goes_from_the_caller_through_the_database_to_the_provider(backend: Backend) {
        let collector = Collector::start(false).await;
        let further = [("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=collector%20secret"), ("OTEL_SERVICE_NAME", "credits")];
        let traced = Traced::start(backend, &collector, &further).await;
        let traceparent = format!("00-{CALLER_TRACE}-{CALLER_SPAN}-01");
        let headers = [("traceparent", traceparent), ("tracestate", "vendor=1".to_owned())];
        traced.checkout("user_1", "key-1", &headers).await;
        let server = collector.wait_for("POST /credits/sessions").await;
        assert_eq!(hex_of(&server.trace_id), CALLER_TRACE);
        assert_eq!(hex_of(&server.parent_span_id), CALLER_SPAN);
        assert_eq!(server.kind, 2, "a server's");
        for (name, value) in [
            ("http.request.method", "POST"),
            ("http.route", "/credits/sessions"),
            ("http.response.status_code", "200"),
        ] {
            assert_eq!(attribute(&server, name).as_deref(), Some(value), "{name}");
        }
        let (spans, services) = collector.spans();
        assert!(services.iter().all(|service| service == "credits"), "{services:?}");
        let own: Vec<&Span> = spans.iter().filter(|span| span.trace_id == server.trace_id).collect();
        let named = |name: &str| own.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name} in {own:#?}"));
        let provider = named("POST checkout/sessions");
        assert_eq!(attribute(provider, "outcome").as_deref(), Some("ok"));
        let system = if backend == Backend::Sqlite { "sqlite" } else { "postgresql" };
        let write = named("begin");
        assert_eq!(attribute(write, "db.system.name").as_deref(), Some(system));
        // Each leads up to the request.
        for span in own.iter().filter(|span| span.span_id != server.span_id) {
            let parent = own.iter().find(|parent| parent.span_id == span.parent_span_id);
            assert!(parent.is_some(), "{} hangs in the air", span.name);
        }
        let request = &collector.requests()[0].head;
        assert!(request.starts_with("post /v1/traces http/1.1") && request.contains("x-api-key: collector secret"), "{request}");
        assert!(request.contains("content-type: application/x-protobuf"), "{request}");

        // Stripe and the log hear of the trace.
        let told = format!("traceparent: 00-{CALLER_TRACE}-{}-01", hex_of(&provider.span_id));
        let sent = String::from_utf8_lossy(&traced.to_stripe.lock().expect("no panic")).into_owned();
        assert!(sent.contains(&told) && sent.contains("tracestate: vendor=1"), "{told} is not in {sent}");
        let log = traced.stop().await;
        let line = log.iter().find(|line| line.contains("/credits/sessions") && line.contains("\"request\"")).expect("a line");
        assert!(line.contains(CALLER_TRACE), "{line}");
        assert!(log.iter().all(|line| !line.contains("db.query.text")), "spans are not in the log");
    }

    async fn a_message_to_an_endpoint_names_its_trace(backend: Backend) {
        let (collector, receiver) = (Collector::start(false).await, Receiver::start().await);
        let traced = Traced::start(backend, &collector, &[("WEBHOOK_ALLOWED_NETWORKS", LOCAL)]).await;
        let (is_well, _, said) = run(&traced.settings, &["endpoints", "add", &receiver.url]);
        assert!(is_well, "{said}");
        let session = traced.checkout("user_1", "key-1", &[]).await;
        traced.world.stripe.pay(session["id"].as_str().expect("an id"), "pm_card_visa").await;
        let message = receiver.wait_for("topup.paid").await;
        let delivery = collector.wait_for("deliver a message").await;
        assert_eq!(attribute(&delivery, "messaging.message.id").as_deref(), Some(message.id()));
        let named = format!("00-{}-{}-01", hex_of(&delivery.trace_id), hex_of(&delivery.span_id));
        assert_eq!(message.headers["traceparent"], named);
        traced.stop().await;
    }

    async fn spans_have_no_personal_data_and_no_secret(backend: Backend) {
        let collector = Collector::start(false).await;
        let traced = Traced::start(backend, &collector, &[("CONSOLE", "on")]).await;
        let (_, key, _) = run(&traced.settings, &["keys", "create", "--name", "secret-backend", "--scope", "admin"]);
        let key = key.trim().to_owned();
        let session = traced.checkout("private-account", "private-key-1", &[]).await;
        traced.world.stripe.pay(session["id"].as_str().expect("an id"), "pm_card_visa").await;
        until("credits", async || (traced.world.credits("private-account").await == Some(250)).then_some(())).await;
        let path = format!("{}/accounts/private-account/credits/debits", traced.world.url());
        let debit = json!({ "credits": 5, "operation": "private-operation", "subject": "private-subject", "metadata": { "note": "private-note" } });
        let request = http_client().post(path).header("x-api-key", &key).header("idempotency-key", "private-key-2");
        assert_eq!(request.json(&debit).send().await.expect("answers").status(), 200);
        let search = format!("{}/console/search?q=private-search", traced.world.url());
        http_client().get(search).header("cookie", "topup-console=private-cookie").send().await.expect("answers");
        collector.wait_for("POST /accounts/{accountId}/credits/debits").await;
        collector.wait_for("GET /console/search").await;
        let settings = traced.settings.clone();
        traced.stop().await;
        let (spans, _) = collector.spans();
        assert!(spans.iter().any(|span| attribute(span, "db.query.text").is_some_and(|sql| sql.contains("$1"))));
        let secrets = ["STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "JWT_SECRET"].map(|name| settings[name].clone());
        let forbidden = ["private-", "secret-backend", &key, "@", "4242", "eyJ"].into_iter().chain(secrets.iter().map(String::as_str));
        let texts = collector.texts();
        assert!(texts.len() > 50, "{texts:?}");
        for word in forbidden {
            assert!(texts.iter().all(|text| !text.contains(word)), "{word} is in {texts:#?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_sampled_trace_is_sent_and_the_caller_s_choice_counts() {
    let collector = Collector::start(false).await;
    let traced = Traced::start(Backend::Sqlite, &collector, &[("OTEL_TRACES_SAMPLER", "parentbased_always_off")]).await;
    traced.checkout("user_1", "key-1", &[]).await;
    let ours = [("traceparent", format!("00-{CALLER_TRACE}-{CALLER_SPAN}-01"))];
    traced.checkout("user_1", "key-2", &ours).await;
    collector.wait_for("POST /credits/sessions").await;
    traced.stop().await;
    let (spans, _) = collector.spans();
    assert!(spans.iter().all(|span| hex_of(&span.trace_id) == CALLER_TRACE), "{spans:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_does_not_answer_costs_no_request_and_what_it_misses_is_counted() {
    let collector = Collector::start(true).await;
    let mut traced = Traced::start(Backend::Sqlite, &collector, &[("LOG", "info")]).await;
    let read = async || {
        let request = http_client().get(format!("{}/credits", traced.world.url())).bearer_auth(token("user_1"));
        assert_eq!(request.send().await.expect("answers").status(), 200);
    };
    // One batch is under way, the queue fills behind it.
    let started = Instant::now();
    until("a dropped span", async || {
        for _ in 0..20 {
            futures_util::future::join_all((0..20).map(|_| read())).await;
        }
        (traced.measured("topup_trace_spans_total{outcome=\"dropped\"}").await > 0).then_some(())
    })
    .await;
    assert!(!collector.requests().is_empty());
    let before = Instant::now();
    read().await;
    assert!(before.elapsed() < Duration::from_secs(2), "{:?} after {:?}", before.elapsed(), started.elapsed());
    traced.process.kill();
    traced.world.finish().await;
}
