//! Refund requests made through this service: stored before the provider is called, one per caller's key, never
//! deleted.
//!
//! Invariant: a request is inserted under its top-up's row lock, after the refundable amount was read under the same
//! lock, so two requests never promise the same money. A process holds a lease on the request it works on.
use crate::purchases::topups;

use crate::db::{Db, Tx, args};
use crate::db::{StoreError, statements};
use crate::domain::attempt::Attempt;
use crate::domain::bonus::bonus_taken;
use crate::domain::credit_unit::CreditUnit;
use crate::domain::ids::{PaymentId, RefundRequestId, TopupId};
use crate::domain::reversal::credits_taken;
use crate::domain::tax::Charged;

/// A refund request to insert.
#[derive(Debug, Clone)]
pub struct NewRefundRequest {
    /// The request's id.
    pub id: RefundRequestId,
    /// The top-up.
    pub topup: TopupId,
    /// The provider's code for the reason.
    pub reason: String,
    /// The operator, for the record.
    pub requested_by: String,
    /// The key's scope: the same key for two top-ups means two refunds.
    pub scope: String,
    /// The caller's idempotency key.
    pub key: String,
    /// A hash of the request.
    pub request_hash: String,
    /// When this process's lease ends, in milliseconds since 1970.
    pub lease_until_ms: i64,
    /// The current time, in milliseconds since 1970.
    pub now_ms: i64,
}

/// A stored refund request.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct RefundRequest {
    /// The request's id.
    pub id: String,
    /// The top-up.
    pub topup_id: String,
    /// The payment.
    pub provider_payment_id: String,
    /// The provider's name.
    pub provider: String,
    /// The amount, in minor units.
    pub amount: i64,
    /// The currency, in lower case.
    pub currency: String,
    /// The provider's code for the reason.
    pub reason: Option<String>,
    /// The operator.
    pub requested_by: String,
    /// `creating`, `created` or `refused`.
    pub state: String,
    /// The number of the idempotency key in use with the provider; see [`RefundRequest::attempt`].
    provider_attempt: i64,
    key_used_at: i64,
    unknown_since: Option<i64>,
    key_failures: i64,
    /// The provider's refund id, once known.
    pub provider_refund_id: Option<String>,
    /// The provider's status when the refund was made.
    pub refund_status: Option<String>,
    /// How many credits the refund took.
    pub credits_taken: Option<i64>,
    /// How much of the bonus was taken with them.
    pub bonus_taken: Option<i64>,
    /// The account's balance afterwards.
    pub balance_after: Option<i64>,
    /// Why it was refused.
    pub failure_code: Option<String>,
    /// A hash of the request.
    pub request_hash: String,
    /// When the lease of the process that works on it ends, in milliseconds since 1970.
    pub lease_until: i64,
    /// When it was requested, in milliseconds since 1970.
    pub created_at: i64,
}

impl RefundRequest {
    /// The payment's id.
    ///
    /// # Errors
    /// When the stored id is invalid.
    pub fn payment(&self) -> Result<PaymentId, StoreError> {
        topups::payment_id(&self.provider, &self.provider_payment_id)
    }

    /// What is known about the calls. A row written by an older version does not say, so its call may have succeeded.
    #[must_use]
    pub const fn attempt(&self) -> Attempt {
        Attempt {
            key: self.provider_attempt,
            key_used_at_ms: self.key_used_at,
            unknown_since_ms: self.unknown_since,
            key_failures: self.key_failures,
        }
    }
}

/// The outcome of a refund, for retries of the request.
#[derive(Debug, Clone)]
pub struct RefundOutcome {
    /// The provider's refund id.
    pub refund_id: String,
    /// The provider's status.
    pub status: String,
}

