//! Delivers webhooks. Each attempt is signed anew and retried with growing pauses until the answer is 2xx.
//!
//! Invariants: deliveries to one endpoint never wait for another endpoint, and run concurrently up to a limit; a
//! redirect counts as a failure and is not followed; an attempt that a shutdown interrupts is repeated after the next
//! start.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinSet, time::Instant};
use url::Url;

use crate::{
    clock,
    engine::{Attempt, Core, Engine},
    model::{
        event::{AttemptResult, Delivery},
        version::DEFAULT_API_VERSION,
    },
    signature,
};

/// Concurrent deliveries per endpoint. An endpoint that never answers uses up only its own limit.
const MAX_CONCURRENT: usize = 32;
/// How long an attempt waits for an answer: as long as the Stripe CLI's forwarder.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
const STOP_GRACE: Duration = Duration::from_secs(2);
const BODY_PREFIX: usize = 2_000;
/// How long to sleep when no delivery is scheduled; a change wakes the loop earlier.
const IDLE_MS: i64 = 60_000;

/// One webhook ready to be sent.
struct Outgoing {
    number: u64,
    event: String,
    kind: String,
    endpoint: String,
    url: String,
    secret: String,
    body: String,
    attempt: u32,
    version: u64,
}

/// Delivers until the sandbox stops. Also ticks the model when a session is due to expire.
pub(crate) async fn run(engine: Arc<Engine>) {
    let mut stopping = engine.stopping.subscribe();
    let mut attempts = JoinSet::new();
    loop {
        engine.read(DEFAULT_API_VERSION, |_, _| ());
        let (now_ms, due) = engine.with(|core| {
            let now_ms = core.now_ms();
            (now_ms, core.take_due(now_ms))
        });
        for outgoing in due.outgoing {
            attempts.spawn(attempt(Arc::clone(&engine), outgoing));
        }
        if due.changed {
            engine.changed();
        }
        let pause = u64::try_from(due.next_ms.saturating_sub(now_ms).max(1)).unwrap_or(1);
        let wake_at = Instant::now() + Duration::from_millis(pause);
        tokio::select! {
            () = engine.wake.notified() => {}
            Some(_) = attempts.join_next() => {}
            () = tokio::time::sleep_until(wake_at) => {}
            _ = stopping.wait_for(|stopping| *stopping) => break,
        }
    }
    let rest = async { while attempts.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_GRACE, rest).await.is_err() {
        tracing::debug!("webhooks are still waiting for answers; they are sent again after the next start");
    }
}

/// The work that is due at one point in time.
struct Due {
    outgoing: Vec<Outgoing>,
    /// When to look again.
    next_ms: i64,
    /// A delivery was dropped or duplicated, so the state changed.
    changed: bool,
}

impl Core {
    /// Marks the due deliveries as running and returns them.
    fn take_due(&mut self, now_ms: i64) -> Due {
        let (ready, next_ms) = self.ready(now_ms);
        let mut due = Due { outgoing: Vec::new(), next_ms, changed: false };
        // The shuffled order holds only if each delivery has arrived before the next is sent.
        let room = if self.mode.shuffle { 1 } else { MAX_CONCURRENT };
        for number in ready {
            let endpoint = self.state.deliveries.get(&number).map(|delivery| delivery.endpoint.as_str());
            if endpoint.is_some_and(|endpoint| self.receivers.running(endpoint) >= room) {
                continue;
            }
            if self.is_dropped(number, now_ms) {
                due.changed = true;
                continue;
            }
            due.changed |= self.is_doubled(number);
            if let Some(outgoing) = self.outgoing(number) {
                self.running.insert(number);
                self.receivers.began(&outgoing.endpoint, number, now_ms);
                due.outgoing.push(outgoing);
            }
        }
        if due.changed {
            self.version = self.version.saturating_add(1);
            due.next_ms = now_ms;
        }
        due
    }

