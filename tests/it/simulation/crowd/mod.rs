//! Many concurrent workers on one database whose storage fails at times. The concurrency is real, so a run cannot be
//! repeated exactly. The operations are those of the simulator, and so are the checks at the end.

mod storage;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::{Connection, PgConnection};
use topup::app::App;
use topup::db::StoreError;
use topup::domain::account::AccountId;
use topup::domain::account::Visible;
use topup::domain::ids::SessionId;
use topup::domain::redirect::{AllowedOrigin, RedirectUrl};
use topup::inbox::apply_event::apply_event;
use topup::providers::stripe::name::NAME as STRIPE;
use topup::purchases::checkout::check_session::check_session;
use topup::purchases::checkout::create_checkout::{CreateCheckout, CreateCheckoutError, create_checkout};
use topup::purchases::outcome::ApplyEventError;
use topup::reconcile::{MAX_SINCE_DAYS, Options, Pace, ReconcileError, RunCause, reconcile};

use crate::sim::acts::Bystander;
use crate::sim::books::Books;
use crate::sim::checks::{compare, verify};
use crate::sim::clock::SimClock;
use crate::sim::network::{Delivery, Network};
use crate::sim::process::{Parts, build_app};
use crate::sim::rng::{Rng, SeededIds};
use crate::sim::stripe::{FAULTS, SharedStripe};
use crate::sim::world::{Promises, config};
use crate::simulation::postman::{deliver, signed};
use crate::support::database::TestDatabase;
use crate::support::{Backend, until};

/// The state shared by the workers.
struct Crowd {
    app: Arc<App>,
    clock: Arc<SimClock>,
    stripe: SharedStripe,
    network: Mutex<Network>,
    origins: Vec<AllowedOrigin>,
    /// The number of steps done.
    steps_done: AtomicU64,
    /// How many of them failed because the database was busy or unavailable.
    failed: AtomicU64,
    work_is_done: AtomicBool,
}

/// Runs the workers for this many steps each, then settles everything, reconciles and compares.
pub async fn run(backend: Backend, workers: u64, steps: u64) {
    let database = TestDatabase::migrated(backend).await;
    let mut rng = Rng::new(16);
    let clock = Arc::new(SimClock::new());
    let stripe = SharedStripe::seeded(rng.next(), clock.clone());
    let config = config(&database.url, &mut rng);
    let ids = Arc::new(SeededIds::new(rng.next()));
    let origins = config.allowed_origins.clone();
    let parts = Parts { config, stripe: stripe.clone(), clock: clock.clone(), ids };
    let app = build_app(&parts).await;
    let crowd = Arc::new(Crowd {
        app: Arc::new(app),
        clock,
        stripe,
        network: Mutex::default(),
        origins,
        steps_done: AtomicU64::new(0),
        failed: AtomicU64::new(0),
        work_is_done: AtomicBool::new(false),
    });
    let is_server = backend == Backend::Postgres;
    let stranger = is_server.then(|| tokio::spawn(hold_rows(crowd.clone(), database.url.clone())));
    let trouble = tokio::spawn(storage::fail_now_and_then(crowd.clone(), backend, database.url.clone()));
    let tasks: Vec<_> = (0..workers).map(|worker| tokio::spawn(work(crowd.clone(), worker, steps))).collect();
    for task in tasks {
        task.await.expect("no worker panics");
    }
    crowd.work_is_done.store(true, Ordering::Release);
    assert!(trouble.await.expect("no panic") > 4, "the storage hardly failed");
    assert!(crowd.failed.load(Ordering::Relaxed) > 4, "hardly anything failed with the storage");
    if let Some(stranger) = stranger {
        assert!(stranger.await.expect("no panic") > 10, "hardly any row was held");
    }
    crowd.end().await;
    crowd.app.db.close().await;
}

/// A database client that locks rows of an account or its top-ups for a while, again and again. Returns how often.
async fn hold_rows(crowd: Arc<Crowd>, url: String) -> u64 {
    let mut stranger = PgConnection::connect(&url).await.expect("connects");
    let (mut rng, mut held) = (Rng::new(17), 0);
    while !crowd.work_is_done.load(Ordering::Acquire) {
        let account = *rng.pick(&["user_1", "user_2", "user_3"]);
        let rows = *rng.pick(&[
            "SELECT id FROM accounts WHERE id = $1 FOR UPDATE",
            // In the order in which the service locks them: two orders could deadlock.
            "SELECT id FROM topups WHERE account_id = $1 ORDER BY id FOR UPDATE",
        ]);
        let mut held_rows = stranger.begin().await.expect("begins");
        sqlx::query(rows).bind(account).fetch_all(&mut *held_rows).await.expect("locks");
        for _ in 0..rng.between(10, 200) {
            // A round trip to the server, during which the others continue.
            sqlx::query("SELECT 1").execute(&mut *held_rows).await.expect("answers");
        }
        held_rows.rollback().await.expect("releases");
        held += 1;
    }
    stranger.close().await.expect("closes");
    held
}

