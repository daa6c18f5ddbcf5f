//! What the service measures of itself, for Prometheus. Without a recorder nothing is counted, and a measurement costs
//! one read of memory.
//!
//! Invariant: the number of time series is bounded. Texts of strangers are no labels; what is not expected is `other`.

use std::sync::OnceLock;
use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// The recorder of this process, if it has one.
static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// The upper bounds of durations, in seconds.
const DURATIONS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// The upper bounds of what lies between a payment and its credits, in seconds. A provider repeats for three days.
const DELAYS: [f64; 10] = [0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 3_600.0, 21_600.0, 86_400.0];

const CREDIT_DELAY: &str = "topup_credit_delay_seconds";
const DATABASE: &str = "topup_database_duration_seconds";
const DELIVERIES: &str = "topup_webhook_deliveries_total";
const MESSAGES: &str = "topup_message_attempts_total";
const PROVIDER: &str = "topup_provider_call_duration_seconds";
const REQUEST_DURATION: &str = "topup_http_request_duration_seconds";
const REQUESTS: &str = "topup_http_requests_total";
const SPANS: &str = "topup_trace_spans_total";
const UNREADABLE_MESSAGES: &str = "topup_messages_unreadable_total";

/// Counters and histograms, each with what it says.
const COUNTED: [(&str, &str); 18] = [
    (REQUESTS, "Answered HTTP requests, by route, method and status."),
    (DELIVERIES, "Signed deliveries from the provider, by type of event and outcome."),
    (MESSAGES, "Attempts to deliver a message to one of the product's endpoints, by outcome."),
    (SPANS, "Spans of traces: sent, dropped because too many waited, or failed to be sent."),
    (UNREADABLE_MESSAGES, "Messages that could not be made and were left out."),
    ("topup_credits_sold_total", "Credits that payments brought, without bonuses."),
    ("topup_credits_spent_total", "Credits that were spent."),
    ("topup_credits_held_total", "Credits that holds reserved."),
    ("topup_credits_expired_total", "Credits whose time ended, or that an operator ended early."),
    ("topup_credits_taken_back_total", "Credits that refunds and disputes took back."),
    ("topup_commits_total", "Groups of writes that were committed or attempted."),
    ("topup_commit_failures_total", "Groups that failed; their writes were then tried one by one."),
    ("topup_writes_total", "Writes that came in groups."),
    ("topup_writes_in_bulk_total", "Writes of groups that one statement decided for all."),
    ("topup_writes_alone_total", "Writes of groups that had to be done one by one."),
    ("topup_writes_refused_total", "Writes that were refused because too many waited."),
    (REQUEST_DURATION, "Seconds until an HTTP request was answered, by route and method."),
    (DATABASE, "Seconds of the database, with the wait for a connection: read, write, or bulk (groups)."),
];

/// Further histograms.
const TIMED: [(&str, &str); 2] = [
    (CREDIT_DELAY, "Seconds from the provider's event of a payment to its credits."),
    (PROVIDER, "Seconds of a call to the payment provider, by operation and outcome."),
];

/// What is sampled when somebody asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gauge {
    /// Writes that wait for a commit.
    WriteQueue,
    /// The largest group of writes so far.
    LargestGroup,
    /// Open connections to the database.
    ConnectionsOpen,
    /// Those of them that nothing uses.
    ConnectionsIdle,
    /// Whether the database answered the questions of this sample.
    DatabaseUp,
    /// Failed deliveries that are open and may still succeed.
    FailuresTransient,
    /// Failed deliveries that an operator has to look at.
    FailuresPermanent,
    /// Seconds since the latest comparison with the provider's books ended.
    ReconciliationAge,
    /// What that comparison left over.
    ReconciliationDifferences,
    /// Messages that active endpoints have not got yet.
    MessagesWaiting,
    /// Seconds since the oldest of them was written.
    OldestMessageAge,
}

impl Gauge {
    /// All gauges.
    pub const ALL: [Self; 11] = [
        Self::WriteQueue,
        Self::LargestGroup,
        Self::ConnectionsOpen,
        Self::ConnectionsIdle,
        Self::DatabaseUp,
        Self::FailuresTransient,
        Self::FailuresPermanent,
        Self::ReconciliationAge,
        Self::ReconciliationDifferences,
        Self::MessagesWaiting,
        Self::OldestMessageAge,
    ];

