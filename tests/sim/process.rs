//! The service's process: the real routes, use cases, store and Stripe client on their own runtime, in one thread. It
//! can die at any checkpoint. Then its runtime is dropped with everything in it, as in a killed process, and another
//! process opens the same database.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::{Arc, Weak};
use std::time::Duration;

use actix_web::body::to_bytes;
use actix_web::dev::Service as _;
use actix_web::test::TestRequest;
use actix_web::{test, web};
use futures_util::future::{BoxFuture, LocalBoxFuture, join_all};
use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::{Notify, Semaphore, oneshot};
use topup::app::ScheduleSettings;
use topup::app::fee_pause::FeePause;
use topup::app::limits_seen::LimitsSeen;
use topup::app::questions::Questions;
use topup::app::session_checks::SessionChecks;
use topup::app::tasks::Tasks;
use topup::app::{App, CheckoutSettings, RecurringSettings};
use topup::checkpoints;
use topup::config::Config;
use topup::db::Db;
use topup::http;
use topup::http::auth::jwt::TokenVerifier;
use topup::http::kit::body_budget::BodyBudget;
use topup::http::kit::notices::Notices;
use topup::http::kit::rate_limit::CheckoutLimits;
use topup::http::state::{HttpState, MAX_WEBHOOK_BYTES_IN_FLIGHT, MAX_WEBHOOKS_IN_FLIGHT};
use topup::providers::stripe::StripeWebhooks;
use topup::providers::stripe::gateway::StripeGateway;
use topup::providers::stripe::signature::SignatureVerifier;

use super::clock::SimClock;
use super::disk::Disk;
use super::rng::SeededIds;
use super::stripe::SharedStripe;

/// What is planned for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It completes.
    Nothing,
    /// The process dies at the checkpoint with this number, if the request reaches it.
    DieAt(u32),
    /// The request is suspended at the checkpoint with this number outside of a transaction, and others continue.
    SuspendAt(u32),
    /// The process is dead.
    Dead,
}

/// The result of a request.
#[derive(Debug)]
pub enum Ended<A = Answer> {
    /// An answer.
    Answered(A),
    /// The process died.
    Died {
        /// Whether a write was committed before.
        committed: bool,
    },
    /// It is suspended.
    Suspended,
}

impl Ended<Vec<Answer>> {
    /// The result of a single request.
    pub(super) fn only(self) -> Ended {
        match self {
            Self::Answered(mut answers) => Ended::Answered(answers.pop().expect("one request has one answer")),
            Self::Died { committed } => Ended::Died { committed },
            Self::Suspended => Ended::Suspended,
        }
    }
}

/// An answer of the service.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body.
    pub body: Value,
}

/// Checkpoints around calls to Stripe, at which others can continue meanwhile. (All writes of a SQLite database go
/// through one task: suspending one would block the others.)
const QUIET_PLACES: [&str; 3] = ["ask Stripe", "call Stripe", "Stripe answered"];

/// The checkpoint right before a connection is taken for a write.
const BEFORE_A_WRITE: &str = "begin";
const BEFORE_A_CREDIT: &str = "commit in one exchange";

/// The current checkpoint of the process, and what is planned for it.
pub(super) struct Places {
    /// The state of the disk for all writes.
    pub(super) disk: Cell<Disk>,
    app: RefCell<Weak<App>>,
    fate: Cell<Fate>,
    committed: Cell<bool>,
    happened: Notify,
    gate: RefCell<Option<oneshot::Sender<()>>>,
}

