//! Delivers what is queued: a few queues of each endpoint at once, within a queue one delivery after the other.
//!
//! Invariants: an attempt is made only under the queue's lease and ends before it does. The endpoint is read anew with
//! each lease, so that an attempt uses the address and secrets of that moment, and a disabled endpoint gets nothing
//! more. A process that dies loses nothing: the delivery waits, and another attempt is made when the lease has ended.
//! Each endpoint has its own slots, so one that is slow or dead holds up no other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use url::Url;

use crate::app::App;
use crate::db::{StoreError, Tx, Write};
use crate::domain::ids::EndpointId;
use crate::domain::timestamp::rfc3339;
use crate::measure::{self, MessageOutcome};
use crate::messages::event_type::EventType;
use crate::messages::message::{self, NewMessage};
use crate::outbox::endpoints::{self, Endpoint};
use crate::outbox::payload::UNREADABLE;
use crate::outbox::queues::{self, DeliveryState, Head, Record};
use crate::outbox::retries::{DISABLED_AFTER_MS, pause_ms};
use crate::outbox::sender::{Attempt, Courier, Outcome};
use crate::outbox::signing::SigningKey;
use crate::traces;

/// How many requests to one endpoint run at once.
pub const SLOTS: usize = 4;
/// How many deliveries of a queue are made before other queues have their turn.
const IN_A_ROW: u32 = 20;
/// An attempt is not begun later than this after the lease was asked for, so that it ends before the lease.
const LATEST_START: Duration = Duration::from_secs(10);
/// Gone: the receiver wants no more.
const GONE: u16 = 410;

/// Delivers messages.
pub struct Deliverer {
    courier: Box<dyn Courier>,
    slots: usize,
    /// How many slots of each endpoint are in use.
    running: Mutex<HashMap<String, usize>>,
}

/// A slot in use.
struct Slot {
    deliverer: Arc<Deliverer>,
    endpoint: String,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut running = self.deliverer.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = running.get_mut(&self.endpoint) {
            *count = count.saturating_sub(1);
        }
        running.retain(|_, count| *count > 0);
    }
}

/// What a slot works with.
struct Work {
    app: Arc<App>,
    slot: Slot,
    key: SigningKey,
    stop: CancellationToken,
}

impl Deliverer {
    /// Creates a deliverer with so many slots for each endpoint, which is [`SLOTS`] in a service.
    #[must_use]
    pub fn new(courier: Box<dyn Courier>, slots: usize) -> Arc<Self> {
        Arc::new(Self { courier, slots, running: Mutex::default() })
    }

    /// Starts to deliver what is due, in tasks of their own. Does not wait for them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn start_due(
        self: &Arc<Self>,
        app: &Arc<App>,
        stop: &CancellationToken,
    ) -> Result<Vec<JoinHandle<()>>, StoreError> {
        let switch = app.db.outbox_switch().await?;
        let key = switch.key(&app.outbox).filter(|key| switch.key_hash.as_ref() == Some(&key.hash()));
        let (Some(key), mut started) = (key, Vec::new()) else { return Ok(Vec::new()) };
        for endpoint in app.db.endpoints().await?.into_iter().filter(Endpoint::is_active) {
            let limit = i64::try_from(self.slots).unwrap_or(i64::MAX);
            for account in app.db.due_queues(&endpoint.id, app.clock.now_ms(), limit).await? {
                let Some(slot) = self.slot(&endpoint.id) else { break };
                let work = Work { app: app.clone(), slot, key: key.clone(), stop: stop.clone() };
                started.push(app.tasks.spawn(work.deliver(account)));
            }
        }
        Ok(started)
    }

    fn slot(self: &Arc<Self>, endpoint: &str) -> Option<Slot> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let count = running.entry(endpoint.to_owned()).or_default();
        if *count >= self.slots {
            return None;
        }
        *count = count.saturating_add(1);
        Some(Slot { deliverer: self.clone(), endpoint: endpoint.to_owned() })
    }
}

impl Work {
    /// Delivers from one queue after the other while something is due.
    async fn deliver(self, mut account: String) {
        loop {
            let next = match self.deliver_queue(&account).await {
                Ok(has_delivered) => {
                    // One that somebody else works on is not tried again at once.
                    let next = self.next_queue().await;
                    next.map(|next| next.filter(|due| has_delivered || *due != account))
                }
                Err(error) => Err(error),
            };
            match next {
                Ok(Some(due)) if !self.stop.is_cancelled() => account = due,
                Ok(_) => return,
                Err(error) => {
                    let endpoint = self.slot.endpoint.as_str();
                    tracing::warn!(error = error.in_words(), endpoint, "messages cannot be delivered now");
                    return;
                }
            }
        }
    }

