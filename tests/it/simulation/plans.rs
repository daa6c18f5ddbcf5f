//! Plans and saved cards with many concurrent workers on either database: subscribers, their banks, deliveries, debits, and
//! several jobs that charge cards at once. The concurrency is real, so a run cannot be repeated exactly.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use topup::app::{App, with_causes};
use topup::books::spend::spend_credits::{DebitRequest, SpendError, debit};
use topup::customers::ensure_customer::ensure_customer;
use topup::db::StoreError;
use topup::domain::account::AccountId;
use topup::domain::account::Visible;
use topup::domain::auto_topup::{Caps, ConsentVersion};
use topup::domain::ids::SubscriptionId;
use topup::domain::plan::PlanId;
use topup::domain::redirect::RedirectUrl;
use topup::inbox::apply_event::apply_event;
use topup::providers::stripe::name::NAME as STRIPE;
use topup::purchases::outcome::ApplyEventError;
use topup::reconcile::{MAX_SINCE_DAYS, Options, Pace, RunCause, reconcile};
use topup::recurring::auto_topup::change::turn_on;
use topup::recurring::auto_topup::job::charge_due;
use topup::recurring::auto_topup::settings::{Consent, Rules};
use topup::subscriptions::change_subscription::{ChangeError, EndAt, cancel, change};
use topup::subscriptions::open_subscription::{OpenSubscription, OpenSubscriptionError, open_subscription};

use crate::sim::acts::Bystander;
use crate::sim::automatic::verify_charges;
use crate::sim::books::Books;
use crate::sim::checks::{compare, verify};
use crate::sim::clock::SimClock;
use crate::sim::network::{Delivery, Network};
use crate::sim::payers::{Payer, one_of};
use crate::sim::periods::compare_subscriptions;
use crate::sim::plans::{PLANS, Sold, apply};
use crate::sim::process::{Parts, build_app};
use crate::sim::rng::{Rng, SeededIds};
use crate::sim::stripe::{FAULTS, SharedStripe};
use crate::sim::world::{Promises, recurring_config};
use crate::simulation::postman::{deliver, signed};
use crate::support::Backend;
use crate::support::database::TestDatabase;

const ACCOUNTS: [&str; 4] = ["user_1", "user_2", "user_3", "user_4"];
/// Charges in a day, and money in a month, that each account agrees to.
const RULES: (i64, i64) = (2, 40_000_000);
/// A crossing is over with one purchase, whatever is spent meanwhile.
const UNITS_BOUGHT: i64 = 5_000;

struct Crowd {
    app: Arc<App>,
    clock: Arc<SimClock>,
    stripe: SharedStripe,
    network: Mutex<Network>,
    plans: BTreeMap<String, Sold>,
    page: RedirectUrl,
    debits: AtomicU64,
}

/// How often the workers go on if too little has happened: what does depends on how they meet.
const MAX_ROUNDS: u64 = 6;

/// Runs the workers for this many steps each, and again until enough has happened. Then settles everything, reconciles
/// and compares.
pub async fn run(backend: Backend, workers: u64, steps: u64) {
    let database = TestDatabase::migrated(backend).await;
    let mut rng = Rng::new(18);
    let clock = Arc::new(SimClock::new());
    let stripe = SharedStripe::seeded(rng.next(), clock.clone());
    let config = recurring_config(&database.url, &mut rng);
    let ids = Arc::new(SeededIds::new(rng.next()));
    let page = RedirectUrl::parse("https://app.example.com/plan", &config.allowed_origins).expect("a page");
    let parts = Parts { config, stripe: stripe.clone(), clock: clock.clone(), ids };
    let app = Arc::new(build_app(&parts).await);
    let plans = apply(&app, &stripe).await;
    let (network, debits) = (Mutex::default(), AtomicU64::new(0));
    let crowd = Arc::new(Crowd { app, clock, stripe, network, plans, page, debits });
    for name in ACCOUNTS {
        crowd.agree(name).await;
    }
    // None has credits, so each is charged once; what follows is up to the workers.
    crowd.charge().await;
    let mut round = 0;
    loop {
        let seeds = (0..workers).map(|worker| worker + 2_000 + 100 * round);
        let tasks: Vec<_> = seeds.map(|seed| tokio::spawn(work(crowd.clone(), seed, steps))).collect();
        for task in tasks {
            task.await.expect("no worker panics");
        }
        round += 1;
        let happened = crowd.happened().await;
        if happened.is_enough() {
            break;
        }
        assert!(round < MAX_ROUNDS, "too little happened: {happened:?}");
    }
    crowd.end().await;
    crowd.app.db.close().await;
}

