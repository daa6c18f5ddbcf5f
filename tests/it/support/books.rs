//! A database without a service: top-ups are inserted and Stripe's reports are made up, one field at a time.

use futures_util::FutureExt;
use topup::books::audit::audit;
use topup::db::{Db, Statement, StoreError};
use topup::domain::account::AccountId;
use topup::domain::checkout::{PurchaseProgress, PurchaseReport, TopupState};
use topup::domain::credit_unit::CreditUnit;
use topup::domain::currency::Currency;
use topup::domain::fees::{FeeMode, FeePolicy, RatePercent};
use topup::domain::ids::{EventId, LedgerEntryId, PaymentId, SessionId, TopupId};
use topup::domain::judge::Applied;
use topup::domain::pricing::{Credits, Quote};
use topup::providers::port::CheckoutRequest;
use topup::providers::stripe::name::NAME as STRIPE;
use topup::purchases::payment::apply::ApplyPayment;
use topup::purchases::topups::{self, NewTopup, Topup};

use super::closure::closure;
use super::database::{Backend, TestDatabase};

/// The default time of a write.
pub const NOW_MS: i64 = 1_800_000_000_000;

/// The number of rows in the tables that a delivery can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, sqlx::FromRow)]
pub struct Rows {
    /// Decided events.
    pub events: i64,
    /// Events without an effect.
    pub failed: i64,
    /// Ledger entries.
    pub entries: i64,
    /// Accounts.
    pub accounts: i64,
    /// Paid top-ups.
    pub paid: i64,
}

static ROWS: Statement = Statement::new(
    "SELECT (SELECT COUNT(*) FROM webhook_events) AS events, (SELECT COUNT(*) FROM failed_webhook_events) AS failed, \
    (SELECT COUNT(*) FROM ledger_entries) AS entries, (SELECT COUNT(*) FROM accounts) AS accounts, \
    (SELECT COUNT(*) FROM topups WHERE state = 'paid') AS paid",
);

/// Counts the rows.
pub async fn rows(db: &Db) -> Rows {
    db.read_optional(&ROWS, &[]).await.expect("readable").expect("a row")
}

/// A database, with functions to write to it.
pub struct Books {
    /// The database.
    pub db: Db,
    /// Its location.
    pub database: TestDatabase,
}

impl Books {
    /// Empty books.
    pub async fn open(backend: Backend) -> Self {
        let database = TestDatabase::migrated(backend).await;
        Self { db: database.connect().await, database }
    }

    /// Empty books whose sessions wait for a lock for as long as the test holds it.
    pub async fn open_patiently(backend: Backend) -> Self {
        let database = TestDatabase::migrated(backend).await;
        Self { db: database.connect_patiently().await, database }
    }

    /// Checks the books and closes them. Every test ends with this.
    pub async fn finish(self) {
        assert_eq!(self.db.broken_rules().await.expect("readable"), Vec::<&str>::new(), "the books are wrong");
        let report = audit(&self.db, true).await.expect("readable");
        assert_eq!(report.first, [], "the audit finds differences");
        self.db.close().await;
    }

    /// Inserts a top-up.
    pub async fn insert(&self, new: NewTopup) {
        self.try_insert(new).await.expect("is written");
    }

    /// Tries to insert a top-up.
    pub async fn try_insert(&self, new: NewTopup) -> Result<(), StoreError> {
        self.db
            .write(closure(move |tx| {
                let new = new.clone();
                async move { topups::insert(tx, &new).await }.boxed()
            }))
            .await
    }

    /// Writes the usual purchase down, with Stripe's answer; gives what Stripe says when it is paid.
    pub async fn opened(&self, number: u128) -> PurchaseReport {
        self.opened_as(new_topup(number)).await
    }

    /// Writes a purchase down, with Stripe's answer; gives what Stripe says when it is paid.
    pub async fn opened_as(&self, new: NewTopup) -> PurchaseReport {
        let report = paid_report(&new);
        self.insert(new).await;
        let (id, session) = (report.topup.clone(), report.session.clone());
        let stored = self
            .db
            .write(closure(move |tx| {
                let (id, session) = (id.clone(), session.clone());
                async move { topups::opened(tx, &id, &session, Some("https://page"), NOW_MS, NOW_MS).await }.boxed()
            }))
            .await;
        assert!(stored.expect("is written"), "the purchase has another session");
        report
    }

    /// Applies what Stripe says.
    pub async fn apply(&self, report: PurchaseReport) -> Result<Applied, StoreError> {
        apply(&self.db, report).await
    }

    /// A top-up that must exist.
    pub async fn topup(&self, id: &TopupId) -> Topup {
        self.db.topup(id).await.expect("readable").expect("a top-up")
    }

    /// The state of a top-up that must exist.
    pub async fn state(&self, id: &TopupId) -> TopupState {
        self.topup(id).await.state
    }