statements! {
    LOCK_TOPUP = "UPDATE topups SET updated_at = updated_at WHERE id = :topup";
    INSERT = "INSERT INTO refund_requests (id, topup_id, provider, provider_payment_id, amount, currency, reason, \
        requested_by, \
        state, provider_attempt, key_used_at, unknown_since, caller, idempotency_key, request_hash, lease_until, \
        created_at, updated_at) VALUES (:id, :topup, :provider, :payment, :amount_minor, :currency, :reason, \
        :requested_by, 'creating', 1, :now_ms, :now_ms, :scope, :key, :request_hash, :lease_until_ms, :now_ms, \
        :now_ms) \
        ON CONFLICT (caller, idempotency_key) DO NOTHING";
    FIND_BY_KEY = "SELECT id, topup_id, provider, provider_payment_id, amount, currency, reason, requested_by, state, \
        provider_attempt, COALESCE(key_used_at, created_at) AS key_used_at, \
        CASE WHEN key_used_at IS NULL THEN updated_at ELSE unknown_since END AS unknown_since, key_failures, \
        provider_refund_id, refund_status, credits_taken, bonus_taken, balance_after, failure_code, request_hash, \
        lease_until, created_at \
        FROM refund_requests WHERE caller = :scope AND idempotency_key = :key";
    FIND = "SELECT id, topup_id, provider, provider_payment_id, amount, currency, reason, requested_by, state, \
        provider_attempt, COALESCE(key_used_at, created_at) AS key_used_at, \
        CASE WHEN key_used_at IS NULL THEN updated_at ELSE unknown_since END AS unknown_since, key_failures, \
        provider_refund_id, refund_status, credits_taken, bonus_taken, balance_after, failure_code, request_hash, \
        lease_until, created_at \
        FROM refund_requests WHERE id = :id";
    OF_TOPUP = "SELECT id, topup_id, provider, provider_payment_id, amount, currency, reason, requested_by, state, \
        provider_attempt, COALESCE(key_used_at, created_at) AS key_used_at, \
        CASE WHEN key_used_at IS NULL THEN updated_at ELSE unknown_since END AS unknown_since, key_failures, \
        provider_refund_id, refund_status, credits_taken, bonus_taken, balance_after, failure_code, request_hash, \
        lease_until, created_at \
        FROM refund_requests WHERE topup_id = :topup ORDER BY created_at, id LIMIT 200";
    UNSETTLED = "SELECT id, topup_id, provider, provider_payment_id, amount, currency, reason, requested_by, state, \
        provider_attempt, COALESCE(key_used_at, created_at) AS key_used_at, \
        CASE WHEN key_used_at IS NULL THEN updated_at ELSE unknown_since END AS unknown_since, key_failures, \
        provider_refund_id, refund_status, credits_taken, bonus_taken, balance_after, failure_code, request_hash, \
        lease_until, created_at \
        FROM refund_requests WHERE state = 'creating' AND id > :after ORDER BY id LIMIT :limit";
    /// A lease that ends far later than any valid lease was written with a wrong clock. Calls may follow, so from now
    /// on it is unknown whether the refund was made.
    TAKE_OVER = "UPDATE refund_requests SET lease_until = :lease_until_ms, key_used_at = COALESCE(key_used_at, \
        created_at), \
        unknown_since = :now_ms, updated_at = :now_ms \
        WHERE id = :id AND state = 'creating' AND (lease_until <= :now_ms OR lease_until > :wrong_from_ms)";
    /// A process that was overtaken finds another mark and changes nothing.
    NEXT_KEY = "UPDATE refund_requests SET provider_attempt = :key, key_used_at = :key_used_at_ms, unknown_since = \
        :key_used_at_ms, key_failures = 0, \
        updated_at = :key_used_at_ms WHERE id = :id AND unknown_since = :mark_ms AND state = 'creating'";
    RELEASE = "UPDATE refund_requests SET lease_until = 0, unknown_since = :unknown_since_ms, key_failures = \
        :key_failures, failure_code = :failure_code, \
        updated_at = :now_ms WHERE id = :id AND unknown_since = :mark_ms AND provider_attempt = :key AND state = \
        'creating'";
    NOT_MADE = "UPDATE refund_requests SET unknown_since = NULL, key_used_at = COALESCE(key_used_at, created_at), \
        updated_at = :now_ms WHERE id = :id AND (unknown_since = :unknown_since_ms OR key_used_at IS NULL) AND state \
        = 'creating' \
        AND lease_until <= :now_ms";
    REFUSED = "UPDATE refund_requests SET state = 'refused', failure_code = :code, lease_until = 0, unknown_since = \
        NULL, \
        updated_at = :now_ms WHERE id = :id AND unknown_since = :mark_ms AND state = 'creating'";
    /// What this refund took: what all reversals up to it take, less what all before it take. So the refunds of one
    /// payment add up to what the top-up has lost, in whatever order they were applied.
    TAKEN = "SELECT t.credits, t.bonus_credits, t.credit_unit_credits, t.credit_unit_amount, \
        t.total_amount, t.added_tax_amount, CAST(CASE WHEN p.state = 'credited' THEN 1 ELSE 0 END AS BIGINT) AS has_credits, \
        r.counts, r.amount, (SELECT CAST(COALESCE(SUM(b.amount - b.returned), 0) AS BIGINT) FROM reversals b \
        WHERE b.provider_payment_id = r.provider_payment_id AND b.provider = r.provider AND b.counts = 1 \
        AND (b.created_at < r.created_at OR (b.created_at = r.created_at AND b.provider_reversal_id < \
        r.provider_reversal_id))) AS before, \
        COALESCE((SELECT a.balance FROM accounts a WHERE a.id = t.account_id), 0) AS balance \
        FROM reversals r JOIN payments p ON p.provider_payment_id = r.provider_payment_id \
        AND p.provider = r.provider \
        JOIN topups t ON t.id = p.topup_id WHERE r.provider_reversal_id = :refund_id AND r.provider = :provider";
    /// An existing refund overrides everything recorded before.
    CREATED = "UPDATE refund_requests SET state = 'created', provider_refund_id = :refund_id, refund_status = \
        :status, credits_taken = :taken, bonus_taken = :bonus_taken, \
        balance_after = :balance, lease_until = 0, unknown_since = NULL, failure_code = NULL, updated_at = :now_ms \
        WHERE id = :id AND provider_payment_id = :payment AND provider = :provider AND state <> 'created'";
    WAITS = "SELECT id FROM refund_requests WHERE id = :id AND provider_payment_id = :payment AND provider = \
        :provider AND state <> 'created'";
}

