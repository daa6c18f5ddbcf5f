//! Our books as the simulation reads them from either database: the rows that money depends on, nothing derived.

use std::collections::{BTreeMap, BTreeSet};

use topup::db::{Db, Statement};

/// A top-up.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Topup {
    /// Its id.
    pub id: String,
    /// The account that gets the credits.
    pub account_id: String,
    /// Its state.
    pub state: String,
    /// The number of credits.
    pub credits: i64,
    /// The number of credits in a unit.
    pub credit_unit_credits: i64,
    /// The price of a unit.
    pub credit_unit_amount: i64,
    /// The amount the customer pays.
    pub total_amount: i64,
    /// Stripe's session id.
    pub provider_session_id: Option<String>,
    /// Stripe's payment id.
    pub provider_payment_id: Option<String>,
    /// How many of its credits were taken back.
    pub taken_credits: i64,
    /// The credits given on top.
    pub bonus_credits: i64,
    /// For how many days its credits are good.
    pub credits_expire_days: Option<i64>,
    /// When it was paid.
    pub paid_at: Option<i64>,
}

/// A refund or dispute.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Reversal {
    /// Stripe's id.
    pub id: String,
    /// The payment.
    pub provider_payment_id: String,
    /// Its amount.
    pub amount: i64,
    /// Its status at Stripe.
    pub status: String,
    /// 1 if its amount counts as reversed.
    pub counts: i64,
    /// How much of it came back nevertheless.
    pub returned: i64,
    /// The invoice of a subscription that the payment was for.
    pub invoice: Option<String>,
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Payment {
    /// Stripe's id.
    #[sqlx(rename = "provider_payment_id")]
    pub id: String,
    /// Its relation to the top-up.
    pub state: String,
    /// Stripe's fee.
    pub real_fee: Option<i64>,
    /// The balance transaction with the fee.
    pub provider_fee_id: Option<String>,
    /// When the fee is due to be requested.
    pub fee_due_at: Option<i64>,
    /// How often it was requested.
    pub fee_tries: i64,
}

/// Credits that an operator added or removed.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Adjustment {
    /// The idempotency key of the request.
    pub idempotency_key: String,
    /// The account.
    pub account_id: String,
    /// The number of credits.
    pub credits: i64,
}

/// Credits spent.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Spend {
    /// Its id.
    pub id: String,
    /// The account.
    pub account_id: String,
    /// The number of credits.
    pub credits: i64,
    /// How many were given back.
    pub refunded_credits: i64,
    /// The part of the account.
    pub subject: String,
    /// When it was made.
    pub created_at: i64,
    /// The hold that it captured.
    pub hold_id: Option<String>,
    /// The idempotency key of the request.
    pub idempotency_key: String,
}

/// Credits reserved.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Hold {
    /// Its id.
    pub id: String,
    /// The account.
    pub account_id: String,
    /// The number of credits.
    pub credits: i64,
    /// The part of the account.
    pub subject: String,
    /// Its state.
    pub state: String,
    /// When it ends.
    pub expires_at: i64,
    /// The credits that were captured.
    pub captured_credits: Option<i64>,
    /// The credits that the capture asked for.
    pub asked_to_capture: Option<i64>,
    /// The idempotency key of the request.
    pub idempotency_key: String,
}

/// Credits whose time ended.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Expiry {
    /// The account.
    pub account_id: String,
    /// The grant.
    pub grant_id: String,
    /// The number of credits; negative.
    pub credits: i64,
    /// When it was written.
    pub created_at: i64,
}

/// What a period of a subscription, or a trial, brought.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct PeriodGrant {
    /// The subscription, the price and the beginning of the period.
    pub id: String,
    /// `period` or `trial`.
    pub kind: String,
    /// The account.
    pub account_id: String,
    /// The subscription.
    pub provider_subscription_id: String,
    /// The invoice.
    pub provider_invoice_id: String,
    /// When the period begins.
    pub period_start: i64,
    /// When it ends.
    pub period_end: i64,
    /// What becomes of what is left.
    pub rollover: String,
    /// The plan's credits for it.
    pub worth: i64,
    /// How many were given.
    pub credits: i64,
    /// How many were taken back.
    pub taken_credits: i64,
    /// How many are left of the grant.
    pub remaining: Option<i64>,
    /// When the grant ends.
    pub expires_at: Option<i64>,
}

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Subscription {
    /// Stripe's id.
    pub id: String,
    /// The account.
    pub account_id: String,
    /// The price of its plan.
    pub provider_price_id: Option<String>,
    /// Its status.
    pub status: String,
    /// When its period ends.
    pub period_end: Option<i64>,
    /// When it ends, if that is decided.
    pub cancel_at: Option<i64>,
    /// Whether a change waits for its payment.
    pub is_update_pending: i64,
}

/// A purchase that a saved card was charged for, or was to be.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Attempt {
    /// The top-up.
    pub topup_id: String,
    /// The account.
    pub account_id: String,
    /// When the credits ran low.
    pub crossed_at: i64,
    /// Its price.
    pub amount: i64,
    /// What came of it.
    pub outcome: String,
    /// When it began.
    pub started_at: i64,
}

#[derive(sqlx::FromRow)]
struct Account {
    id: String,
    balance: i64,
}

#[derive(sqlx::FromRow)]
struct Event {
    id: String,
}

static TOPUPS: Statement = Statement::new(
    "SELECT id, account_id, state, credits, credit_unit_credits, credit_unit_amount, total_amount, \
     provider_session_id, provider_payment_id, taken_credits, bonus_credits, credits_expire_days, paid_at FROM topups \
     ORDER BY id",
);
static REVERSALS: Statement = Statement::new(
    "SELECT provider_reversal_id AS id, provider_payment_id, amount, status, counts, returned, NULL AS invoice \
     FROM reversals UNION ALL SELECT provider_reversal_id, provider_payment_id, amount, status, counts, returned, \
     provider_invoice_id FROM subscription_reversals ORDER BY 1",
);
static PAYMENTS: Statement =
    Statement::new("SELECT provider_payment_id, state, real_fee, provider_fee_id, fee_due_at, fee_tries FROM payments");