async fn work(crowd: Arc<Crowd>, worker: u64, steps: u64) {
    let mut rng = Rng::new(worker + 1_000);
    let mut sessions: Vec<(AccountId, SessionId)> = Vec::new();
    for _ in 0..steps {
        // Only a little: a delivery's signature is valid for five minutes, and all workers share the clock.
        crowd.clock.advance_ms(rng.between(0, 1_000));
        crowd.stripe.tick();
        if rng.percent(8) {
            crowd.stripe.lock().faults = VecDeque::from([Some(*rng.pick(&FAULTS))]);
        }
        match rng.below(100) {
            0..=14 => sessions.extend(crowd.buy(&mut rng).await),
            15..=49 => crowd.something_happens_at_stripe(&mut rng),
            50..=56 if !sessions.is_empty() => {
                let (account, session) = rng.pick(&sessions).clone();
                match check_session(&crowd.app, &session, &Visible::Account(account)).await {
                    Err(error) if crowd.is_excused(&error) => {}
                    found => assert!(found.expect("the database works").is_some(), "{session} is not there"),
                }
            }
            _ => crowd.deliver(&mut rng).await,
        }
        crowd.steps_done.fetch_add(1, Ordering::AcqRel);
    }
}

impl Crowd {
    async fn buy(&self, rng: &mut Rng) -> Option<(AccountId, SessionId)> {
        let account = AccountId::parse(*rng.pick(&["user_1", "user_2", "user_3"])).expect("an account");
        let url = RedirectUrl::parse("https://app.example.com/done", &self.origins).expect("a page");
        let credits = *rng.pick(&[60, 250, 999]) * self.app.pricing.unit_credits();
        let command = CreateCheckout {
            account: account.clone(),
            credits,
            success_url: url,
            currency: None,
            cancel_url: None,
            saves_card: false,
            idempotency: None,
        };
        match create_checkout(&self.app, command).await {
            Ok(checkout) => Some((account, SessionId::parse(STRIPE, checkout.session).expect("an id"))),
            // Ended: a customer has paid on the page of an earlier attempt whose answer was lost.
            Err(CreateCheckoutError::Provider(_) | CreateCheckoutError::SessionEnded) => None,
            Err(CreateCheckoutError::Store(error)) if self.is_excused(&error) => None,
            Err(error) => panic!("a purchase fails: {}", topup::app::with_causes(&error)),
        }
    }

    fn something_happens_at_stripe(&self, rng: &mut Rng) {
        let act = rng.below(7);
        let books = Books::default();
        let mut someone = Bystander { rng, stripe: &self.stripe, books: &books };
        match act {
            0 | 1 => someone.pay(),
            2 => someone.finish_payment(),
            3 => someone.refund(),
            4 => someone.move_refund(),
            5 => someone.dispute(),
            _ => someone.move_dispute(),
        };
    }

    async fn deliver(&self, rng: &mut Rng) {
        deliver(&self.network, &self.stripe, &self.clock, rng, async |delivery| self.send(delivery).await).await;
    }

    /// Whether the delivery was accepted. A failing Stripe is planned, and of many concurrent writes to one dispute,
    /// one may be overtaken repeatedly. Any other error is a bug.
    async fn send(&self, delivery: &Delivery) -> bool {
        let (header, body) = signed(&self.stripe, &self.clock, delivery);
        match apply_event(&self.app, Some(&header), body, None).await {
            Ok(_) => true,
            Err(ApplyEventError::Provider(_) | ApplyEventError::Store(StoreError::Stale)) => false,
            Err(ApplyEventError::Store(error)) if self.is_excused(&error) => false,
            Err(error) => panic!("{} fails: {}", delivery.id, topup::app::with_causes(&error)),
        }
    }

    /// Whether a row lock timed out or the storage failed: the answer is a 503, and the caller retries.
    fn is_excused(&self, error: &StoreError) -> bool {
        let is_excused = error.unavailable().is_some();
        self.failed.fetch_add(u64::from(is_excused), Ordering::Relaxed);
        is_excused
    }

    async fn end(&self) {
        self.stripe.lock().faults.clear();
        let mut rng = Rng::new(1);
        self.clock.advance_ms(4 * 86_400_000);
        self.stripe.tick();
        while !self.network.lock().expect("nobody panicked").pending.is_empty() {
            self.deliver(&mut rng).await;
            self.clock.advance_ms(600_000);
        }
        let pace = Pace { interval: Duration::ZERO, backoff: Duration::ZERO, tries: 3, pages: 2_000 };
        let options = Options { cause: RunCause::Command, dry_run: false, since_days: MAX_SINCE_DAYS, pace };
        // The first query on a disconnected session gets the error.
        until("a comparison", async || match reconcile(&self.app, options, std::future::pending()).await {
            Err(ReconcileError::Store(error)) if self.is_excused(&error) => None,
            ended => Some(ended.expect("a report")),
        })
        .await;
        let books = Books::read(&self.app.db).await;
        assert!(books.topups.values().filter(|topup| topup.state == "paid").count() > 20, "too little was paid");
        verify(&books, &self.stripe.lock().truth, &mut Promises::default()).expect("the books hold");
        compare(&books, &self.stripe).expect("the books are Stripe's");
    }
}
