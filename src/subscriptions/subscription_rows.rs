//! The rows of subscriptions.

use crate::db::{Db, StoreError, Tx, args, statements};
use crate::domain::account::AccountId;
use crate::domain::ids::{PriceId, SubscriptionId};
use crate::domain::plan::PlanId;
use crate::domain::provider::ProviderName;
use crate::domain::subscription::{SubscriptionReport, SubscriptionStatus};

/// The most subscriptions of an account that are shown.
const MAX_OF_ACCOUNT: i64 = 100;

/// A stored subscription. Times are in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Subscription {
    /// The provider's id.
    pub provider_subscription_id: String,
    /// The provider's name.
    pub provider: String,
    /// The account.
    pub account_id: String,
    /// The account's customer at the provider.
    pub provider_customer_id: String,
    /// The plan; `None` if its price is no plan's.
    pub plan_id: Option<String>,
    /// The price of the plan.
    pub provider_price_id: Option<String>,
    /// The name of its status.
    pub status: String,
    /// When its period began.
    pub period_start: Option<i64>,
    /// When its period ends.
    pub period_end: Option<i64>,
    /// When its trial began.
    pub trial_start: Option<i64>,
    /// When its trial ends or ended.
    pub trial_end: Option<i64>,
    /// When it ends, if that is decided.
    pub cancel_at: Option<i64>,
    /// When its end was decided.
    pub canceled_at: Option<i64>,
    /// When it ended.
    pub ended_at: Option<i64>,
    /// Why it ends or ended, in the provider's word.
    pub cancel_reason: Option<String>,
    /// The beginning of the period that is not paid, while it is past due.
    pub past_due_since: Option<i64>,
    /// The plan of the next period, if that is another one.
    pub next_plan_id: Option<String>,
    /// The schedule that changes it at the provider.
    pub provider_schedule_id: Option<String>,
    /// 1 if a change of the plan waits for its payment.
    pub is_update_pending: i64,
    /// 1 if its account may not have so many.
    pub is_extra: i64,
    /// 1 if the product was told that it began.
    pub has_started: i64,
    /// Incremented by each write.
    pub revision: i64,
    /// When it was created.
    pub created_at: i64,
    /// When it was last written.
    pub updated_at: i64,
}

impl Subscription {
    /// Its status.
    ///
    /// # Errors
    /// When the stored word is none.
    pub fn status(&self) -> Result<SubscriptionStatus, StoreError> {
        SubscriptionStatus::parse(&self.status)
            .ok_or_else(|| StoreError::corrupt("status of subscription", &self.provider_subscription_id))
    }

    /// The account.
    ///
    /// # Errors
    /// When the stored text is none.
    pub fn account(&self) -> Result<AccountId, StoreError> {
        AccountId::parse(self.account_id.as_str()).map_err(|error| StoreError::corrupt("account", error))
    }
}

macro_rules! with_columns {
    ($before:literal, $($after:literal),*) => {
        concat!(
            $before,
            " provider_subscription_id, provider, account_id, provider_customer_id, plan_id, provider_price_id, status, \
            period_start, period_end, trial_start, trial_end, cancel_at, canceled_at, ended_at, cancel_reason, \
            past_due_since, next_plan_id, provider_schedule_id, is_update_pending, is_extra, has_started, revision, \
            created_at, updated_at ",
            $($after),*
        )
    };
}

macro_rules! select {
    ($rest:literal) => {
        with_columns!("SELECT", "FROM subscriptions ", $rest)
    };
}

static FIND: crate::db::Statement =
    crate::db::Statement::new(select!("WHERE provider_subscription_id = :subscription AND provider = :provider"));
static OF_ACCOUNT: crate::db::Statement =
    crate::db::Statement::new(select!("WHERE account_id = :account ORDER BY created_at DESC LIMIT :limit"));
static PAGE: crate::db::Statement = crate::db::Statement::new(select!(
    "WHERE (created_at, provider_subscription_id) < (:before_ms, :before_id) \
    ORDER BY created_at DESC, provider_subscription_id DESC LIMIT :limit"
));
static UNFINISHED: crate::db::Statement = crate::db::Statement::new(select!(
    "WHERE status NOT IN ('canceled', 'incomplete_expired') AND created_at >= :from_ms \
    AND (created_at > :from_ms OR provider_subscription_id > :after_id) \
    ORDER BY created_at, provider_subscription_id LIMIT :limit"
));
static EXTRA: crate::db::Statement =
    crate::db::Statement::new(select!("WHERE is_extra = 1 ORDER BY account_id LIMIT :limit"));

