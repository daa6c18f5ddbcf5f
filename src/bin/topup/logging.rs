//! The log on standard error, and the traces that go to a collector.

use std::io::IsTerminal;

use topup::config::LogSettings;
use topup::traces::TARGET;
use topup::traces::settings::TraceSettings;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use super::Failure;

/// What goes on until the process ends.
#[must_use]
pub(crate) struct Tracing {
    #[cfg(feature = "otel")]
    export: Option<topup::traces::export::Export>,
}

impl Tracing {
    /// Sends the last spans.
    #[cfg_attr(not(feature = "otel"), expect(clippy::unused_async, reason = "there is nothing to send"))]
    pub(crate) async fn stop(self) {
        #[cfg(feature = "otel")]
        if let Some(export) = self.export {
            export.stop().await;
        }
    }
}

/// Starts the log alone.
pub(crate) fn start_logging(settings: &LogSettings) -> Result<(), Failure> {
    start(settings, None).map(drop)
}

/// Starts the log, and the traces if there are settings for them.
pub(crate) fn start(settings: &LogSettings, traces: Option<&TraceSettings>) -> Result<Tracing, Failure> {
    // The web server logs requests that are not HTTP as errors, and anyone can send them. Spans of traces are no part
    // of the log.
    let filter = EnvFilter::try_new(format!("actix_http=off,{TARGET}=off,{}", settings.filter))?;
    let log = log(settings.json, std::io::stderr).with_filter(filter);
    let subscriber = tracing_subscriber::registry().with(log);
    #[cfg(feature = "otel")]
    {
        let export = traces.map(topup::traces::export::Export::start).transpose()?;
        let only_spans = tracing_subscriber::filter::Targets::new().with_target(TARGET, tracing::Level::INFO);
        subscriber.with(export.as_ref().map(|export| export.layer().with_filter(only_spans))).init();
        if export.is_some() {
            topup::traces::begin();
        }
        Ok(Tracing { export })
    }
    #[cfg(not(feature = "otel"))]
    {
        _ = traces;
        subscriber.init();
        Ok(Tracing {})
    }
}

fn log<S, W>(is_json: bool, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'s> LookupSpan<'s>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let layer = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(std::io::stderr().is_terminal());
    if is_json {
        layer.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
    } else {
        layer.with_target(false).boxed()
    }
}