/// What is in the books before everything is settled.
#[derive(Debug)]
struct Happened {
    periods: usize,
    upgrades: usize,
    charges: usize,
}

impl Happened {
    const fn is_enough(&self) -> bool {
        self.periods > 20 && self.upgrades > 2 && self.charges > 3
    }
}

async fn work(crowd: Arc<Crowd>, seed: u64, steps: u64) {
    let mut rng = Rng::new(seed);
    for _ in 0..steps {
        // Only a little: a delivery's signature is valid for five minutes, and all workers share the clock.
        crowd.clock.advance_ms(rng.between(1, 1_000));
        crowd.stripe.tick();
        if rng.percent(6) {
            crowd.stripe.lock().faults = VecDeque::from([Some(*rng.pick(&FAULTS))]);
        }
        match rng.below(100) {
            0..=9 => crowd.subscribe(&mut rng).await,
            10..=39 => crowd.something_happens_at_stripe(&mut rng),
            40..=49 => crowd.change(&mut rng).await,
            50..=57 => crowd.charge().await,
            58..=66 => crowd.spend(&mut rng).await,
            _ => crowd.deliver(&mut rng).await,
        }
    }
}

/// A failing Stripe is planned, and of many concurrent writes one may be overtaken repeatedly. Anything else is a bug.
fn excuse(what: &str, error: &StoreError) {
    assert!(error.unavailable().is_some(), "{what} fails: {}", with_causes(error));
}

impl Crowd {
    /// A customer saves a card, and agrees that it is charged.
    async fn agree(&self, name: &str) {
        let account = AccountId::parse(name).expect("an account");
        let customer = ensure_customer(&self.app, &account).await.expect("nothing is wrong yet");
        let form = format!("customer={}", customer.as_str());
        assert_eq!(self.stripe.ask("POST", "/v1/payment_methods/pm_card_visa/attach", &form).status, 200);
        let rules = Rules {
            threshold_credits: 300,
            credits: UNITS_BOUGHT * self.app.pricing.unit_credits(),
            currency: self.app.pricing.main().currency(),
            caps: Caps { max_per_day: RULES.0, max_per_month_minor: RULES.1 },
            card: None,
            return_url: self.page.as_str().to_owned(),
        };
        let version = ConsentVersion::parse("1").expect("a version");
        let consent = Consent { version, by: "customer".to_owned(), ip: None, agent: None };
        turn_on(&self.app, &account, rules, consent).await.expect("there is a card");
    }

    async fn subscribe(&self, rng: &mut Rng) {
        let command = OpenSubscription {
            account: AccountId::parse(*rng.pick(&ACCOUNTS)).expect("an account"),
            plan: PlanId::parse(rng.pick(&PLANS).id).expect("a plan"),
            success_url: self.page.clone(),
            cancel_url: None,
            key: None,
        };
        if let Err(OpenSubscriptionError::Store(error)) = open_subscription(&self.app, command).await {
            excuse("a subscription", &error);
        }
    }

    fn something_happens_at_stripe(&self, rng: &mut Rng) {
        let (choice, stripe) = (rng.below(30), &self.stripe);
        let books = Books::default();
        let mut someone = Bystander { rng, stripe, books: &books };
        match choice {
            0 | 1 => drop(someone.move_refund()),
            2 => drop(someone.move_dispute()),
            3 => drop(someone.finish_payment()),
            4..=10 => drop(Payer { rng, stripe }.pay()),
            11..=20 => drop(Payer { rng, stripe }.time_passes()),
            21 | 22 => drop(Payer { rng, stripe }.bank_decides()),
            23 | 24 => drop(Payer { rng, stripe }.settle_invoice()),
            25..=27 => drop(Payer { rng, stripe }.refund()),
            _ => drop(Payer { rng, stripe }.dispute()),
        }
    }