/// Reads of whole rows, for the test that prepares every statement.
pub(crate) static READS: &[&crate::db::Statement] = &[&FIND, &OF_ACCOUNT, &PAGE, &UNFINISHED, &EXTRA];

statements! {
    /// An update is a lock on both databases.
    LOCK = with_columns!(
        "UPDATE subscriptions SET revision = revision WHERE provider_subscription_id = :subscription \
        AND provider = :provider RETURNING",
        ""
    );
    INSERT = "INSERT INTO subscriptions (provider_subscription_id, provider, account_id, provider_customer_id, status, \
        is_update_pending, is_extra, has_started, revision, created_at, updated_at) VALUES (:subscription, :provider, \
        :account, :customer, 'incomplete', 0, 0, 0, 0, :created_ms, :now_ms) \
        ON CONFLICT (provider_subscription_id, provider) DO NOTHING";
    UPDATE = with_columns!("UPDATE subscriptions SET plan_id = :plan, provider_price_id = :price, status = :status, \
        period_start = :period_start, period_end = :period_end, trial_start = :trial_start, trial_end = :trial_end, \
        cancel_at = :cancel_at, canceled_at = :canceled_at, ended_at = :ended_at, cancel_reason = :cancel_reason, \
        past_due_since = :past_due_since, next_plan_id = :next_plan, provider_schedule_id = :schedule, \
        is_update_pending = :is_update_pending, has_started = :has_started, revision = revision + 1, \
        updated_at = :now_ms WHERE provider_subscription_id = :subscription AND provider = :provider RETURNING", "");
    SET_NEXT_PLAN = "UPDATE subscriptions SET next_plan_id = :plan, revision = revision + 1, updated_at = :now_ms \
        WHERE provider_subscription_id = :subscription AND provider = :provider";
    RUNNING = "SELECT COUNT(CASE WHEN status IN ('trialing', 'active', 'past_due', 'unpaid', 'paused') THEN 1 END) \
        AS running, COUNT(CASE WHEN is_extra = 1 THEN 1 END) AS extra FROM subscriptions WHERE account_id = :account";
    TRIALS = "SELECT COUNT(*) AS count FROM (SELECT provider_subscription_id FROM subscriptions \
        WHERE account_id = :account AND trial_start IS NOT NULL LIMIT 1) AS trials";
    MARK_EXTRA = "UPDATE subscriptions SET is_extra = 1 WHERE provider_subscription_id = :subscription \
        AND provider = :provider";
    CLEAR_EXTRA = "UPDATE subscriptions SET is_extra = 0 WHERE account_id = :account AND is_extra = 1";
}

#[derive(sqlx::FromRow)]
struct Running {
    running: i64,
    /// How many are marked.
    extra: i64,
}

#[derive(sqlx::FromRow)]
struct Count {
    count: i64,
}

/// What a report changes of a row.
pub(crate) struct NewState<'s> {
    pub(crate) plan: Option<&'s PlanId>,
    pub(crate) price: Option<&'s PriceId>,
    pub(crate) past_due_since_ms: Option<i64>,
    pub(crate) next_plan: Option<&'s str>,
    pub(crate) has_started: bool,
}

fn ms(seconds: Option<i64>) -> Option<i64> {
    seconds.map(|seconds| seconds.saturating_mul(1_000))
}

/// Locks the row of a subscription, and reads it; `None` if there is none.
pub(crate) async fn lock(tx: &mut Tx, subscription: &SubscriptionId) -> Result<Option<Subscription>, StoreError> {
    let values = args![subscription = subscription.as_str(), provider = subscription.provider().as_str()];
    tx.fetch_optional(&LOCK, &values).await
}

/// Inserts a row, which says nothing yet; `false` if another process was faster.
pub(crate) async fn insert(
    tx: &mut Tx,
    report: &SubscriptionReport,
    account: &AccountId,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let values = args![
        subscription = report.id.as_str(),
        provider = report.id.provider().as_str(),
        account = account.as_str(),
        customer = report.customer.as_str(),
        created_ms = report.created_seconds.saturating_mul(1_000),
        now_ms
    ];
    Ok(tx.execute(&INSERT, &values).await? == 1)
}

