//! A provider that keeps subscriptions in memory: a test says how they are now, and delivers events in any order.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use topup::app::App;
use topup::db::{Statement, StoreError, Tx, Write, args};
use topup::domain::account::AccountId;
use topup::domain::ids::{CustomerId, InvoiceId, PaymentId, PriceId, SubscriptionId};
use topup::domain::provider::ProviderName;
use topup::domain::reversal::{DisputeReport, RefundReport};
use topup::domain::subscription::{
    InvoiceLine, InvoiceReport, InvoiceStatus, SubscriptionItem, SubscriptionReport, SubscriptionStatus,
};
use topup::inbox::apply_event::apply_stored;
use topup::purchases::outcome::{ApplyEventError, EventOutcome};
use topup::reconcile::{Options, Pace, RunCause};

use super::provider::Provider;
use crate::support::Backend;
use crate::support::app::TestApp;

pub const STRIPE: ProviderName = ProviderName::new("stripe");
pub const DAY: i64 = 86_400;
pub const BASIC: &str = "price_basic";
pub const PRO: &str = "price_pro";
/// The credits of a period of each plan, and of a trial.
pub const BASIC_CREDITS: i64 = 1_000;
pub const PRO_CREDITS: i64 = 3_000;
pub const TRIAL_CREDITS: i64 = 50;

static TOLD: Statement =
    Statement::new("SELECT type AS name FROM messages WHERE account_id = :account ORDER BY number");

#[derive(sqlx::FromRow)]
struct Told {
    name: String,
}

static PLAN: Statement = Statement::new(
    "INSERT INTO plans (id, name, interval_unit, interval_count, credits_per_period, rollover, rollover_cap, trial_days, \
     trial_credits, is_active, provider, provider_product_id, created_at, updated_at) VALUES (:id, 'Plan', 'month', 1, \
     :credits, :rule, :cap, 14, :trial_credits, 1, 'stripe', 'prod', 1, 1)",
);
static PRICE: Statement = Statement::new(
    "INSERT INTO plan_prices (provider_price_id, provider, plan_id, currency, amount, fee_amount, is_current, created_at) \
     VALUES (:price, 'stripe', :id, 'usd', :amount, 0, 1, 1)",
);
static CUSTOMER: Statement = Statement::new(
    "INSERT INTO customers (account_id, provider, livemode, provider_customer_id, generation, created_at, updated_at) \
     VALUES ('user_' || :name, 'stripe', 0, 'cus_' || :name, 1, 1, 1)",
);

/// A plan with its price.
struct Sold {
    id: &'static str,
    price: &'static str,
    credits: i64,
    amount: i64,
    rule: String,
    cap: Option<i64>,
}

impl Write for Sold {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let Self { id, price, credits, amount, rule, cap } = self;
        let (rule, trial_credits) = (rule.as_str(), TRIAL_CREDITS);
        let plan = args![id = *id, credits = *credits, rule, cap = *cap, trial_credits];
        tx.execute(&PLAN, &plan).await?;
        tx.execute(&PRICE, &args![price = *price, id = *id, amount = *amount]).await.map(drop)
    }
}

/// The customer of an account, which have this name.
struct Customer(String);

impl Write for Customer {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        tx.execute(&CUSTOMER, &args![name = self.0.as_str()]).await.map(drop)
    }
}

/// A service, the provider, and the books.
pub struct World {
    pub service: TestApp,
    pub app: Arc<App>,
    pub provider: Arc<Provider>,
}

/// One account with its subscription.
#[derive(Clone)]
pub struct Story {
    /// The name in all its ids.
    pub name: String,
    /// When its first period begins, in seconds since 1970.
    pub start: i64,
}

impl World {
    /// A world in which two plans are sold, with this rule for what is left.
    pub async fn start(backend: Backend, rollover: &str) -> Self {
        let service = TestApp::start(backend).await;
        let provider = Arc::new(Provider::default());
        let mut app =
            Arc::into_inner(service.start_replica_with(service.clock.clone()).await).expect("nobody else has it");
        app.provider.subscriptions = provider.clone();
        app.provider.invoices = provider.clone();
        app.provider.disputes = provider.clone();
        app.provider.lists = provider.clone();
        let (rule, cap) = match rollover.split_once(' ') {
            Some((rule, cap)) => (rule, cap.parse().ok()),
            None => (rollover, None),
        };
        for (id, price, credits, amount) in [("basic", BASIC, BASIC_CREDITS, 1_000), ("pro", PRO, PRO_CREDITS, 3_000)] {
            let rule = rule.to_owned();
            app.db.write(Sold { id, price, credits, amount, rule, cap }).await.expect("a plan");
        }
        Self { service, app: Arc::new(app), provider }
    }