    /// The numbers of the deliveries that may be sent now, in order, and the next time at which one is due.
    fn ready(&self, now_ms: i64) -> (Vec<u64>, i64) {
        let mut next_ms = now_ms.saturating_add(IDLE_MS);
        if let Some(due_ms) = self.state.next_due_ms() {
            next_ms = next_ms.min(due_ms);
        }
        let mut ready = Vec::new();
        for (number, delivery) in self.state.deliveries.iter() {
            if self.running.contains(number) || !self.is_sendable(delivery) {
                continue;
            }
            if delivery.due_ms > now_ms {
                next_ms = next_ms.min(delivery.due_ms);
                continue;
            }
            ready.push(*number);
        }
        if self.mode.shuffle {
            ready.sort_by_key(|number| self.ids.rank(*number));
        }
        (ready, next_ms)
    }

    /// Whether the delivery waits for nothing but time. Retries to a disabled endpoint pause until it is enabled again.
    fn is_sendable(&self, delivery: &Delivery) -> bool {
        let endpoint = self.state.endpoints.get(&delivery.endpoint);
        endpoint.is_some_and(|endpoint| !endpoint.disabled)
            && self
                .state
                .events
                .get(&delivery.event)
                .is_some_and(|event| delivery.forced || !self.mode.holds(&event.kind))
    }

    /// Whether a delivery that the mode holds back is in flight.
    pub(crate) fn is_sending_held(&self) -> bool {
        let sent = self.running.iter().filter_map(|number| self.state.deliveries.get(number));
        sent.filter(|delivery| !delivery.forced)
            .filter_map(|delivery| self.state.events.get(&delivery.event))
            .any(|event| self.mode.holds(&event.kind))
    }

    fn outgoing(&self, number: u64) -> Option<Outgoing> {
        let delivery = self.state.deliveries.get(&number)?;
        let (event, endpoint) =
            (self.state.events.get(&delivery.event)?, self.state.endpoints.get(&delivery.endpoint)?);
        let api_version =
            delivery.api_version.as_deref().or(self.mode.api_version.as_deref()).or(endpoint.api_version.as_deref());
        Some(Outgoing {
            number,
            event: event.id.clone(),
            kind: event.kind.clone(),
            endpoint: endpoint.id.clone(),
            url: endpoint.url.clone(),
            secret: endpoint.secret.clone(),
            body: if endpoint.thin { event.thin_body() } else { event.body(api_version) },
            attempt: delivery.attempts.saturating_add(1),
            version: self.version,
        })
    }

    /// Drops a first delivery if the mode says so.
    fn is_dropped(&mut self, number: u64, now_ms: i64) -> bool {
        let Some(outgoing) = self.first_sending(number) else {
            return false;
        };
        if !self.mode.takes_for_dropping(&outgoing.kind) {
            return false;
        }
        self.state.deliveries.remove(&number);
        self.record_attempt(Attempt {
            event: outgoing.event,
            r#type: outgoing.kind,
            endpoint: outgoing.endpoint,
            url: outgoing.url,
            number: outgoing.attempt,
            at_ms: now_ms,
            status: None,
            error: Some("dropped on request".to_owned()),
            body: String::new(),
        });
        true
    }

    /// Duplicates a first delivery if the mode says so.
    fn is_doubled(&mut self, number: u64) -> bool {
        if !self.mode.duplicate || self.first_sending(number).is_none() {
            return false;
        }
        let Some(delivery) = self.state.deliveries.get(&number).cloned() else {
            return false;
        };
        self.state.add_delivery(Delivery { manual: true, ..delivery });
        true
    }

    /// The delivery, if it is automatic and was not attempted yet.
    fn first_sending(&self, number: u64) -> Option<Outgoing> {
        let delivery = self.state.deliveries.get(&number)?;
        if delivery.manual || delivery.attempts > 0 {
            return None;
        }
        self.outgoing(number)
    }

    /// Whether a delivery is in flight or due.
    pub(crate) fn is_delivering(&self) -> bool {
        !self.running.is_empty() || self.backlog(self.now_ms()).0 > 0
    }

    /// The number of due deliveries, and of those that wait for a later time or are held.
    pub(crate) fn backlog(&self, now_ms: i64) -> (usize, usize) {
        let is_due = |number: &u64, delivery: &Delivery| {
            self.running.contains(number) || (delivery.due_ms <= now_ms && self.is_sendable(delivery))
        };
        let due = self.state.deliveries.iter().filter(|(number, delivery)| is_due(number, delivery)).count();
        (due, self.state.deliveries.len().saturating_sub(due))
    }
}

