//! The simulation: one seeded program in which customers, banks, operators, Stripe, the network and the service act one
//! at a time. All invariants are checked after every step.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use secrecy::ExposeSecret;
use tempfile::TempDir;
use topup::access::api_keys::{self, Scope};
use topup::app::App;
use topup::config::{Config, Source};
use topup::db::Db;
use topup::ports::Clock;

use super::acts::{Bystander, Done};
use super::books::Books;
use super::calls::{Purchase, Waiting};
use super::clock::SimClock;
use super::network::Network;
use super::observer::{Observer, fnv};
use super::operators::Office;
use super::process::{Parts, Process};
use super::product::Product;
use super::rng::{Rng, SeededIds};
use super::spending::Server;
use super::stripe::SharedStripe;
use super::subscribers::Recurring;

/// The secret that signs webhooks.
pub const WEBHOOK_SECRET: &str = "whsec_of_the_simulation";
/// The secret that signs tokens.
pub const JWT_SECRET: &str = "the secret of the simulation, 32 bytes and more";

/// A broken invariant.
#[derive(Debug)]
pub struct Violation {
    /// The seed of the run.
    pub seed: u64,
    /// The number of steps before it.
    pub step: u64,
    /// What is broken.
    pub what: String,
    /// The last steps.
    pub trace: Vec<String>,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(formatter, "seed {} breaks at step {}: {}", self.seed, self.step, self.what)?;
        self.trace.iter().try_for_each(|line| writeln!(formatter, "    {line}"))
    }
}

/// The result of a run.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Report {
    /// A hash of everything that happened, in order.
    pub trace_hash: u64,
    /// The number of steps of each kind.
    pub counts: BTreeMap<&'static str, u64>,
}

/// What must hold from now on, because the service confirmed it.
#[derive(Debug, Default)]
pub struct Promises {
    /// The top-ups confirmed as paid.
    pub paid: BTreeSet<String>,
    /// The minimum progress of each refund and dispute: the index of its state among all states it had.
    pub reversals: BTreeMap<String, usize>,
}

/// The state of one run.
pub struct World {
    pub(super) seed: u64,
    pub(super) rng: Rng,
    pub(super) clock: Arc<SimClock>,
    pub(super) stripe: SharedStripe,
    pub(super) network: Network,
    pub(super) process: Process,
    pub(super) observer: Observer,
    pub(super) books: Books,
    pub(super) promises: Promises,
    pub(super) purchases: Vec<Purchase>,
    pub(super) office: Office,
    pub(super) server: Server,
    pub(super) product: Product,
    pub(super) recurring: Option<Recurring>,
    pub(super) waiting: Option<Waiting>,
    pub(super) lists_lag: bool,
    pub(super) accounts: Vec<String>,
    pub(super) unit_credits: i64,
    pub(super) credits_end: bool,
    pub(super) report: Report,
    pub(super) trace: Vec<String>,
    /// What was last written into it.
    pub(super) last_noted: &'static str,
    pub(super) step: u64,
    pub(super) prints: bool,
    // Dropped last, with the database.
    _folder: TempDir,
}

/// A folder for temporary files in memory, if there is one.
fn temporary_folder() -> TempDir {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.expect("a folder")
}

/// A migrated database file, created once and copied for each run.
fn template() -> &'static [u8] {
    static TEMPLATE: OnceLock<Vec<u8>> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let folder = temporary_folder();
        let file = folder.path().join("template.db");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let db = Db::connect(&format!("sqlite://{}", file.display()), true).await.expect("connects");
            db.migrate_and_close().await.expect("migrates");
        });
        std::fs::read(file).expect("readable")
    })
}

/// The API key of the product's server.
async fn api_key(app: &App) -> String {
    let scopes = [Scope::Spend, Scope::Read];
    let key = api_keys::create(&app.db, app.ids.as_ref(), app.clock.as_ref(), "server", &scopes, None).await;
    key.expect("is made").secret.expose_secret().to_owned()
}

/// How many credits cost how many cents.
const UNITS: [(&str, &str); 7] =
    [("1", "1"), ("1", "1"), ("1", "3"), ("1", "100"), ("10000", "1"), ("7", "3"), ("2", "5")];

/// The bonuses of large purchases; none in most runs.
const BONUSES: [Option<&str>; 5] = [None, None, None, Some("1:10%"), Some("50:7.5%,300:33.33%")];