    /// A new account with a customer. Its first period began an hour ago.
    pub async fn story(&self, name: &str) -> Story {
        self.app.db.write(Customer(name.to_owned())).await.expect("a customer");
        Story { name: name.to_owned(), start: self.app.clock.now_ms() / 1_000 - 3_600 }
    }

    /// Says how a subscription is now.
    pub fn is(&self, report: SubscriptionReport) {
        let mut now = self.provider.0.lock().expect("unpoisoned");
        now.subscriptions.insert(report.id.to_string(), report);
    }

    /// Says how an invoice is now.
    pub fn bills(&self, report: InvoiceReport) {
        let mut now = self.provider.0.lock().expect("unpoisoned");
        for payment in &report.payments {
            now.payments.insert(payment.to_string(), report.id.to_string());
        }
        now.invoices.insert(report.id.to_string(), report);
    }

    /// Says how a dispute is now.
    pub fn disputes(&self, report: DisputeReport) {
        self.provider.0.lock().expect("unpoisoned").disputes.insert(report.id.to_string(), report);
    }

    /// Says how a refund is now.
    pub fn refunds(&self, report: RefundReport) {
        self.provider.0.lock().expect("unpoisoned").refunds.insert(report.id.to_string(), report);
    }

    /// The customer has to confirm the payment of an invoice.
    pub fn waits(&self, invoice: &str) {
        self.provider.0.lock().expect("unpoisoned").waiting.push(invoice.to_owned());
    }

    /// The next reads of subscriptions fail.
    pub fn fails(&self, times: u64) {
        self.provider.0.lock().expect("unpoisoned").failures = times;
    }

    /// How often subscriptions were read.
    pub fn reads(&self) -> u64 {
        self.provider.0.lock().expect("unpoisoned").reads
    }

    /// Delivers an event.
    pub async fn deliver(&self, event: &Value) -> Result<EventOutcome, ApplyEventError> {
        let id = event["id"].as_str().expect("an id");
        apply_stored(&self.app, id, event.to_string().as_bytes()).await
    }

    /// Delivers an event that must be decided.
    pub async fn decide(&self, event: &Value) -> &'static str {
        match self.deliver(event).await {
            Ok(EventOutcome::Decided(outcome)) => outcome,
            other => panic!("{event}: {other:?}"),
        }
    }

    /// The balance of an account.
    pub async fn balance(&self, story: &Story) -> i64 {
        let account = AccountId::parse(format!("user_{}", story.name)).expect("an account");
        topup::books::settle_account::settled_balance(&self.app, &account).await.expect("readable").remaining_credits
    }

    /// The messages of an account, in their order.
    pub async fn told(&self, story: &Story) -> Vec<String> {
        let account = format!("user_{}", story.name);
        let rows: Vec<Told> = self.app.db.read_all(&TOLD, &args![account = account.as_str()]).await.expect("readable");
        rows.into_iter().map(|row| row.name).collect()
    }

    /// Messages are written from now on, as if there were an endpoint.
    pub async fn listen(&self) {
        self.app.db.execute_raw("UPDATE outbox SET is_on = 1, since = 9000000000000").await.expect("done");
    }

    /// Compares everything with the provider's lists. Returns the credits that were missing, and the number of findings.
    pub async fn reconcile(&self) -> (i64, u64) {
        let pace = Pace { interval: Duration::ZERO, backoff: Duration::from_millis(1), ..Pace::default() };
        let options = Options { cause: RunCause::Command, dry_run: false, since_days: 30, pace };
        let ended = topup::reconcile::reconcile(&self.app, options, std::future::pending()).await.expect("ends");
        assert!(ended.is_clean(), "{:?}", ended.report);
        let missing = [&ended.report.missing_credits, &ended.report.missing_states, &ended.report.missing_reversals];
        let found = missing.into_iter().map(|findings| findings.count).sum();
        (ended.report.missing_credits_sum, found)
    }

    /// Stops everything and checks the books, also by the audit.
    pub async fn finish(self) {
        let report = topup::books::audit::audit(&self.app.db, true).await.expect("readable");
        assert!(report.is_clean(), "{report:#?}");
        self.app.db.close().await;
        self.service.finish().await;
    }
}

