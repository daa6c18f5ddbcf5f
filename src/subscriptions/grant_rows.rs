//! The rows of what periods and trials brought.

use crate::db::{Db, StoreError, Tx, args, statements};
use crate::domain::account::AccountId;
use crate::domain::ids::{InvoiceId, PriceId, SubscriptionId};
use crate::domain::period_credits::PeriodKind;
use crate::domain::plan::{PlanId, Rollover};

/// The most grants of an invoice, and of a subscription that are shown.
const MAX_SHOWN: i64 = 200;

/// What a period or a trial brought. Times are in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct PeriodGrant {
    /// The id of the grant, and the source of its ledger entry.
    pub id: String,
    /// `period` or `trial`.
    pub kind: String,
    /// The account.
    pub account_id: String,
    /// The subscription.
    pub provider_subscription_id: String,
    /// The invoice.
    pub provider_invoice_id: String,
    /// The plan.
    pub plan_id: String,
    /// When the period begins.
    pub period_start: i64,
    /// When it ends.
    pub period_end: i64,
    /// The plan's credits for it.
    pub worth: i64,
    /// How many of them were given.
    pub credits: i64,
    /// How many were taken back.
    pub taken_credits: i64,
    /// How many of those from the grant itself.
    pub taken_own: i64,
    /// Numbers the changes of what is taken.
    pub revision: i64,
    /// When it was booked.
    pub created_at: i64,
}

statements! {
    INSERT = "INSERT INTO subscription_grants (id, kind, account_id, provider_subscription_id, provider, \
        provider_invoice_id, provider_price_id, plan_id, period_start, period_end, rollover, worth, credits, \
        taken_credits, taken_own, revision, created_at) VALUES (:id, :kind, :account, :subscription, :provider, \
        :invoice, :price, :plan, :period_start, :period_end, :rollover, :worth, :credits, 0, 0, 0, :now_ms) ON CONFLICT (id) DO NOTHING";
    IS_KNOWN = "SELECT id FROM subscription_grants WHERE id = :id";
    /// Adjacent periods do not overlap, and a trial covers nothing that is paid.
    COVERED = "SELECT CAST(COALESCE(MAX(worth), 0) AS BIGINT) AS worth FROM subscription_grants \
        WHERE provider_subscription_id = :subscription AND period_end > :period_start \
        AND period_start < :period_end AND kind = 'period' AND provider = :provider";
    OTHER_TRIALS = "SELECT CAST(COALESCE(MAX(worth), 0) AS BIGINT) AS worth FROM subscription_grants \
        WHERE account_id = :account AND kind = 'trial' AND provider_subscription_id <> :subscription";
    OF_INVOICE = "SELECT id, kind, account_id, provider_subscription_id, provider_invoice_id, plan_id, period_start, \
        period_end, worth, credits, taken_credits, taken_own, revision, created_at FROM subscription_grants \
        WHERE provider_invoice_id = :invoice AND provider = :provider ORDER BY id LIMIT :limit";
    OF_SUBSCRIPTION = "SELECT id, kind, account_id, provider_subscription_id, provider_invoice_id, plan_id, \
        period_start, period_end, worth, credits, taken_credits, taken_own, revision, created_at \
        FROM subscription_grants WHERE provider_subscription_id = :subscription ORDER BY period_end DESC, id \
        LIMIT :limit";
    /// The beginning of the latest paid period.
    LATEST_START = "SELECT MAX(period_start) AS period_start FROM (SELECT period_start FROM subscription_grants \
        WHERE provider_subscription_id = :subscription AND kind = 'period' AND provider = :provider \
        ORDER BY period_end DESC LIMIT 5) AS latest";
    /// What is left of the periods that ended before a time, oldest first. What was sold to be kept stays, whatever plan
    /// follows.
    LEFT_BEFORE = "SELECT s.id, g.remaining FROM subscription_grants s CROSS JOIN grants g \
        WHERE s.provider_subscription_id = :subscription AND s.provider = :provider AND s.period_end <= :before_ms \
        AND s.rollover || '' <> 'keep' AND g.id = s.id AND g.remaining > 0 ORDER BY s.period_end, s.id LIMIT :limit";
    SET_TAKEN = "UPDATE subscription_grants SET taken_credits = :taken, taken_own = :own, revision = revision + 1 \
        WHERE id = :id";
}

#[derive(sqlx::FromRow)]
struct Worth {
    worth: i64,
}

#[derive(sqlx::FromRow)]
struct Known {}

#[derive(sqlx::FromRow)]
struct Latest {
    period_start: Option<i64>,
}