    async fn change(&self, rng: &mut Rng) {
        let running = self.stripe.lock().truth.subscriptions_that_are(&["active", "trialing", "past_due"]);
        let Some((id, _)) = one_of(rng, &running) else { return };
        let id = SubscriptionId::parse(STRIPE, id).expect("an id");
        let changed = if rng.percent(12) {
            cancel(&self.app, &id, &Visible::All, EndAt::PeriodEnd).await
        } else {
            let plan = PlanId::parse(rng.pick::<&str>(&["plus", "pro", "pro", "basic"])).expect("a plan");
            change(&self.app, &id, &Visible::All, &plan, None).await
        };
        if let Err(ChangeError::Store(error)) = changed {
            excuse("a change", &error);
        }
    }

    async fn charge(&self) {
        if let Err(error) = charge_due(&self.app).await {
            excuse("a charge", &error);
        }
    }

    async fn spend(&self, rng: &mut Rng) {
        let number = self.debits.fetch_add(1, Ordering::Relaxed);
        let request = DebitRequest {
            account: AccountId::parse(*rng.pick(&ACCOUNTS)).expect("an account"),
            credits: rng.between(1, 200),
            on_shortfall: topup::books::spend::action::Shortfall::Cap,
            minimum_credits: 0,
            purpose: topup::books::spend::spends::Purpose::default(),
            key: format!("debit-{number}"),
        };
        if let Err(SpendError::Store(error)) = debit(&self.app, request).await {
            excuse("a debit", &error);
        }
    }

    async fn deliver(&self, rng: &mut Rng) {
        deliver(&self.network, &self.stripe, &self.clock, rng, async |delivery| self.send(delivery).await).await;
    }

    async fn send(&self, delivery: &Delivery) -> bool {
        let (header, body) = signed(&self.stripe, &self.clock, delivery);
        match apply_event(&self.app, Some(&header), body, None).await {
            Ok(_) => return true,
            Err(ApplyEventError::Provider(_) | ApplyEventError::Busy) => {}
            Err(ApplyEventError::Store(error)) => excuse(&delivery.id, &error),
            Err(error) => panic!("{} fails: {}", delivery.id, with_causes(&error)),
        }
        false
    }

    async fn happened(&self) -> Happened {
        let books = Books::read(&self.app.db).await;
        Happened {
            periods: books.periods.len(),
            upgrades: books.periods.values().filter(|period| period.credits < period.worth).count(),
            charges: books.attempts.iter().filter(|attempt| attempt.outcome == "paid").count(),
        }
    }

    async fn end(&self) {
        self.stripe.lock().faults.clear();
        let mut rng = Rng::new(1);
        for _ in 0..40 {
            self.clock.advance_ms(600_000);
            self.stripe.tick();
            self.charge().await;
        }
        self.clock.advance_ms(4 * 86_400_000);
        self.stripe.tick();
        while !self.network.lock().expect("nobody panicked").pending.is_empty() {
            self.deliver(&mut rng).await;
            self.clock.advance_ms(600_000);
        }
        let pace = Pace { interval: Duration::ZERO, backoff: Duration::ZERO, tries: 3, pages: 2_000 };
        let options = Options { cause: RunCause::Command, dry_run: false, since_days: MAX_SINCE_DAYS, pace };
        reconcile(&self.app, options, std::future::pending()).await.expect("a report");
        let books = Books::read(&self.app.db).await;
        verify(&books, &self.stripe.lock().truth, &mut Promises::default()).expect("the books hold");
        verify_charges(&books, &self.stripe.lock().truth, |_| RULES).expect("the rules of charges hold");
        compare(&books, &self.stripe).expect("the books are Stripe's");
        compare_subscriptions(&books, &self.stripe, &self.plans).expect("the subscriptions are Stripe's");
    }
}