async fn attempt(engine: Arc<Engine>, outgoing: Outgoing) {
    engine.saved(outgoing.version).await;
    // Receivers refuse old and future signatures, so sign with the machine's time, not the sandbox's clock.
    let signed_at = clock::now_ms().div_euclid(1_000);
    let began_ms = engine.now_ms();
    let sent = tokio::time::timeout(ANSWER_TIMEOUT, send(&outgoing, signed_at))
        .await
        .unwrap_or_else(|_| Err("no answer within 30 seconds".to_owned()));
    let result = match &sent {
        Ok((200..=299, _)) => AttemptResult::Delivered,
        Ok(_) => AttemptResult::Refused,
        Err(_) => AttemptResult::Unreachable,
    };
    let (status, body, error) = match sent {
        Ok((status, body)) => (Some(status), body, None),
        Err(error) => (None, String::new(), Some(error)),
    };
    tracing::debug!(event = outgoing.event, kind = outgoing.kind, url = outgoing.url, status, error, "webhook");
    let retry = engine.retry;
    let failure = error.clone().or_else(|| status.map(|status| format!("status {status}"))).unwrap_or_default();
    engine.with(|core| {
        core.running.remove(&outgoing.number);
        core.version = core.version.saturating_add(1);
        let finished_ms = core.now_ms();
        core.receivers.ended(&outgoing.endpoint, outgoing.number, result, finished_ms, failure);
        if core.receivers.is_on_standby(&outgoing.endpoint) {
            core.state.withdraw(outgoing.number);
            return;
        }
        core.record_attempt(Attempt {
            event: outgoing.event.clone(),
            r#type: outgoing.kind.clone(),
            endpoint: outgoing.endpoint.clone(),
            url: outgoing.url.clone(),
            number: outgoing.attempt,
            at_ms: began_ms,
            status,
            error,
            body,
        });
        let pause = |failed| retry.pause_ms(failed);
        core.state.attempted(outgoing.number, result, finished_ms, pause, retry.attempts);
    });
    engine.changed();
}

/// Posts one webhook. Returns the status and the start of the response body.
async fn send(outgoing: &Outgoing, time_seconds: i64) -> Result<(u16, String), String> {
    let url = Url::parse(&outgoing.url).map_err(|error| error.to_string())?;
    let host = url.host_str().ok_or("the URL has no host")?;
    let port = url.port_or_known_default().unwrap_or(80);
    // Strip the brackets of an IPv6 URL.
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((name, port)).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    let connection = tokio::spawn(connection);
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let signature = signature::sign(&outgoing.secret, time_seconds, outgoing.body.as_bytes());
    let request = Request::post(path)
        .header(header::HOST, format!("{host}:{port}"))
        .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
        .header(header::USER_AGENT, "Stripe/1.0 (+https://stripe.com/docs/webhooks)")
        .header(header::ACCEPT, "*/*; q=0.5, application/xml")
        .header(header::CACHE_CONTROL, "no-cache")
        .header(header::CONNECTION, "close")
        .header("stripe-signature", signature)
        .body(Full::new(Bytes::from(outgoing.body.clone())))
        .map_err(|error| error.to_string())?;
    let answer = sender.send_request(request).await;
    let result = match answer {
        Ok(answer) => {
            let status = answer.status().as_u16();
            Ok((status, prefix(answer.into_body()).await))
        }
        Err(error) => Err(error.to_string()),
    };
    connection.abort();
    result
}

/// Reads the start of a response body; the rest is ignored.
async fn prefix(mut body: hyper::body::Incoming) -> String {
    let mut read = Vec::new();
    while read.len() < BODY_PREFIX
        && let Some(Ok(frame)) = body.frame().await
    {
        if let Some(data) = frame.data_ref() {
            read.extend_from_slice(data);
        }
    }
    read.truncate(BODY_PREFIX);
    String::from_utf8_lossy(&read).into_owned()
}