/// A grant of an earlier period, and what is left of it.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Left {
    pub(crate) id: String,
    pub(crate) remaining: i64,
}

/// A grant to be stored.
pub(crate) struct NewPeriodGrant<'g> {
    pub(crate) id: &'g str,
    pub(crate) kind: PeriodKind,
    pub(crate) account: &'g AccountId,
    pub(crate) subscription: &'g SubscriptionId,
    pub(crate) invoice: &'g InvoiceId,
    pub(crate) price: &'g PriceId,
    pub(crate) plan: &'g PlanId,
    pub(crate) period_start_ms: i64,
    pub(crate) period_end_ms: i64,
    pub(crate) rollover: Rollover,
    pub(crate) worth: i64,
    pub(crate) credits: i64,
    pub(crate) now_ms: i64,
}

/// Whether a period was booked before.
pub(crate) async fn is_known(tx: &mut Tx, id: &str) -> Result<bool, StoreError> {
    Ok(tx.fetch_optional::<Known>(&IS_KNOWN, &args![id]).await?.is_some())
}

/// Stores what a period brought.
pub(crate) async fn insert(tx: &mut Tx, new: &NewPeriodGrant<'_>) -> Result<(), StoreError> {
    let values = args![
        id = new.id,
        kind = new.kind.as_str(),
        account = new.account.as_str(),
        subscription = new.subscription.as_str(),
        provider = new.subscription.provider().as_str(),
        invoice = new.invoice.as_str(),
        price = new.price.as_str(),
        plan = new.plan.as_str(),
        period_start = new.period_start_ms,
        period_end = new.period_end_ms,
        rollover = new.rollover.as_str(),
        worth = new.worth,
        credits = new.credits,
        now_ms = new.now_ms
    ];
    if tx.execute(&INSERT, &values).await? == 1 { Ok(()) } else { Err(StoreError::Overtaken) }
}

/// How much of a time earlier grants cover: the credits of the best plan that was paid for a part of it.
pub(crate) async fn covered(
    tx: &mut Tx,
    subscription: &SubscriptionId,
    (period_start, period_end): (i64, i64),
) -> Result<i64, StoreError> {
    let values = args![
        subscription = subscription.as_str(),
        provider = subscription.provider().as_str(),
        period_start,
        period_end
    ];
    let row: Option<Worth> = tx.fetch_optional(&COVERED, &values).await?;
    Ok(row.map_or(0, |row| row.worth))
}

/// Whether an account got credits for the trial of another subscription.
pub(crate) async fn had_other_trial(
    tx: &mut Tx,
    account: &AccountId,
    subscription: &SubscriptionId,
) -> Result<bool, StoreError> {
    let values = args![account = account.as_str(), subscription = subscription.as_str()];
    let row: Option<Worth> = tx.fetch_optional(&OTHER_TRIALS, &values).await?;
    Ok(row.is_some_and(|row| row.worth > 0))
}

/// What an invoice brought.
pub(crate) async fn of_invoice(tx: &mut Tx, invoice: &InvoiceId) -> Result<Vec<PeriodGrant>, StoreError> {
    let values = args![invoice = invoice.as_str(), provider = invoice.provider().as_str(), limit = MAX_SHOWN];
    tx.fetch_all(&OF_INVOICE, &values).await
}

/// What is left of the periods before the latest one.
pub(crate) async fn left_of_earlier(tx: &mut Tx, subscription: &SubscriptionId) -> Result<Vec<Left>, StoreError> {
    let (id, provider) = (subscription.as_str(), subscription.provider().as_str());
    let latest: Option<Latest> = tx.fetch_optional(&LATEST_START, &args![subscription = id, provider]).await?;
    let Some(before_ms) = latest.and_then(|latest| latest.period_start) else { return Ok(Vec::new()) };
    tx.fetch_all(&LEFT_BEFORE, &args![subscription = id, provider, before_ms, limit = MAX_SHOWN]).await
}

/// Stores how many credits of a grant are taken back, and how many of them from the grant itself.
pub(crate) async fn set_taken(tx: &mut Tx, id: &str, taken: i64, own: i64) -> Result<(), StoreError> {
    tx.execute(&SET_TAKEN, &args![id, taken, own]).await.map(drop)
}

impl Db {
    /// What the periods of a subscription brought, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn period_grants_of(&self, subscription: &str) -> Result<Vec<PeriodGrant>, StoreError> {
        self.read_all(&OF_SUBSCRIPTION, &args![subscription, limit = MAX_SHOWN]).await
    }
}
