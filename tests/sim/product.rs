//! The product's own server, which is told of events: it is down, answers 500, or takes a message and loses the answer.
//! The job that tells it runs at times, and the process dies in the middle of telling and delivering.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use topup::db::{Statement, StoreError, Tx, Write, args};
use topup::domain::ids::EndpointId;
use topup::outbox::change_endpoint::{Context, EndpointChange, EndpointError, change, create};
use topup::outbox::deliveries::Delivery;
use topup::outbox::fan_out::fan_out;
use topup::outbox::queues::DeliveryState;
use topup::outbox::resend::{Which, resend_period};
use topup::outbox::sender::{Attempt, Courier, Outcome};
use topup::ports::Clock;

use super::process::{Answer, Ended, Fate, Process};
use super::rng::Rng;
use super::world::World;

/// After so many failures a message is taken, so that none is given up.
const MOST_FAILURES: u32 = 5;
/// After so long a receiver works again, so that it is not disabled.
const LONGEST_FAILING_MS: i64 = 86_400_000;
/// The longest pause between two attempts, and more.
const LONGEST_PAUSE_MS: i64 = 27 * 3_600_000;
/// More rounds than all messages of a run need.
const MOST_ROUNDS: u32 = 200;
/// More messages than a run has.
const MOST_MESSAGES: i64 = 100_000;

/// What the receiver does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Well,
    Down,
    Fails,
    /// It takes the message, and its answer is lost.
    LosesAnswers,
}

#[derive(Debug)]
struct Receiver {
    mode: Mode,
    failing_since_ms: Option<i64>,
    failures: BTreeMap<String, u32>,
    /// The ids of messages in the order in which they came first.
    taken: Vec<String>,
}

/// The receiver as the process reaches it. It outlives the process.
#[derive(Debug, Clone)]
pub struct Line(Arc<Mutex<Receiver>>);

impl Line {
    fn receiver(&self) -> MutexGuard<'_, Receiver> {
        self.0.lock().expect("nobody panicked")
    }
}

impl Receiver {
    fn take(&mut self, id: &str, now_ms: i64) -> Outcome {
        let failures = self.failures.entry(id.to_owned()).or_default();
        let recovers = self.failing_since_ms.is_some_and(|since_ms| now_ms - since_ms > LONGEST_FAILING_MS);
        let mode = if recovers || *failures >= MOST_FAILURES { Mode::Well } else { self.mode };
        if matches!(mode, Mode::Well | Mode::LosesAnswers) && !self.taken.iter().any(|taken| taken == id) {
            self.taken.push(id.to_owned());
        }
        let outcome = |status, error: Option<&str>| Outcome {
            status,
            error: error.map(str::to_owned),
            retry_after_ms: None,
            milliseconds: 0,
        };
        if mode == Mode::Well {
            self.failing_since_ms = None;
            return outcome(Some(200), None);
        }
        *failures += 1;
        self.failing_since_ms = self.failing_since_ms.or(Some(now_ms));
        match mode {
            Mode::Fails => outcome(Some(500), Some("the answer has the status 500")),
            _ => outcome(None, Some("no answer in time")),
        }
    }
}

impl Courier for Line {
    fn carry<'a>(&'a self, attempt: Attempt<'a>, now_ms: i64) -> BoxFuture<'a, Outcome> {
        async move { self.receiver().take(attempt.id, now_ms) }.boxed()
    }
}

/// The product's server.
pub struct Product {
    /// Choices of its own, so that the other choices of a seed stay what they were.
    rng: Rng,
    line: Line,
    endpoint: EndpointId,
}

static END_LEASES: Statement = Statement::new("UPDATE delivery_queues SET lease_until = 0 WHERE lease_until >= :least");

/// The leases of a dead process end by the database's own clock, which stands still here.
struct EndLeases;

impl Write for EndLeases {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        tx.execute(&END_LEASES, &args![least = 0_i64]).await.map(drop)
    }
}

impl Product {
    /// A product with an endpoint for everything.
    pub fn new(process: &Process, seed: u64) -> Self {
        let app = process.app();
        let new =
            EndpointChange { url: Some("https://product.example.com/hook".to_owned()), ..EndpointChange::default() };
        let made = process.block_on(async { create(Context::of(&app), new).await }).expect("is made");
        let endpoint = EndpointId::parse(&made.endpoint.id).expect("an id");
        let receiver =
            Receiver { mode: Mode::Well, failing_since_ms: None, failures: BTreeMap::new(), taken: Vec::new() };
        Self { rng: Rng::new(seed ^ 0x07b0), line: Line(Arc::new(Mutex::new(receiver))), endpoint }
    }
}