impl Story {
    /// The subscription, running with this price.
    pub fn subscription(&self, price: &str) -> SubscriptionReport {
        SubscriptionReport {
            id: SubscriptionId::parse(STRIPE, format!("sub_{}", self.name)).expect("an id"),
            customer: CustomerId::parse(STRIPE, format!("cus_{}", self.name)).expect("an id"),
            livemode: false,
            status: SubscriptionStatus::Active,
            account: Some(format!("user_{}", self.name)),
            items: vec![SubscriptionItem {
                id: format!("si_{}", self.name),
                price: PriceId::parse(STRIPE, price).expect("an id"),
                product: None,
                period_start_seconds: Some(self.start),
                period_end_seconds: Some(self.start + 30 * DAY),
            }],
            trial_start_seconds: None,
            trial_end_seconds: None,
            cancel_at_seconds: None,
            cancels_at_period_end: false,
            canceled_at_seconds: None,
            ended_at_seconds: None,
            cancel_reason: None,
            latest_invoice: None,
            schedule: None,
            is_update_pending: false,
            created_seconds: self.start,
        }
    }

    /// A paid invoice with these lines: price, amount, whether it is a part of a period, and its period in days.
    pub fn invoice(&self, name: &str, reason: &str, lines: &[(&str, i64, bool, (i64, i64))]) -> InvoiceReport {
        let line = |(price, amount_minor, is_proration, (from, to)): &(&str, i64, bool, (i64, i64))| InvoiceLine {
            price: PriceId::parse(STRIPE, *price).ok(),
            amount_minor: *amount_minor,
            quantity: 1,
            is_proration: *is_proration,
            period_start_seconds: self.start + from * DAY,
            period_end_seconds: self.start + to * DAY,
        };
        let total_minor = lines.iter().map(|(_, amount, ..)| amount).sum();
        InvoiceReport {
            id: InvoiceId::parse(STRIPE, format!("in_{}_{name}", self.name)).expect("an id"),
            subscription: SubscriptionId::parse(STRIPE, format!("sub_{}", self.name)).ok(),
            livemode: false,
            status: InvoiceStatus::Paid,
            reason: reason.to_owned(),
            currency: "usd".to_owned(),
            total_minor,
            tax_minor: 0,
            added_tax_minor: 0,
            amount_paid_minor: total_minor,
            attempts: 1,
            next_attempt_seconds: None,
            hosted_url: Some(format!("https://invoice.example/{name}")),
            number: None,
            created_seconds: self.start,
            paid_at_seconds: Some(self.start),
            lines: lines.iter().map(line).collect(),
            payments: PaymentId::parse(STRIPE, format!("pi_{}_{name}", self.name)).into_iter().collect(),
        }
    }

    /// An event about an invoice, in the shape of a version before basil or after it.
    pub fn invoice_event(&self, name: &str, event_type: &str, is_old: bool) -> Value {
        let subscription = format!("sub_{}", self.name);
        let mut object = json!({ "id": format!("in_{}_{name}", self.name), "customer": format!("cus_{}", self.name) });
        if is_old {
            object["subscription"] = json!(subscription);
            object["paid"] = json!(true);
        } else {
            object["parent"] =
                json!({ "type": "subscription_details", "subscription_details": { "subscription": subscription } });
        }
        self.event(&format!("{event_type}_{name}"), event_type, &object)
    }

    /// An event about the subscription.
    pub fn subscription_event(&self, name: &str, event_type: &str) -> Value {
        let object = json!({ "id": format!("sub_{}", self.name), "customer": format!("cus_{}", self.name) });
        self.event(name, event_type, &object)
    }

    /// An event about a refund of an invoice's payment.
    pub fn refund_event(&self, name: &str, invoice: &str, amount: i64, status: &str) -> Value {
        let object = json!({ "id": format!("re_{}_{invoice}", self.name), "object": "refund", "amount": amount,
            "currency": "usd", "status": status, "payment_intent": format!("pi_{}_{invoice}", self.name) });
        self.event(name, "refund.updated", &object)
    }

    /// An event about a dispute of an invoice's payment.
    pub fn dispute_event(&self, name: &str, invoice: &str) -> Value {
        let object = json!({ "id": format!("du_{}_{invoice}", self.name), "object": "dispute",
            "payment_intent": format!("pi_{}_{invoice}", self.name) });
        self.event(name, "charge.dispute.updated", &object)
    }

    fn event(&self, name: &str, event_type: &str, object: &Value) -> Value {
        let id = format!("evt_{}_{}", self.name, name.replace('.', "_"));
        json!({ "id": id, "object": "event", "type": event_type, "livemode": false, "data": { "object": object } })
    }
}
