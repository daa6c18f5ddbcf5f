//! Sends spans to a collector: OTLP over HTTP, in protobuf.
//!
//! Invariants: whoever ends a span never waits. At most [`QUEUE`] spans wait to be sent, further ones are dropped and
//! counted. A collector that is slow or gone costs nothing but these spans.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{
    ExporterBuildError, Protocol, RetryPolicy, SpanExporter as OtlpExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider, SpanData, SpanExporter, SpanProcessor};
use secrecy::ExposeSecret;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::Subscriber;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::registry::LookupSpan;
use url::Url;

use crate::measure::{self, SpanOutcome};
use crate::outgoing;
use crate::traces::settings::{Sampling, TraceSettings};

/// How many spans may wait to be sent.
pub const QUEUE: usize = 4_096;
/// How many are sent at once.
const BATCH: usize = 512;
/// How long a batch waits to be filled.
const GATHER: Duration = Duration::from_secs(1);
/// How long one request may take.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(10);
/// The pauses before a batch is sent again.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];
/// How long a stop waits for the last spans.
const LAST_TIMEOUT: Duration = Duration::from_secs(5);
/// The answer says what was wrong, and is only logged.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Traces cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The address is not valid.
    #[error("OTEL_EXPORTER_OTLP_ENDPOINT cannot be called")]
    Address(#[from] url::ParseError),
    /// The HTTP client cannot be made.
    #[error("the HTTP client for traces cannot be made")]
    Client(#[from] reqwest::Error),
    /// The exporter cannot be made.
    #[error("the exporter of traces cannot be made")]
    Exporter(#[from] ExporterBuildError),
}

/// What sends spans.
pub struct Export {
    tracer: SdkTracer,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Export {
    /// Starts to send spans, in a task of this runtime.
    ///
    /// # Errors
    /// See [`ExportError`].
    pub fn start(settings: &TraceSettings) -> Result<Self, ExportError> {
        let url = Url::parse(&settings.url)?;
        let client = outgoing::client_to(&url).timeout(EXPORT_TIMEOUT).build()?;
        let headers = settings.headers.iter();
        let headers = headers.map(|(name, value)| (name.clone(), value.expose_secret().to_owned())).collect();
        let resource = Resource::builder()
            .with_service_name(settings.service_name.clone())
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let exporter = exporter(url, client, headers, &resource)?;
        let (sender, spans) = mpsc::channel(QUEUE);
        let provider = SdkTracerProvider::builder()
            .with_sampler(sampler(settings.sampling))
            .with_resource(resource)
            .with_span_processor(Queue(sender))
            .build();
        let stop = CancellationToken::new();
        let task = tokio::spawn(send_all(exporter, spans, stop.clone()));
        Ok(Self { tracer: provider.tracer("topup"), stop, task })
    }

    /// Turns the spans of [`crate::traces`] into spans that are sent.
    #[must_use]
    pub fn layer<S: Subscriber + for<'s> LookupSpan<'s>>(&self) -> OpenTelemetryLayer<S, SdkTracer> {
        tracing_opentelemetry::layer()
            .with_tracer(self.tracer.clone())
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
    }

    /// Sends what waits, for a few seconds at most.
    pub async fn stop(self) {
        self.stop.cancel();
        if tokio::time::timeout(LAST_TIMEOUT, self.task).await.is_err() {
            tracing::warn!("the last spans were not sent");
        }
    }
}

fn exporter(
    url: Url,
    client: reqwest::Client,
    headers: HashMap<String, String>,
    resource: &Resource,
) -> Result<OtlpExporter, ExporterBuildError> {
    let mut exporter = OtlpExporter::builder()
        .with_http()
        .with_http_client(House(client))
        .with_endpoint(url)
        .with_protocol(Protocol::HttpBinary)
        .with_headers(headers)
        .with_timeout(EXPORT_TIMEOUT)
        // It would block its thread between two tries.
        .with_retry_policy(RetryPolicy::disabled())
        .build()?;
    exporter.set_resource(resource);
    Ok(exporter)
}

fn sampler(sampling: Sampling) -> Sampler {
    let own = Sampler::TraceIdRatioBased(sampling.share);
    if sampling.follows_caller { Sampler::ParentBased(Box::new(own)) } else { own }
}

/// The spans that wait.
#[derive(Debug)]
struct Queue(mpsc::Sender<SpanData>);

impl SpanProcessor for Queue {
    fn on_start(&self, _: &mut opentelemetry_sdk::trace::Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() && self.0.try_send(span).is_err() {
            measure::spans(SpanOutcome::Dropped, 1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Sends batches until it is told to stop, and then the rest.
async fn send_all(exporter: OtlpExporter, mut spans: mpsc::Receiver<SpanData>, stop: CancellationToken) {
    let mut batch = Vec::new();
    while !stop.is_cancelled() {
        tokio::select! {
            count = spans.recv_many(&mut batch, BATCH) => if count == 0 { return },
            () = stop.cancelled() => break,
        }
        let full = gather(&mut spans, &mut batch);
        tokio::select! {
            () = full => {}
            () = stop.cancelled() => {}
        }
        send(&exporter, std::mem::take(&mut batch), &stop).await;
    }
    while let Ok(span) = spans.try_recv() {
        batch.push(span);
        if batch.len() == BATCH {
            send(&exporter, std::mem::take(&mut batch), &stop).await;
        }
    }
    send(&exporter, batch, &stop).await;
}

/// Waits a moment for more, so that a request carries many.
async fn gather(spans: &mut mpsc::Receiver<SpanData>, batch: &mut Vec<SpanData>) {
    let until = tokio::time::Instant::now().checked_add(GATHER);
    let Some(until) = until else { return };
    while batch.len() < BATCH {
        let room = BATCH.saturating_sub(batch.len());
        match tokio::time::timeout_at(until, spans.recv_many(batch, room)).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

async fn send(exporter: &OtlpExporter, batch: Vec<SpanData>, stop: &CancellationToken) {
    let count = u64::try_from(batch.len()).unwrap_or_default();
    if count == 0 {
        return;
    }
    for pause in PAUSES.into_iter().map(Some).chain([None]) {
        let Err(error) = exporter.export(batch.clone()).await else {
            measure::spans(SpanOutcome::Sent, count);
            return;
        };
        let pause = pause.filter(|_| !stop.is_cancelled());
        tracing::debug!(%error, "spans were not sent");
        let Some(pause) = pause else { break };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => {}
        }
    }
    measure::spans(SpanOutcome::Failed, count);
    tracing::warn!(count, "spans of traces could not be sent; is OTEL_EXPORTER_OTLP_ENDPOINT right?");
}

/// The HTTP client with the trust roots of this process.
#[derive(Debug)]
struct House(reqwest::Client);

#[async_trait]
impl HttpClient for House {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let call = self.0.request(parts.method, parts.uri.to_string()).headers(parts.headers).body(body);
        let answer = call.send().await.map_err(reqwest::Error::without_url)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = outgoing::bounded_body(answer, MAX_ANSWER_BYTES).await?;
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}