#[derive(sqlx::FromRow)]
struct Waits {}

#[derive(sqlx::FromRow)]
struct TakenRow {
    credits: i64,
    bonus_credits: i64,
    credit_unit_credits: i64,
    credit_unit_amount: i64,
    total_amount: i64,
    added_tax_amount: i64,
    has_credits: i64,
    counts: i64,
    amount: i64,
    before: i64,
    balance: i64,
}

/// Locks a top-up's row until the transaction ends. Returns `false` if it does not exist.
///
/// # Errors
/// When the database fails.
pub async fn lock(tx: &mut Tx, topup: &TopupId) -> Result<bool, StoreError> {
    Ok(tx.execute(&LOCK_TOPUP, &args![topup = topup.as_str()]).await? == 1)
}

/// The earlier request with the key, if there is one.
///
/// # Errors
/// When the database fails.
pub async fn find_by_key(tx: &mut Tx, scope: &str, key: &str) -> Result<Option<RefundRequest>, StoreError> {
    tx.fetch_optional(&FIND_BY_KEY, &args![scope, key]).await
}

/// Inserts a request.
///
/// # Errors
/// When another request with the key was inserted meanwhile, or the database fails.
pub async fn insert(
    tx: &mut Tx,
    new: &NewRefundRequest,
    payment: &PaymentId,
    amount_minor: i64,
    currency: &str,
) -> Result<RefundRequest, StoreError> {
    let values = args![
        id = new.id.as_str(),
        topup = new.topup.as_str(),
        provider = payment.provider().as_str(),
        payment = payment.as_str(),
        amount_minor,
        currency,
        reason = new.reason.as_str(),
        requested_by = new.requested_by.as_str(),
        scope = new.scope.as_str(),
        key = new.key.as_str(),
        request_hash = new.request_hash.as_str(),
        lease_until_ms = new.lease_until_ms,
        now_ms = new.now_ms
    ];
    if tx.execute(&INSERT, &values).await? != 1 {
        return Err(StoreError::Overtaken);
    }
    find(tx, new.id.as_str()).await
}

async fn find(tx: &mut Tx, id: &str) -> Result<RefundRequest, StoreError> {
    let request = tx.fetch_optional(&FIND, &args![id]).await?;
    request.ok_or_else(|| StoreError::corrupt("no longer there: refund request", id))
}

/// Takes over a request without an active lease. Returns `false` if its lease is active or it has ended.
///
/// # Errors
/// When the database fails.
pub async fn take_over(tx: &mut Tx, id: &str, lease_until_ms: i64, now_ms: i64) -> Result<bool, StoreError> {
    let wrong_from_ms = lease_until_ms.saturating_add(lease_until_ms.saturating_sub(now_ms));
    let values = args![id, lease_until_ms, now_ms, wrong_from_ms];
    Ok(tx.execute(&TAKE_OVER, &values).await? == 1)
}

/// Stores the next idempotency key, which is about to be used. Returns `false` if another process has taken over the
/// request since `mark_ms`.
///
/// # Errors
/// When the database fails.
pub async fn next_key(tx: &mut Tx, id: &str, mark_ms: i64, next: &Attempt) -> Result<bool, StoreError> {
    let values = args![id, mark_ms, key = next.key, key_used_at_ms = next.key_used_at_ms];
    Ok(tx.execute(&NEXT_KEY, &values).await? == 1)
}