impl World {
    /// Tells the product what is new, now and then.
    pub(super) fn tell(&mut self) -> Result<(), String> {
        let rng = &mut self.product.rng;
        if self.waiting.is_some() || !rng.percent(30) {
            return Ok(());
        }
        let modes = [Mode::Well, Mode::Well, Mode::Well, Mode::Down, Mode::Fails, Mode::LosesAnswers];
        let mode = *rng.pick(&modes);
        let dies = if rng.percent(25) { u32::try_from(rng.below(40)).ok() } else { None };
        self.tell_with(mode, dies.map_or(Fate::Nothing, Fate::DieAt))
    }

    fn tell_with(&mut self, mode: Mode, fate: Fate) -> Result<(), String> {
        self.product.line.receiver().mode = mode;
        match self.process.tell(&self.product.line, fate) {
            Ended::Answered(Answer { status: 200, .. }) => self.count("told"),
            Ended::Answered(Answer { body, .. }) if !self.process.has_bad_disk() => {
                return Err(format!("the product cannot be told although the database works: {body}"));
            }
            Ended::Answered(_) => {}
            Ended::Died { .. } => {
                self.count("told_and_died");
                if !self.process.has_bad_disk() {
                    let app = self.process.app();
                    self.process.block_on(app.db.write(EndLeases)).map_err(|error| error.to_string())?;
                }
            }
            Ended::Suspended => return Err("telling is never suspended".to_owned()),
        }
        Ok(())
    }

    /// Without further faults, everything is delivered: what the books have, in the order of each account, and nothing
    /// else.
    pub(super) fn finish_telling(&mut self) -> Result<(), String> {
        let app = self.process.app();
        self.process.block_on(app.db.write(EndLeases)).map_err(|error| error.to_string())?;
        self.activate()?;
        for _ in 0..MOST_ROUNDS {
            self.clock.advance_ms(LONGEST_PAUSE_MS);
            self.tell_with(Mode::Well, Fate::Nothing)?;
            if self.deliveries(Some(DeliveryState::Waiting))?.is_empty() {
                return self.compare_with_the_product();
            }
        }
        Err(format!("there are always messages that wait: {:?}", self.deliveries(Some(DeliveryState::Waiting))?))
    }

    /// A process that dies before it can record a success may disable an endpoint that works. A person activates it
    /// again, and sends what it missed.
    fn activate(&mut self) -> Result<(), String> {
        let (app, endpoint) = (self.process.app(), self.product.endpoint.clone());
        let now_ms = self.clock.now_ms();
        let activated = self.process.block_on(async {
            let stored = app.db.endpoint(&endpoint).await?.filter(|endpoint| !endpoint.is_active());
            if stored.is_some() {
                let active = EndpointChange { is_active: Some(true), ..EndpointChange::default() };
                change(Context::of(&app), &endpoint, active).await?;
                fan_out(&app).await?;
                resend_period(Context::of(&app), &endpoint, (0, now_ms), Which::Missed).await?;
            }
            Ok::<_, EndpointError>(stored.is_some())
        });
        if activated.map_err(|error| error.to_string())? {
            self.count("activated");
        }
        Ok(())
    }

    fn deliveries(&self, state: Option<DeliveryState>) -> Result<Vec<Delivery>, String> {
        let (app, endpoint) = (self.process.app(), &self.product.endpoint);
        let read = async { app.db.deliveries(endpoint, state, i64::MAX, MOST_MESSAGES).await };
        self.process.block_on(read).map_err(|error| error.to_string())
    }

    fn compare_with_the_product(&mut self) -> Result<(), String> {
        let app = self.process.app();
        let broken = self.process.block_on(app.db.broken_rules()).map_err(|error| error.to_string())?;
        if !broken.is_empty() {
            return Err(format!("the books break {broken:?}"));
        }
        let mut sent = self.deliveries(None)?;
        sent.reverse();
        let taken = self.product.line.receiver().taken.clone();
        let place = |id: &str| taken.iter().position(|taken| taken == id);
        let mut last: BTreeMap<&str, usize> = BTreeMap::new();
        for delivery in &sent {
            let Some(place) = place(&delivery.message_id).filter(|_| delivery.state == DeliveryState::Done.as_str())
            else {
                return Err(format!("{delivery:?} did not arrive"));
            };
            let before = last.insert(delivery.account_id.as_str(), place);
            if before.is_some_and(|before| before > place) {
                return Err(format!("{} overtook a message of {}", delivery.message_id, delivery.account_id));
            }
        }
        if let Some(stray) = taken.iter().find(|id| !sent.iter().any(|delivery| delivery.message_id == **id)) {
            return Err(format!("{stray} arrived and has no cause"));
        }
        for _ in &sent {
            self.count("delivered");
        }
        Ok(())
    }
}