    const fn name_and_text(self) -> (&'static str, &'static str) {
        match self {
            Self::WriteQueue => ("topup_write_queue_length", "Writes that wait for a commit."),
            Self::LargestGroup => ("topup_commit_group_size_max", "The most writes that shared a commit so far."),
            Self::ConnectionsOpen => ("topup_database_connections", "Open connections to the database."),
            Self::ConnectionsIdle => ("topup_database_connections_idle", "Connections that nothing uses."),
            Self::DatabaseUp => ("topup_database_up", "1 if the database answered the questions of this sample."),
            Self::FailuresTransient => {
                ("topup_failed_deliveries_transient", "Failed deliveries that are open and may succeed when repeated.")
            }
            Self::FailuresPermanent => {
                ("topup_failed_deliveries_permanent", "Failed deliveries that an operator has to look at.")
            }
            Self::ReconciliationAge => (
                "topup_reconciliation_age_seconds",
                "Seconds since the latest comparison with the provider's books ended.",
            ),
            Self::ReconciliationDifferences => {
                ("topup_reconciliation_differences", "Differences that the latest comparison left over.")
            }
            Self::MessagesWaiting => {
                ("topup_messages_waiting", "Messages that active endpoints have not got yet, counted for each of them.")
            }
            Self::OldestMessageAge => (
                "topup_messages_oldest_seconds",
                "Seconds since the oldest message was written that an active endpoint has not got yet; 0 without one.",
            ),
        }
    }
}

/// Where credits went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// A payment brought them.
    Sold,
    /// They were spent.
    Spent,
    /// A hold reserved them.
    Held,
    /// Their time ended.
    Expired,
    /// A refund or dispute took them.
    TakenBack,
}

/// What came of an attempt to deliver a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageOutcome {
    /// The receiver has it.
    Delivered,
    /// It is tried again later.
    Postponed,
    /// It is not tried any more.
    GivenUp,
}

impl MessageOutcome {
    const ALL: [Self; 3] = [Self::Delivered, Self::Postponed, Self::GivenUp];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Postponed => "postponed",
            Self::GivenUp => "given_up",
        }
    }
}

/// What came of the spans of traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanOutcome {
    /// The collector has them.
    Sent,
    /// Too many waited.
    Dropped,
    /// They could not be sent.
    Failed,
}

impl SpanOutcome {
    const ALL: [Self; 3] = [Self::Sent, Self::Dropped, Self::Failed];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Dropped => "dropped",
            Self::Failed => "failed",
        }
    }
}

/// Totals of commits since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitTotals {
    /// Groups.
    pub groups: u64,
    /// Groups that failed.
    pub failed: u64,
    /// Writes in groups.
    pub writes: u64,
    /// Writes that one statement decided for all.
    pub in_bulk: u64,
    /// Writes done one by one.
    pub alone: u64,
    /// Refused writes.
    pub refused: u64,
}

/// Begins to measure in this process. Doing it twice is doing it once.
///
/// # Errors
/// When the recorder cannot be built.
pub fn install() -> Result<(), BuildError> {
    if RECORDER.get().is_some() {
        return Ok(());
    }
    let delays = Matcher::Full(CREDIT_DELAY.to_owned());
    let builder = PrometheusBuilder::new().set_buckets(&DURATIONS)?.set_buckets_for_metric(delays, &DELAYS)?;
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    if metrics::set_global_recorder(recorder).is_ok() && RECORDER.set(handle).is_ok() {
        describe();
    }
    Ok(())
}