/// Releases a request without an outcome, storing what is known about its calls and why they failed. A retry with the
/// key continues it. Does nothing if another process has taken it over since `mark_ms`.
///
/// # Errors
/// When the database fails.
pub async fn release(
    tx: &mut Tx,
    id: &str,
    mark_ms: i64,
    attempt: &Attempt,
    failure_code: Option<&str>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let values = args![
        id,
        mark_ms,
        key = attempt.key,
        unknown_since_ms = attempt.unknown_since_ms,
        key_failures = attempt.key_failures,
        failure_code,
        now_ms
    ];
    tx.execute(&RELEASE, &values).await.map(drop)
}

/// Stores that the calls of a request had no effect, if `attempt` is still current and no process works on it. Returns
/// `false` if the request has changed meanwhile.
///
/// # Errors
/// When the database fails.
pub async fn not_made(tx: &mut Tx, id: &str, attempt: &Attempt, now_ms: i64) -> Result<bool, StoreError> {
    let values = args![id, unknown_since_ms = attempt.unknown_since_ms, now_ms];
    Ok(tx.execute(&NOT_MADE, &values).await? == 1)
}

/// Stores that the provider refused permanently and that no earlier call succeeded. Does nothing if another process has
/// taken over the request since `mark_ms`.
///
/// # Errors
/// When the database fails.
pub async fn refused(tx: &mut Tx, id: &str, mark_ms: i64, code: &str, now_ms: i64) -> Result<(), StoreError> {
    tx.execute(&REFUSED, &args![id, mark_ms, code, now_ms]).await.map(drop)
}

/// Stores the refund made for a request, once the refund is applied. A refund names its request in metadata that others
/// can write: an unknown request, or one about another payment, is ignored.
///
/// # Errors
/// When the database fails.
pub async fn made(
    tx: &mut Tx,
    id: &str,
    payment: &PaymentId,
    outcome: &RefundOutcome,
    now_ms: i64,
) -> Result<(), StoreError> {
    let provider = payment.provider().as_str();
    if tx.fetch_optional::<Waits>(&WAITS, &args![id, payment = payment.as_str(), provider]).await?.is_none() {
        return Ok(());
    }
    let row = tx.fetch_optional::<TakenRow>(&TAKEN, &args![refund_id = outcome.refund_id.as_str(), provider]).await?;
    let (taken, balance) = row.map_or((Some((0, 0)), None), |row| (taken_by(&row), Some(row.balance)));
    let (taken, bonus_taken) = taken.ok_or_else(|| StoreError::corrupt("amounts of refund", &outcome.refund_id))?;
    let values = args![
        id,
        refund_id = outcome.refund_id.as_str(),
        status = outcome.status.as_str(),
        taken,
        bonus_taken,
        balance,
        now_ms,
        payment = payment.as_str(),
        provider
    ];
    tx.execute(&CREATED, &values).await.map(drop)
}

/// Like [`made`], then returns the stored request, which another process or a webhook may have completed.
///
/// # Errors
/// When the database fails.
pub async fn created(
    tx: &mut Tx,
    id: &str,
    payment: &PaymentId,
    outcome: &RefundOutcome,
    now_ms: i64,
) -> Result<RefundRequest, StoreError> {
    made(tx, id, payment, outcome, now_ms).await?;
    find(tx, id).await
}

/// The credits that a refund took, and the part of the bonus.
fn taken_by(row: &TakenRow) -> Option<(i64, i64)> {
    if row.has_credits == 0 || row.counts == 0 {
        return Some((0, 0));
    }
    let unit = CreditUnit::new(row.credit_unit_credits, row.credit_unit_amount)?;
    let charged = Charged::with_added_tax(row.total_amount, row.added_tax_amount);
    let before = credits_taken(row.credits, unit, charged.net_minor(row.before));
    let with = credits_taken(row.credits, unit, charged.net_minor(row.before.checked_add(row.amount)?));
    let bonus = |taken| bonus_taken(row.bonus_credits, row.credits, taken);
    Some((with.checked_sub(before)?, bonus(with).checked_sub(bonus(before))?))
}

impl Db {
    /// Up to `limit` requests in state `creating` with an id after `after`: in progress, unknown, or without success.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unsettled_refund_requests(&self, after: &str, limit: i64) -> Result<Vec<RefundRequest>, StoreError> {
        self.read_all(&UNSETTLED, &args![after, limit]).await
    }

    /// The refund requests of a top-up, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refund_requests_of(&self, topup: &TopupId) -> Result<Vec<RefundRequest>, StoreError> {
        self.read_all(&OF_TOPUP, &args![topup = topup.as_str()]).await
    }
}