static ADJUSTMENTS: Statement = Statement::new("SELECT idempotency_key, account_id, credits FROM adjustments");
static SPENDS: Statement = Statement::new(
    "SELECT id, account_id, credits, refunded_credits, subject, created_at, hold_id, idempotency_key FROM spends",
);
static HOLDS: Statement = Statement::new(
    "SELECT h.id, h.account_id, h.credits, h.subject, h.state, h.expires_at, h.captured_credits, s.asked_credits AS asked_to_capture, \
     h.idempotency_key FROM holds h LEFT JOIN spends s ON s.id = h.spend_id",
);
static EXPIRIES: Statement = Statement::new(
    "SELECT account_id, grant_id, credits, created_at FROM ledger_entries WHERE kind = 'expiry' \
     ORDER BY account_id, sequence",
);
static PERIODS: Statement = Statement::new(
    "SELECT s.id, s.kind, s.account_id, s.provider_subscription_id, s.provider_invoice_id, s.period_start, \
     s.period_end, s.rollover, s.worth, s.credits, s.taken_credits, g.remaining, g.expires_at \
     FROM subscription_grants s LEFT JOIN grants g ON g.id = s.id ORDER BY s.id",
);
static SUBSCRIPTIONS: Statement = Statement::new(
    "SELECT provider_subscription_id AS id, account_id, provider_price_id, status, period_end, cancel_at, \
     is_update_pending FROM subscriptions ORDER BY 1",
);
static ATTEMPTS: Statement = Statement::new(
    "SELECT topup_id, account_id, crossed_at, amount, outcome, started_at FROM auto_topup_attempts ORDER BY topup_id",
);
static ACCOUNTS: Statement = Statement::new("SELECT id, balance FROM accounts");
static EVENTS: Statement = Statement::new("SELECT provider_event_id AS id FROM webhook_events");

/// All of the books.
#[derive(Debug, Default, Clone)]
pub struct Books {
    /// By id.
    pub topups: BTreeMap<String, Topup>,
    /// By Stripe's id.
    pub reversals: BTreeMap<String, Reversal>,
    /// By Stripe's id.
    pub payments: BTreeMap<String, Payment>,
    /// Each account's balance.
    pub balances: BTreeMap<String, i64>,
    /// By idempotency key.
    pub adjustments: BTreeMap<String, Adjustment>,
    /// By id.
    pub spends: BTreeMap<String, Spend>,
    /// By id.
    pub holds: BTreeMap<String, Hold>,
    /// What ended, in the order of accounts and entries.
    pub expiries: Vec<Expiry>,
    /// By id.
    pub periods: BTreeMap<String, PeriodGrant>,
    /// By Stripe's id.
    pub subscriptions: BTreeMap<String, Subscription>,
    /// The attempts to charge saved cards, in the order of their top-ups.
    pub attempts: Vec<Attempt>,
    /// The decided events.
    pub events: BTreeSet<String>,
    /// The store's own rules that are broken.
    pub broken_rules: Vec<&'static str>,
}

impl Books {
    /// Reads all of it. There are no concurrent writes.
    pub async fn read(db: &Db) -> Self {
        let topups: Vec<Topup> = db.read_all(&TOPUPS, &[]).await.expect("readable");
        let reversals: Vec<Reversal> = db.read_all(&REVERSALS, &[]).await.expect("readable");
        let payments: Vec<Payment> = db.read_all(&PAYMENTS, &[]).await.expect("readable");
        let adjustments: Vec<Adjustment> = db.read_all(&ADJUSTMENTS, &[]).await.expect("readable");
        let spends: Vec<Spend> = db.read_all(&SPENDS, &[]).await.expect("readable");
        let holds: Vec<Hold> = db.read_all(&HOLDS, &[]).await.expect("readable");
        let periods: Vec<PeriodGrant> = db.read_all(&PERIODS, &[]).await.expect("readable");
        let subscriptions: Vec<Subscription> = db.read_all(&SUBSCRIPTIONS, &[]).await.expect("readable");
        let accounts: Vec<Account> = db.read_all(&ACCOUNTS, &[]).await.expect("readable");
        let events: Vec<Event> = db.read_all(&EVENTS, &[]).await.expect("readable");
        Self {
            topups: topups.into_iter().map(|topup| (topup.id.clone(), topup)).collect(),
            reversals: reversals.into_iter().map(|reversal| (reversal.id.clone(), reversal)).collect(),
            payments: payments.into_iter().map(|payment| (payment.id.clone(), payment)).collect(),
            adjustments: adjustments.into_iter().map(|each| (each.idempotency_key.clone(), each)).collect(),
            spends: spends.into_iter().map(|spend| (spend.id.clone(), spend)).collect(),
            holds: holds.into_iter().map(|hold| (hold.id.clone(), hold)).collect(),
            balances: accounts.into_iter().map(|account| (account.id, account.balance)).collect(),
            expiries: db.read_all(&EXPIRIES, &[]).await.expect("readable"),
            periods: periods.into_iter().map(|period| (period.id.clone(), period)).collect(),
            subscriptions: subscriptions.into_iter().map(|each| (each.id.clone(), each)).collect(),
            attempts: db.read_all(&ATTEMPTS, &[]).await.expect("readable"),
            events: events.into_iter().map(|event| event.id).collect(),
            broken_rules: db.broken_rules().await.expect("readable"),
        }
    }
}