    /// A queue of the endpoint that is due, if the endpoint still gets messages.
    async fn next_queue(&self) -> Result<Option<String>, StoreError> {
        let Ok(id) = EndpointId::parse(&self.slot.endpoint) else { return Ok(None) };
        let Some(endpoint) = self.app.db.endpoint(&id).await?.filter(Endpoint::is_active) else { return Ok(None) };
        let due = self.app.db.due_queues(&endpoint.id, self.app.clock.now_ms(), 1).await?;
        Ok(due.into_iter().next())
    }

    /// Delivers from a queue. Returns whether there was anything to do.
    async fn deliver_queue(&self, account: &str) -> Result<bool, StoreError> {
        let (endpoint, holder) = (self.slot.endpoint.as_str(), format!("{:032x}", self.app.ids.id_bits()));
        for number in 0..IN_A_ROW {
            let asked = Instant::now();
            let queue = Queue { endpoint: endpoint.to_owned(), account: account.to_owned(), holder: holder.clone() };
            let is_first = number == 0;
            let write = BeginAttempt { queue: queue.clone(), is_first, now_ms: self.app.clock.now_ms() };
            let Some((endpoint, head)) = self.app.db.write(write).await? else { return Ok(!is_first) };
            if asked.elapsed() > LATEST_START || (self.stop.is_cancelled() && !is_first) {
                self.app.db.write(GiveUp(queue)).await?;
                return Ok(true);
            }
            let outcome = self.attempt(&endpoint, &head).await;
            let is_last = number.saturating_add(1) == IN_A_ROW;
            if !self.record(&endpoint, queue, &head, outcome, is_last).await? {
                break;
            }
        }
        Ok(true)
    }

    async fn attempt(&self, endpoint: &Endpoint, head: &Head) -> Outcome {
        let now_ms = self.app.clock.now_ms();
        let failed = |error: &str| Outcome {
            status: None,
            error: Some(error.to_owned()),
            retry_after_ms: None,
            milliseconds: 0,
        };
        let Ok(url) = Url::parse(&endpoint.url) else { return failed("the address cannot be read") };
        let body = head.payload.clone().filter(|payload| payload != UNREADABLE);
        let Some(body) = body else { return failed("the message has no body") };
        let timestamp_seconds = now_ms.div_euclid(1_000);
        let signatures = signatures(&self.key, endpoint, &head.id, timestamp_seconds, &body, now_ms);
        let attempt = Attempt { url: &url, id: &head.id, timestamp_seconds, signatures, body };
        crate::checkpoints::reach("before an attempt to deliver a message").await;
        let span = traces::delivery(&head.id, &endpoint.id);
        let outcome = self.slot.deliverer.courier.carry(attempt, now_ms).instrument(span.clone()).await;
        traces::called(&span, if outcome.is_success() { "ok" } else { "failed" }, outcome.status);
        crate::checkpoints::reach("after an attempt to deliver a message").await;
        outcome
    }

    /// Records an attempt. Returns whether to go on with the queue.
    async fn record(
        &self,
        endpoint: &Endpoint,
        queue: Queue,
        head: &Head,
        outcome: Outcome,
        is_last: bool,
    ) -> Result<bool, StoreError> {
        let now_ms = self.app.clock.now_ms();
        let failures = if outcome.is_success() { 0 } else { head.failures.saturating_add(1) };
        let is_gone = outcome.status == Some(GONE);
        let pause = pause_ms(failures, outcome.retry_after_ms, self.app.ids.id_bits()).filter(|_| !is_gone);
        let state = match pause {
            _ if outcome.is_success() => DeliveryState::Done,
            Some(_) => DeliveryState::Waiting,
            None => DeliveryState::Failed,
        };
        let next_at_ms = now_ms.saturating_add(pause.unwrap_or_default());
        let goes_on = state != DeliveryState::Waiting && !is_last && !is_gone;
        let (status, error) = (outcome.status, outcome.error.clone());
        let write = EndAttempt {
            queue,
            url: endpoint.url.clone(),
            number: head.number,
            state,
            failures,
            outcome,
            next_at_ms,
            goes_on,
            now_ms,
        };
        let disabled = self.app.db.write(write).await?;
        measure::message(match state {
            DeliveryState::Done => MessageOutcome::Delivered,
            DeliveryState::Waiting => MessageOutcome::Postponed,
            DeliveryState::Failed => MessageOutcome::GivenUp,
        });
        let (endpoint, message) = (endpoint.id.as_str(), head.id.as_str());
        if let Some(reason) = disabled {
            let way_out = "see `topup endpoints list`; once it works, activate it again and resend what it missed";
            tracing::error!(endpoint, reason, way_out, "an endpoint for messages was disabled");
        } else if state == DeliveryState::Failed {
            tracing::warn!(endpoint, message, status, error, "a message was not delivered and is not tried any more");
        } else if failures == 1 {
            tracing::warn!(endpoint, message, status, error, "a message was not delivered and is tried again");
        }
        Ok(goes_on && disabled.is_none())
    }
}