fn describe() {
    for (name, text) in COUNTED {
        if name.ends_with("_total") { describe_counter!(name, text) } else { describe_histogram!(name, text) }
    }
    for (name, text) in TIMED {
        describe_histogram!(name, text);
    }
    for each in Gauge::ALL {
        let (name, text) = each.name_and_text();
        describe_gauge!(name, text);
    }
    describe_gauge!("topup_build_info", "Always 1; the label names the version.");
    gauge!("topup_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    // Rates need a beginning.
    for flow in [Flow::Sold, Flow::Spent, Flow::Held, Flow::Expired, Flow::TakenBack] {
        credits(flow, 0);
    }
    for outcome in MessageOutcome::ALL {
        counter!(MESSAGES, "outcome" => outcome.as_str()).increment(0);
    }
    for outcome in SpanOutcome::ALL {
        spans(outcome, 0);
    }
    counter!(UNREADABLE_MESSAGES).increment(0);
}

/// Whether anything is measured.
#[must_use]
pub fn is_on() -> bool {
    RECORDER.get().is_some()
}

/// Everything measured, in Prometheus's text format; empty if nothing is.
#[must_use]
pub fn rendered() -> String {
    RECORDER.get().map(PrometheusHandle::render).unwrap_or_default()
}

/// Sorts new measurements into their buckets. To be called every few seconds, or they pile up.
pub fn tidy() {
    if let Some(recorder) = RECORDER.get() {
        recorder.run_upkeep();
    }
}

/// Sets what is sampled.
pub fn set(sampled: Gauge, value: u32) {
    gauge!(sampled.name_and_text().0).set(f64::from(value));
}

/// Sets the totals of commits.
pub fn set_commits(totals: CommitTotals) {
    counter!("topup_commits_total").absolute(totals.groups);
    counter!("topup_commit_failures_total").absolute(totals.failed);
    counter!("topup_writes_total").absolute(totals.writes);
    counter!("topup_writes_in_bulk_total").absolute(totals.in_bulk);
    counter!("topup_writes_alone_total").absolute(totals.alone);
    counter!("topup_writes_refused_total").absolute(totals.refused);
}

/// Counts an answered request. The route is its pattern, and `none` if there is none.
pub fn request(route: &str, method: &str, status: u16, duration: Duration) {
    if !is_on() {
        return;
    }
    let method = known_method(method);
    counter!(REQUESTS, "route" => route.to_owned(), "method" => method, "status" => status.to_string()).increment(1);
    histogram!(REQUEST_DURATION, "route" => route.to_owned(), "method" => method).record(duration);
}

/// The name of a method, or `other`: strangers invent some.
#[must_use]
pub fn known_method(method: &str) -> &'static str {
    let all = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    all.into_iter().find(|known| *known == method).unwrap_or("other")
}

/// Counts a delivery whose signature holds. `event_type` is one that the service handles, or `other`.
pub fn delivery(event_type: &'static str, outcome: &'static str) {
    counter!(DELIVERIES, "type" => event_type, "outcome" => outcome).increment(1);
}

/// Measures how long a payment took to become credits.
pub fn credit_delay(delay: Duration) {
    histogram!(CREDIT_DELAY).record(delay);
}

/// Measures the database.
pub fn database(operation: &'static str, duration: Duration) {
    histogram!(DATABASE, "operation" => operation).record(duration);
}

/// Measures a call to the provider.
pub fn provider_call(operation: String, outcome: &'static str, duration: Duration) {
    histogram!(PROVIDER, "operation" => operation, "outcome" => outcome).record(duration);
}

/// Counts an attempt to deliver a message.
pub fn message(outcome: MessageOutcome) {
    counter!(MESSAGES, "outcome" => outcome.as_str()).increment(1);
}

/// Counts spans of traces.
pub fn spans(outcome: SpanOutcome, count: u64) {
    counter!(SPANS, "outcome" => outcome.as_str()).increment(count);
}

/// Counts a message that could not be made.
pub fn unreadable_message() {
    counter!(UNREADABLE_MESSAGES).increment(1);
}

/// Counts credits.
pub fn credits(flow: Flow, credits: i64) {
    let counter = match flow {
        Flow::Sold => counter!("topup_credits_sold_total"),
        Flow::Spent => counter!("topup_credits_spent_total"),
        Flow::Held => counter!("topup_credits_held_total"),
        Flow::Expired => counter!("topup_credits_expired_total"),
        Flow::TakenBack => counter!("topup_credits_taken_back_total"),
    };
    counter.increment(u64::try_from(credits).unwrap_or(0));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_strangers_are_bounded() {
        assert_eq!((known_method("GET"), known_method("PROPFIND")), ("GET", "other"));
    }

    #[test]
    fn each_name_is_described_once_and_follows_the_conventions() {
        let gauges = Gauge::ALL.map(Gauge::name_and_text);
        let all: Vec<_> = COUNTED.iter().chain(&TIMED).chain(&gauges).collect();
        for (name, text) in &all {
            assert!(name.starts_with("topup_") && text.ends_with('.'), "{name}");
            assert_eq!(all.iter().filter(|(other, _)| other == name).count(), 1, "{name}");
        }
        assert!(gauges.iter().all(|(name, _)| !name.ends_with("_total")));
    }
}