/// Writes what a report says. Returns the row.
pub(crate) async fn update(
    tx: &mut Tx,
    report: &SubscriptionReport,
    state: &NewState<'_>,
    now_ms: i64,
) -> Result<Option<Subscription>, StoreError> {
    let item = state.price.and_then(|price| report.items.iter().find(|item| item.price == *price));
    let item = item.or_else(|| report.items.first());
    let values = args![
        subscription = report.id.as_str(),
        provider = report.id.provider().as_str(),
        plan = state.plan.map(PlanId::as_str),
        price = state.price.map(PriceId::as_str),
        status = report.status.as_str(),
        period_start = ms(item.and_then(|item| item.period_start_seconds)),
        period_end = ms(item.and_then(|item| item.period_end_seconds)),
        trial_start = ms(report.trial_start_seconds),
        trial_end = ms(report.trial_end_seconds),
        cancel_at = ms(report.cancel_at_seconds),
        canceled_at = ms(report.canceled_at_seconds),
        ended_at = ms(report.ended_at_seconds),
        cancel_reason = report.cancel_reason.as_deref(),
        past_due_since = state.past_due_since_ms,
        next_plan = state.next_plan,
        schedule = report.schedule.as_deref(),
        is_update_pending = report.is_update_pending,
        has_started = state.has_started,
        now_ms
    ];
    tx.fetch_optional(&UPDATE, &values).await
}

/// Notes the plan of the next period.
pub(crate) async fn set_next_plan(
    tx: &mut Tx,
    subscription: &SubscriptionId,
    plan: Option<&PlanId>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let values = args![
        subscription = subscription.as_str(),
        provider = subscription.provider().as_str(),
        plan = plan.map(PlanId::as_str),
        now_ms
    ];
    tx.execute(&SET_NEXT_PLAN, &values).await.map(drop)
}

/// Marks a subscription that runs although its account may not have so many; clears the marks once that is over. The
/// row is written, and the account locked.
pub(crate) async fn mark_extra(
    tx: &mut Tx,
    report: &SubscriptionReport,
    account: &AccountId,
    max: i64,
) -> Result<bool, StoreError> {
    let counted: Option<Running> = tx.fetch_optional(&RUNNING, &args![account = account.as_str()]).await?;
    let is_too_many = counted.as_ref().is_some_and(|row| row.running > max);
    if !is_too_many {
        if counted.is_some_and(|row| row.extra > 0) {
            tx.execute(&CLEAR_EXTRA, &args![account = account.as_str()]).await?;
        }
    } else if report.status.is_running() {
        let values = args![subscription = report.id.as_str(), provider = report.id.provider().as_str()];
        tx.execute(&MARK_EXTRA, &values).await?;
    }
    Ok(is_too_many && report.status.is_running())
}

impl Db {
    /// A subscription.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn subscription(&self, id: &SubscriptionId) -> Result<Option<Subscription>, StoreError> {
        self.read_optional(&FIND, &args![subscription = id.as_str(), provider = id.provider().as_str()]).await
    }

    /// The subscriptions of an account, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn subscriptions_of(&self, account: &AccountId) -> Result<Vec<Subscription>, StoreError> {
        self.read_all(&OF_ACCOUNT, &args![account = account.as_str(), limit = MAX_OF_ACCOUNT]).await
    }

    /// A page of all subscriptions, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn subscriptions(&self, before: (i64, &str), limit: i64) -> Result<Vec<Subscription>, StoreError> {
        self.read_all(&PAGE, &args![before_ms = before.0, before_id = before.1, limit]).await
    }

    /// A page of the subscriptions that have not ended, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unfinished_subscriptions(
        &self,
        after: (i64, &str),
        limit: i64,
    ) -> Result<Vec<Subscription>, StoreError> {
        self.read_all(&UNFINISHED, &args![from_ms = after.0, after_id = after.1, limit]).await
    }

    /// The subscriptions that run although their account may not have so many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn extra_subscriptions(&self, limit: i64) -> Result<Vec<Subscription>, StoreError> {
        self.read_all(&EXTRA, &args![limit]).await
    }

    /// How many subscriptions of an account run.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn running_subscriptions(&self, account: &AccountId) -> Result<i64, StoreError> {
        let row: Option<Running> = self.read_optional(&RUNNING, &args![account = account.as_str()]).await?;
        Ok(row.map_or(0, |row| row.running))
    }

    /// Whether an account has had a trial.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_had_trial(&self, account: &AccountId) -> Result<bool, StoreError> {
        let row: Option<Count> = self.read_optional(&TRIALS, &args![account = account.as_str()]).await?;
        Ok(row.is_some_and(|row| row.count > 0))
    }
}

/// The provider's id of a stored subscription.
///
/// # Errors
/// When the stored text is none.
pub fn subscription_id(provider: ProviderName, text: &str) -> Result<SubscriptionId, StoreError> {
    SubscriptionId::parse(provider, text).map_err(|error| StoreError::corrupt("subscription", error))
}