/// For how many days credits are good; for ever in most runs.
const EXPIRIES: [Option<&str>; 5] = [None, None, None, Some("1"), Some("9")];

/// Below how many credits the product is told.
const LOW_BALANCES: [Option<&str>; 3] = [None, Some("20"), Some("200")];

/// The settings of a run: units, prices, fees, bonuses and the end of credits depend on the seed.
#[cfg(test)]
pub fn config(database: &str, rng: &mut Rng) -> Config {
    config_with(database, rng, &[])
}

/// The settings of a run with recurring money.
#[cfg(test)]
pub fn recurring_config(database: &str, rng: &mut Rng) -> Config {
    config_with(database, rng, &RECURRING)
}

/// With recurring money, cards are saved and charged.
const RECURRING: [(&str, &str); 2] = [("SAVED_CARDS", "on"), ("AUTO_TOPUP", "on")];

fn config_with(database: &str, rng: &mut Rng, recurring: &[(&str, &str)]) -> Config {
    let (unit_credits, unit_amount) = *rng.pick(&UNITS);
    let settings: [(&str, &str); 12] = [
        ("DATABASE_URL", database),
        ("STRIPE_SECRET_KEY", "sk_test_simulation"),
        ("STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET),
        ("JWT_SECRET", JWT_SECRET),
        ("JWT_ADMIN_SCOPE", "admin"),
        ("ALLOWED_ORIGINS", "https://app.example.com"),
        ("RATE_LIMIT_PER_MINUTE", "1000000"),
        ("MAX_OPEN_CHECKOUTS", "100000"),
        ("CREDIT_UNIT_CREDITS", unit_credits),
        ("CREDIT_UNIT_AMOUNT", unit_amount),
        ("MAX_CREDITS", if unit_credits == "10000" { "1000000000" } else { "100000" }),
        ("FEE_MODE", *rng.pick(&["gross_up", "gross_up", "absorb"])),
    ];
    // Numbers of their own, so that the other choices of a seed stay what they were.
    let mut own = Rng::new(rng.clone().next() ^ 0x0b0e);
    let more = [
        ("BONUS_TIERS", *own.pick(&BONUSES)),
        ("CREDITS_EXPIRE_DAYS", *own.pick(&EXPIRIES)),
        ("LOW_BALANCE_CREDITS", *own.pick(&LOW_BALANCES)),
    ];
    let more = more.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let settings = settings.into_iter().chain(more).chain(recurring.iter().copied());
    Config::load(&settings.collect::<Source>()).expect("the settings are right")
}

impl World {
    /// The initial world, in which credits are bought one purchase at a time.
    pub fn new(seed: u64, prints: bool) -> Self {
        Self::with(seed, prints, false)
    }

    pub(super) fn with(seed: u64, prints: bool, is_recurring: bool) -> Self {
        let mut rng = Rng::new(seed);
        let folder = temporary_folder();
        let file = folder.path().join("topup.db");
        std::fs::write(&file, template()).expect("writable");
        let clock = Arc::new(SimClock::new());
        let stripe = SharedStripe::seeded(rng.next(), clock.clone());
        let more: &[(&str, &str)] = if is_recurring { &RECURRING } else { &[] };
        let config = config_with(&format!("sqlite://{}", file.display()), &mut rng, more);
        let unit_credits = config.pricing.unit_credits();
        let credits_end = config.pricing.expiry().is_some() || is_recurring;
        let ids = Arc::new(SeededIds::new(rng.next()));
        let parts = Parts { config, stripe: stripe.clone(), clock: clock.clone(), ids };
        let process = Process::start(Rc::new(parts));
        let api_key = process.block_on(api_key(&process.app()));
        let product = Product::new(&process, seed);
        let accounts = (1..=rng.between(2, 4)).map(|number| format!("user_{number}")).collect();
        Self {
            seed,
            rng,
            clock,
            stripe,
            network: Network::default(),
            process,
            observer: Observer::open(&file),
            books: Books::default(),
            promises: Promises::default(),
            purchases: Vec::new(),
            office: Office::default(),
            server: Server::new(api_key),
            product,
            recurring: None,
            waiting: None,
            lists_lag: false,
            accounts,
            unit_credits,
            credits_end,
            report: Report::default(),
            trace: Vec::new(),
            last_noted: "",
            step: 0,
            prints,
            _folder: folder,
        }
    }

    /// Runs this many steps, settles everything, reconciles and compares.
    pub fn run(mut self, steps: u64) -> Result<Report, Box<Violation>> {
        let result = self.run_steps(steps);
        let World { report, seed, step, mut trace, .. } = self;
        let last = trace.split_off(trace.len().saturating_sub(25));
        result.map(|()| report).map_err(|what| Box::new(Violation { seed, step, what, trace: last }))
    }

    /// Runs this many steps, as [`Self::run`] does, and leaves the folder with the database, `topup.db`.
    #[cfg(test)]
    pub fn database_after(mut self, steps: u64) -> Result<TempDir, Box<Violation>> {
        let result = self.run_steps(steps);
        let World { seed, step, trace, _folder: folder, .. } = self;
        result.map(|()| folder).map_err(|what| Box::new(Violation { seed, step, what, trace }))
    }

    fn run_steps(&mut self, steps: u64) -> Result<(), String> {
        for step in 1..=steps {
            self.step = step;
            self.do_something()?;
            self.check()?;
            self.do_something_recurring()?;
            self.tell()?;
        }
        self.become_quiet()?;
        self.reconcile()?;
        self.compare_with_stripe()?;
        self.finish_telling()
    }

    /// Runs one step.
    #[expect(clippy::redundant_closure_for_method_calls, reason = "a path to a method is not general enough here")]
    fn do_something(&mut self) -> Result<(), String> {
        // A request waits for seconds, not for days.
        let pause_ms = match self.rng.below(20) {
            _ if self.waiting.is_some() => self.rng.between(0, 3_000),
            0 => self.rng.between(60_000, 7_200_000),
            1 if self.rng.percent(20) => self.rng.between(86_400_000, 10 * 86_400_000),
            _ => self.rng.between(0, 3_000),
        };
        self.clock.advance_ms(pause_ms);
        self.stripe.tick();
        if self.process.has_bad_disk() && self.rng.percent(15) {
            self.disk_changes();
        }
        match self.rng.below(100) {
            0..=10 => self.buy()?,
            11..=22 => self.act(|someone| someone.pay()),
            23..=26 => self.act(|someone| someone.finish_payment()),
            27..=30 => self.look_at_page()?,
            31..=32 => self.look_at_balance()?,
            33..=34 => self.adjust()?,
            35..=39 => self.act(|someone| someone.refund()),
            40..=45 => self.refund_by_api()?,
            46..=50 => self.act(|someone| someone.move_refund()),
            51 => self.act(|someone| someone.dispute()),
            52..=57 => self.act(|someone| someone.move_dispute()),
            58..=60 => self.act(|someone| someone.something_else_is_sold()),
            61..=62 => self.a_stranger_calls()?,
            63..=67 => self.go_on()?,
            68 => self.restart()?,
            69..=74 => self.burst()?,
            76..=79 => self.overtake()?,
            80..=82 => self.learn_fees()?,
            83..=84 => self.disk_changes(),
            85..=93 => self.spend()?,
            75 if self.rng.percent(60) => self.compare_now()?,
            75 => self.lists_lag(),
            _ => self.deliver()?,
        }
        let now_ms = self.clock.now_ms();
        self.network.collect(&mut self.stripe.lock().truth, &mut self.rng, now_ms);
        Ok(())
    }

    pub(super) fn act(&mut self, act: fn(&mut Bystander<'_>) -> Done) {
        let (kind, what) = act(&mut Bystander { rng: &mut self.rng, stripe: &self.stripe, books: &self.books });
        self.note(kind, &what);
    }

    /// Records what happened.
    pub(super) fn note(&mut self, kind: &'static str, what: &str) {
        *self.report.counts.entry(kind).or_default() += 1;
        self.last_noted = kind;
        let line = format!("{:>4} t={} {kind}: {what}", self.step, self.clock.now_ms() - 1_800_000_000_000);
        self.report.trace_hash = fnv(self.report.trace_hash, line.as_bytes());
        if self.prints {
            println!("{line}");
        }
        self.trace.push(line);
    }

    /// Counts a part of something recorded elsewhere.
    pub(super) fn count(&mut self, kind: &'static str) {
        *self.report.counts.entry(kind).or_default() += 1;
    }
}
