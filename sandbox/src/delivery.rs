//! Sends webhooks: signed anew for each attempt, again with growing pauses until the answer is 2xx.
//!
//! What always holds: deliveries do not wait for each other (up to a bound); redirects are failures and are not
//! followed; an attempt that a stop cuts off is made again after the next start.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinSet, time::Instant};
use url::Url;

use crate::{
    DEFAULT_API_VERSION, clock,
    engine::{Attempt, Core, Engine},
    model::event::AttemptResult,
    signature,
};

const MAX_CONCURRENT: usize = 32;
/// Stripe's command line forwarder waits this long for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
const STOP_GRACE: Duration = Duration::from_secs(2);
const BODY_PREFIX: usize = 2_000;
/// How long to sleep when nothing is planned; a change wakes earlier.
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

/// Delivers until the sandbox stops. It also wakes the model when a session is due to expire.
pub(crate) async fn run(engine: Arc<Engine>) {
    let mut stopping = engine.stopping.subscribe();
    let mut attempts = JoinSet::new();
    loop {
        engine.read(DEFAULT_API_VERSION, |_, _| ());
        let now = clock::now_ms();
        let (due, next_ms) = engine.with(|core| core.take_due(now));
        for outgoing in due {
            attempts.spawn(attempt(Arc::clone(&engine), outgoing));
        }
        let pause = u64::try_from(next_ms.saturating_sub(now).max(1)).unwrap_or(1);
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

impl Core {
    /// Marks what is due as running and gives it, with the time when to look again.
    fn take_due(&mut self, now_ms: i64) -> (Vec<Outgoing>, i64) {
        let mut next_ms = now_ms.saturating_add(IDLE_MS);
        if let Some(expiry) = self.state.next_due_ms() {
            next_ms = next_ms.min(expiry);
        }
        if self.paused {
            return (Vec::new(), next_ms);
        }
        let mut due = Vec::new();
        for (number, delivery) in &self.state.deliveries {
            if self.running.contains(number) {
                continue;
            }
            if delivery.due_ms > now_ms {
                next_ms = next_ms.min(delivery.due_ms);
                continue;
            }
            if self.running.len() >= MAX_CONCURRENT {
                break;
            }
            let found = (self.state.events.get(&delivery.event), self.state.endpoints.get(&delivery.endpoint));
            let (Some(event), Some(endpoint)) = found else {
                continue;
            };
            // Retries of a disabled endpoint stop, and go on when it is enabled again.
            if endpoint.disabled {
                continue;
            }
            self.running.insert(*number);
            due.push(Outgoing {
                number: *number,
                event: event.id.clone(),
                kind: event.kind.clone(),
                endpoint: endpoint.id.clone(),
                url: endpoint.url.clone(),
                secret: endpoint.secret.clone(),
                body: event.body(endpoint.api_version.as_deref()),
                attempt: delivery.attempts.saturating_add(1),
                version: self.version,
            });
        }
        (due, next_ms)
    }

    /// How many deliveries are due, and how many wait for a later time.
    pub(crate) fn backlog(&self, now_ms: i64) -> (usize, usize) {
        let mut due = 0_usize;
        for (number, delivery) in &self.state.deliveries {
            let endpoint = self.state.endpoints.get(&delivery.endpoint);
            let deliverable = endpoint.is_some_and(|endpoint| !endpoint.disabled);
            let is_due = delivery.due_ms <= now_ms && deliverable;
            if is_due || self.running.contains(number) {
                due = due.saturating_add(1);
            }
        }
        (due, self.state.deliveries.len().saturating_sub(due))
    }
}

async fn attempt(engine: Arc<Engine>, outgoing: Outgoing) {
    engine.saved(outgoing.version).await;
    let now_ms = clock::now_ms();
    let sent = tokio::time::timeout(ANSWER_TIMEOUT, send(&outgoing, now_ms.div_euclid(1_000)))
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
    engine.with(|core| {
        core.running.remove(&outgoing.number);
        core.record_attempt(Attempt {
            event: outgoing.event.clone(),
            r#type: outgoing.kind.clone(),
            endpoint: outgoing.endpoint.clone(),
            url: outgoing.url.clone(),
            number: outgoing.attempt,
            at_ms: now_ms,
            status,
            error,
            body,
        });
        let pause = |failed| retry.pause_ms(failed);
        let finished_ms = clock::now_ms();
        core.state.attempted(outgoing.number, result, finished_ms, pause, retry.attempts);
        core.version = core.version.saturating_add(1);
    });
    engine.changed();
}

/// Posts one webhook; gives the status and the beginning of the answer.
async fn send(outgoing: &Outgoing, time_seconds: i64) -> Result<(u16, String), String> {
    let url = Url::parse(&outgoing.url).map_err(|error| error.to_string())?;
    let host = url.host_str().ok_or("the URL has no host")?;
    let port = url.port_or_known_default().unwrap_or(80);
    // Brackets belong to the URL, not to the address.
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

/// The beginning of an answer; what a receiver says beyond that is of no interest.
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