/// The signatures of an attempt, that of the newest secret first.
fn signatures(
    key: &SigningKey,
    endpoint: &Endpoint,
    id: &str,
    timestamp_seconds: i64,
    body: &str,
    now_ms: i64,
) -> String {
    let version = endpoint.secret_version;
    let sign = |version| key.secret(&endpoint.id, version).sign(id, timestamp_seconds, body);
    if version > 1 && now_ms < endpoint.old_secret_until {
        return format!("{} {}", sign(version), sign(version.saturating_sub(1)));
    }
    sign(version)
}

/// A queue, and who has its lease.
#[derive(Clone)]
struct Queue {
    endpoint: String,
    account: String,
    holder: String,
}

impl Queue {
    fn key(&self) -> (&str, &str) {
        (&self.endpoint, &self.account)
    }
}

/// Takes or extends the lease of a queue. Returns the endpoint and its next delivery, if the lease was to be had, there
/// is one, and the endpoint still gets messages.
struct BeginAttempt {
    queue: Queue,
    is_first: bool,
    now_ms: i64,
}

impl Write for BeginAttempt {
    type Output = Option<(Endpoint, Head)>;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Output, StoreError> {
        let (key, holder) = (self.queue.key(), self.queue.holder.as_str());
        let has_lease = if self.is_first {
            queues::take(tx, key, holder, self.now_ms).await?
        } else {
            queues::renew(tx, key, holder).await?
        };
        if !has_lease {
            return Ok(None);
        }
        let endpoint = endpoints::find(tx, &self.queue.endpoint).await?.filter(Endpoint::is_active);
        let next = endpoint.zip(queues::head(tx, key).await?);
        if next.is_none() {
            queues::give_up(tx, key, holder).await?;
        }
        Ok(next)
    }
}

struct GiveUp(Queue);

impl Write for GiveUp {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        queues::give_up(tx, self.0.key(), &self.0.holder).await
    }
}

/// Records an attempt with all that follows from it. Returns why the endpoint was disabled, if it was.
struct EndAttempt {
    queue: Queue,
    url: String,
    number: i64,
    state: DeliveryState,
    failures: i64,
    outcome: Outcome,
    next_at_ms: i64,
    goes_on: bool,
    now_ms: i64,
}

impl Write for EndAttempt {
    type Output = Option<&'static str>;

    async fn run(&self, tx: &mut Tx) -> Result<Option<&'static str>, StoreError> {
        let record = Record {
            endpoint: &self.queue.endpoint,
            account: &self.queue.account,
            number: self.number,
            state: self.state,
            failures: self.failures,
            status: self.outcome.status.map(i64::from),
            error: self.outcome.error.as_deref(),
            milliseconds: self.outcome.milliseconds,
            next_at_ms: self.next_at_ms,
            now_ms: self.now_ms,
        };
        queues::record(tx, &record).await?;
        if !self.goes_on {
            queues::give_up(tx, self.queue.key(), &self.queue.holder).await?;
        }
        if self.outcome.is_success() {
            endpoints::works(tx, &self.queue.endpoint).await?;
            return Ok(None);
        }
        endpoints::fails(tx, &self.queue.endpoint, self.now_ms).await?;
        self.disable(tx).await
    }
}

impl EndAttempt {
    /// Disables an endpoint that is gone, or that has failed for too long, and tells the others.
    async fn disable(&self, tx: &mut Tx) -> Result<Option<&'static str>, StoreError> {
        let reason = if self.outcome.status == Some(GONE) { "gone" } else { "failing" };
        let (endpoint, now_ms) = (self.queue.endpoint.as_str(), self.now_ms);
        let failing_before = now_ms.saturating_sub(DISABLED_AFTER_MS);
        if !endpoints::disable(tx, endpoint, reason, failing_before, now_ms).await? {
            return Ok(None);
        }
        let distinction = format!("{}_{now_ms}", message::digits(endpoint));
        let facts = json!({
            "endpointId": endpoint,
            "url": self.url,
            "reason": reason,
            "disabledAt": rfc3339(now_ms),
        });
        let told = NewMessage {
            event: EventType::EndpointDisabled,
            distinction: &distinction,
            account: "",
            cause: endpoint,
            facts: Some(facts),
            now_ms,
        };
        message::write(tx, &told).await?;
        Ok(Some(reason))
    }
}