    /// The balance of an account.
    pub async fn balance(&self, account: &str) -> i64 {
        self.db.balance(&account_id(account)).await.expect("readable").remaining_credits
    }

    /// The number of rows in the tables that a delivery can change.
    pub async fn rows(&self) -> Rows {
        rows(&self.db).await
    }
}

/// Applies what Stripe says to a database.
pub async fn apply(db: &Db, report: PurchaseReport) -> Result<Applied, StoreError> {
    use std::sync::atomic::{AtomicU64, Ordering};
    static ENTRY: AtomicU64 = AtomicU64::new(1);
    let next = || LedgerEntryId::from_bits(ENTRY.fetch_add(1, Ordering::SeqCst).into());
    let (entry, reversal_entry) = (next(), next());
    let mut outcomes = db.apply(vec![ApplyPayment { report, entry, reversal_entry, now_ms: NOW_MS }]).await;
    assert_eq!(outcomes.len(), 1, "one outcome for one command");
    outcomes.remove(0)
}

/// An account's name.
pub fn account_id(text: &str) -> AccountId {
    AccountId::parse(text).expect("an account")
}

/// A top-up of 250 credits by `user_1`.
pub fn new_topup(number: u128) -> NewTopup {
    topup_of(number, "user_1", 250)
}

/// A top-up of any number of credits, for 289 cents. Its unit is 50 credits for 50 cents, so that a write that forgets
/// one of the two numbers is noticed.
pub fn topup_of(number: u128, account: &str, credits: i64) -> NewTopup {
    let id = TopupId::from_bits(number);
    let unit = CreditUnit::new(50, 50).expect("a unit");
    let quote = Quote {
        credits: Credits::new(credits).expect("credits"),
        currency: Currency::USD,
        unit,
        credits_amount_minor: 250,
        fee_amount_minor: 39,
        total_amount_minor: 289,
        tax: None,
        bonus_credits: 0,
        expiry: None,
    };
    let fees = FeePolicy {
        mode: FeeMode::GrossUp,
        rate: RatePercent::parse("2.9").expect("a rate"),
        fixed_minor: 30,
        label: "Processing fee".to_owned(),
        tax: None,
    };
    let request = CheckoutRequest {
        topup_id: id.as_str().to_owned(),
        account_id: account.to_owned(),
        credits,
        currency: "usd".to_owned(),
        credit_unit_credits: unit.credits(),
        credit_unit_amount_minor: unit.amount_minor(),
        credit_display_decimals: 0,
        fee_amount_minor: 39,
        fee_label: "Processing fee".to_owned(),
        bonus_credits: None,
        credits_expire_days: None,
        success_url: "https://app.example.com/done".to_owned(),
        cancel_url: None,
        expires_at_seconds: NOW_MS / 1_000 + 3_600,
        payment_methods: vec!["card".to_owned()],
        customer: None,
        saves_card: false,
        tax: None,
        makes_invoice: false,
        payment_method: None,
        terms: None,
        signature: None,
    };
    let account = account_id(account);
    NewTopup {
        id,
        account,
        quote,
        fees,
        expected_fee_minor: 38,
        livemode: false,
        provider: STRIPE,
        request,
        now_ms: NOW_MS,
    }
}

/// What Stripe says of a purchase when it is paid and all is as agreed.
pub fn paid_report(new: &NewTopup) -> PurchaseReport {
    let digits = new.id.as_str().trim_start_matches(TopupId::PREFIX);
    PurchaseReport {
        event_created_ms: None,
        event: Some(event(&format!("evt_{digits}"))),
        livemode: new.livemode,
        session: SessionId::parse(STRIPE, format!("cs_test_{digits}")).expect("an id"),
        topup: new.id.clone(),
        progress: PurchaseProgress::Paid,
        account: Some(new.account.as_str().to_owned()),
        client_reference: Some(new.account.as_str().to_owned()),
        credits: Some(new.quote.credits.get().to_string()),
        bonus: (new.quote.bonus_credits != 0).then(|| new.quote.bonus_credits.to_string()),
        expire_days: new.quote.expiry.map(|days| days.get().to_string()),
        mode: Some("payment".to_owned()),
        currency: Some(new.quote.currency.as_str().to_owned()),
        amount_subtotal_minor: Some(new.quote.total_amount_minor),
        amount_total_minor: Some(new.quote.total_amount_minor),
        amount_tax_minor: None,
        payment: Some(PaymentId::parse(STRIPE, format!("pi_{digits}")).expect("an id")),
        seal: None,
    }
}

/// An event's id and type.
pub fn event(id: &str) -> (EventId, String) {
    (EventId::parse(STRIPE, id).expect("an id"), "checkout.session.completed".to_owned())
}

/// The same news about the same purchase, in another event and with another progress.
pub fn news(report: &PurchaseReport, event_id: &str, progress: PurchaseProgress) -> PurchaseReport {
    PurchaseReport { event: Some(event(event_id)), progress, ..report.clone() }
}