impl Places {
    /// Reaches a checkpoint. Returns a future to wait for, if any.
    fn reach(&self, name: &'static str) -> Option<BoxFuture<'static, ()>> {
        self.meet_fate(name).or_else(|| self.meet_disk(name))
    }

    /// The next connection may be new and not have the disk's state yet.
    fn meet_disk(&self, name: &'static str) -> Option<BoxFuture<'static, ()>> {
        let disk = self.disk.get();
        if disk == Disk::Fine || ![BEFORE_A_WRITE, BEFORE_A_CREDIT].contains(&name) {
            return None;
        }
        let app = self.app.borrow().upgrade()?;
        Some(Box::pin(async move {
            let told = if name == BEFORE_A_WRITE {
                app.db.execute_raw(disk.pragmas()).await
            } else {
                app.db.execute_raw_by_creditor(disk.pragmas()).await
            };
            told.expect("SQLite takes a pragma");
        }))
    }

    fn meet_fate(&self, name: &'static str) -> Option<BoxFuture<'static, ()>> {
        if name == "committed" {
            self.committed.set(true);
        }
        match self.fate.get() {
            Fate::Nothing => None,
            Fate::DieAt(places) if places > 0 => {
                self.fate.set(Fate::DieAt(places - 1));
                None
            }
            Fate::DieAt(_) => {
                self.fate.set(Fate::Dead);
                self.happened.notify_one();
                Some(Box::pin(std::future::pending()))
            }
            // Noticed already: a second notification would be taken for something that happened to the next request.
            Fate::Dead => Some(Box::pin(std::future::pending())),
            Fate::SuspendAt(_) if !QUIET_PLACES.contains(&name) => None,
            Fate::SuspendAt(places) if places > 0 => {
                self.fate.set(Fate::SuspendAt(places - 1));
                None
            }
            Fate::SuspendAt(_) => {
                let (open, opened) = oneshot::channel();
                self.fate.set(Fate::Nothing);
                self.gate.replace(Some(open));
                self.happened.notify_one();
                Some(Box::pin(async move { drop(opened.await) }))
            }
        }
    }
}

/// Requests in progress, with their answers.
type Call = LocalBoxFuture<'static, Vec<Answer>>;
type Service = Rc<dyn Fn(TestRequest) -> LocalBoxFuture<'static, Answer>>;

/// What a process is started with.
pub struct Parts {
    /// The settings.
    pub config: Config,
    /// The simulated Stripe.
    pub stripe: SharedStripe,
    /// The simulated clock.
    pub clock: Arc<SimClock>,
    /// The source of ids.
    pub ids: Arc<SeededIds>,
}

/// A process. There is at most one per thread at a time.
pub struct Process {
    parts: Rc<Parts>,
    inside: Option<Inside>,
    pub(super) places: Rc<Places>,
    suspended: Option<Call>,
}

struct Inside {
    runtime: Runtime,
    app: Arc<App>,
    service: Service,
}

impl Process {
    /// Opens the migrated database and starts serving.
    pub fn start(parts: Rc<Parts>) -> Self {
        let places = Places {
            disk: Cell::new(Disk::Fine),
            app: RefCell::default(),
            fate: Cell::new(Fate::Nothing),
            committed: Cell::new(false),
            happened: Notify::new(),
            gate: RefCell::new(None),
        };
        let places = Rc::new(places);
        let hook = places.clone();
        checkpoints::set_hook(Some(Box::new(move |name| hook.reach(name))));
        let inside = Some(Inside::start(&parts, &places));
        Self { parts, inside, places, suspended: None }
    }

    fn inside(&self) -> &Inside {
        self.inside.as_ref().expect("it is running")
    }

    /// The service's internals, to inspect the books.
    pub fn app(&self) -> Arc<App> {
        self.inside().app.clone()
    }

    /// Runs something beside the requests, such as a query.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.inside().runtime.block_on(future)
    }

    /// Serves a request with the given fate.
    pub fn serve(&mut self, request: TestRequest, fate: Fate) -> Ended {
        self.serve_all(vec![request], fate).only()
    }

    /// Serves simultaneous requests.
    pub fn serve_all(&mut self, requests: Vec<TestRequest>, fate: Fate) -> Ended<Vec<Answer>> {
        let calls: Vec<_> = requests.into_iter().map(|request| (self.inside().service)(request)).collect();
        self.drive(Box::pin(join_all(calls)), fate)
    }

    /// Resumes the suspended request.
    pub fn resume(&mut self, fate: Fate) -> Option<Ended> {
        let call = self.suspended.take()?;
        drop(self.places.gate.take());
        Some(self.drive(call, fate).only())
    }

    /// Runs until the call completes, is suspended, or the process dies.
    pub(super) fn drive(&mut self, mut call: Call, fate: Fate) -> Ended<Vec<Answer>> {
        let places = self.places.clone();
        places.fate.set(fate);
        places.committed.set(false);
        let answer = self.inside().runtime.block_on(async {
            tokio::select! {
                biased;
                answer = &mut call => Some(answer),
                () = places.happened.notified() => None,
            }
        });
        let ended = match (answer, places.fate.get()) {
            (Some(answer), _) => Ended::Answered(answer),
            (None, Fate::Dead) => {
                let committed = places.committed.get();
                drop(call);
                self.die();
                Ended::Died { committed }
            }
            (None, _) => {
                self.suspended = Some(call);
                Ended::Suspended
            }
        };
        places.fate.set(Fate::Nothing);
        ended
    }

    /// Kills the process with everything in progress, and starts another one.
    fn die(&mut self) {
        self.suspended = None;
        drop(self.places.gate.take());
        if let Some(inside) = self.inside.take() {
            inside.kill();
        }
        self.inside = Some(Inside::start(&self.parts, &self.places));
    }

    /// Shuts down gracefully and starts again. A suspended request is finished first.
    pub fn restart(&mut self) {
        assert!(self.suspended.is_none(), "finish what waits first");
        if let Some(inside) = self.inside.take() {
            inside.runtime.block_on(async {
                inside.app.tasks.finish().await;
                inside.app.db.close().await;
            });
            inside.kill();
        }
        self.inside = Some(Inside::start(&self.parts, &self.places));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        checkpoints::set_hook(None);
        self.suspended = None;
        if let Some(inside) = self.inside.take() {
            inside.kill();
        }
    }
}

impl Inside {
    fn start(parts: &Parts, places: &Places) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (app, service) = runtime.block_on(async {
            let app = Arc::new(build_app(parts).await);
            let service = build_service(parts, &app).await;
            (app, service)
        });
        places.app.replace(Arc::downgrade(&app));
        Self { runtime, app, service }
    }

    /// Drops everything at once in the runtime's context, where connections expect to be dropped.
    fn kill(self) {
        let Self { runtime, app, service } = self;
        {
            let _context = runtime.enter();
            drop((service, app));
        }
        drop(runtime);
    }
}

/// Builds the app like `startup`, with a simulated Stripe, clock and ids.
pub async fn build_app(parts: &Parts) -> App {
    let config = &parts.config;
    let verifier = SignatureVerifier::new(config.stripe.webhook_secrets.clone()).expect("there is a secret");
    App {
        db: Db::connect(config.database_url.expose_secret(), false).await.expect("the database opens"),
        provider: StripeGateway::over(parts.stripe.clone()).into_provider(Arc::new(StripeWebhooks::new(verifier))),
        clock: parts.clock.clone(),
        ids: parts.ids.clone(),
        pricing: config.pricing.clone(),
        checkout: CheckoutSettings {
            livemode: false,
            expires_minutes: config.checkout_expires_minutes,
            max_open: config.max_open_checkouts,
            payment_methods: config.payment_methods.clone(),
            makes_invoices: config.makes_invoices,
            // Simulated time stands still during a request, so nothing here may depend on real time.
            budget: Duration::from_mins(1),
            first_pause: Duration::ZERO,
        },
        subscriptions: config.subscriptions,
        session_checks: SessionChecks::default(),
        payload_days: config.webhook_payload_days,
        personal_data_days: config.console.personal_data_days,
        freeze_on_fraud_warning: config.freeze_on_fraud_warning,
        payers: topup::app::payer_notes::PayerNotes::default(),
        reconciliation: ScheduleSettings::NEVER,
        seal: None,
        questions: Questions::default(),
        fees: FeePause::default(),
        limits_seen: LimitsSeen::default(),
        recurring: RecurringSettings {
            saves_cards: config.recurring.saves_cards,
            auto_topup: config.recurring.auto_topup,
            auto_topups_per_hour: config.recurring.auto_topups_per_hour,
        },
        outbox: config.outbox.clone(),
        key_uses: topup::app::key_uses::KeyUses::default(),
        tasks: Tasks::new(tokio::runtime::Handle::current()),
    }
}

async fn build_service(parts: &Parts, app: &Arc<App>) -> Service {
    let jwt = parts.config.jwt.clone().expect("tokens are configured");
    let state = HttpState {
        app: app.clone(),
        keys: Arc::default(),
        tokens: Some(TokenVerifier::new(jwt, parts.clock.clone()).expect("a key")),
        allowed_origins: parts.config.allowed_origins.clone(),
        limits: CheckoutLimits::per_minute(parts.config.rate_limit_per_minute),
        trusted_proxies: Vec::new(),
        public_url: parts.config.public_url.clone(),
        console: None,
        last_overview: topup::console::overview::LastOverview::default(),
        notices: Notices::default(),
        long_reads: topup::http::kit::long_reads::LongReads::default(),
        webhook_bytes: BodyBudget::new(MAX_WEBHOOK_BYTES_IN_FLIGHT),
        webhook_permits: Arc::new(Semaphore::new(MAX_WEBHOOKS_IN_FLIGHT)),
    };
    let service = actix_web::App::new().configure(http::routes::served);
    let service = Rc::new(test::init_service(service.app_data(web::Data::new(state))).await);
    Rc::new(move |request| {
        let service = service.clone();
        Box::pin(async move {
            let response = service.call(request.to_request()).await.expect("errors are answers");
            let status = response.status().as_u16();
            let bytes = to_bytes(response.into_body()).await.unwrap_or_default();
            Answer { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
        })
    })
}
