//! Refunds that somebody asked for here: written before Stripe is called, one for each caller's key, and never removed.
//!
//! What always holds: a request is written under the lock of its top-up, after what is left of the payment was read
//! under the same lock, so two requests never promise the same money. Whoever works on one has a lease.

use super::backend::{Db, Tx};
use super::topups;
use super::{StoreError, statements};
use crate::domain::account::AccountId;
use crate::domain::ids::{PaymentIntentId, RefundRequestId, TopupId};
use crate::domain::refund::{PaidAs, Refundable};

/// A refund that somebody asks for, about to be written down.
#[derive(Debug, Clone)]
pub struct NewRefundRequest {
    /// Its id.
    pub id: RefundRequestId,
    /// The purchase.
    pub topup: TopupId,
    /// Stripe's word for why.
    pub reason: String,
    /// Who asks, for those who look later.
    pub requested_by: String,
    /// Who the key belongs to; the keys of two callers never meet.
    pub caller: String,
    /// The caller's idempotency key.
    pub key: String,
    /// A hash of the request.
    pub request_hash: String,
    /// Until when this process works on it, in milliseconds since 1970.
    pub lease_until_ms: i64,
    /// The time, in milliseconds since 1970.
    pub now_ms: i64,
}

/// A refund that somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct RefundRequest {
    /// Its id.
    pub id: String,
    /// The purchase.
    pub topup_id: String,
    /// The payment.
    pub payment_intent_id: String,
    /// How much, in minor units.
    pub amount: i64,
    /// The currency, in lower case.
    pub currency: String,
    /// Stripe's word for why.
    pub reason: Option<String>,
    /// Who asked.
    pub requested_by: String,
    /// `creating`, `created` or `refused`.
    pub state: String,
    /// Which idempotency key towards Stripe is in use.
    pub stripe_attempt: i64,
    /// Stripe's refund, once it is known.
    pub refund_id: Option<String>,
    /// Stripe's word for how far the refund was when it was made.
    pub refund_status: Option<String>,
    /// How many credits it took.
    pub credits_taken: Option<i64>,
    /// What the account had afterwards.
    pub balance_after: Option<i64>,
    /// Why it was refused.
    pub failure_code: Option<String>,
    /// A hash of the request.
    pub request_hash: String,
    /// When it was asked for, in milliseconds since 1970.
    pub created_at: i64,
}

/// A purchase, and a payment of it, as far as a refund needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundFacts {
    /// Who bought.
    pub account: AccountId,
    /// The currency of the amounts, in lower case.
    pub currency: String,
    /// The payment; none if the purchase has none yet.
    pub payment: Option<PaymentIntentId>,
    /// What is known of it.
    pub refundable: Refundable,
}

/// What came of a refund, for a repetition of the request.
#[derive(Debug, Clone)]
pub struct RefundOutcome {
    /// Stripe's refund.
    pub refund_id: String,
    /// Stripe's word for how far it is.
    pub status: String,
}

statements! {
    LOCK_TOPUP = "UPDATE topups SET updated_at = updated_at WHERE id = $1";
    /// A request counts while somebody works on it. Afterwards the refund itself counts, or there is none.
    FACTS = "SELECT t.account_id, t.state, t.credits, t.currency, t.credit_unit_amount, t.total_amount, \
        p.payment_intent_id, p.state AS role, \
        (SELECT CAST(COALESCE(SUM(r.amount), 0) AS BIGINT) FROM reversals r \
        WHERE r.payment_intent_id = p.payment_intent_id AND r.counts = 1 AND r.kind = 'refund') AS refunded, \
        (SELECT CAST(COALESCE(SUM(r.amount), 0) AS BIGINT) FROM reversals r \
        WHERE r.payment_intent_id = p.payment_intent_id AND r.counts = 1 AND r.kind = 'dispute') AS disputed, \
        (SELECT CAST(COALESCE(SUM(q.amount), 0) AS BIGINT) FROM refund_requests q \
        WHERE q.payment_intent_id = p.payment_intent_id AND q.state = 'creating' \
        AND q.lease_until > $3 AND q.lease_until <= $4) AS pending \
        FROM topups t LEFT JOIN payments p ON p.topup_id = t.id \
        AND p.payment_intent_id = COALESCE(CAST($2 AS TEXT), t.payment_intent_id) WHERE t.id = $1";
    INSERT = "INSERT INTO refund_requests (id, topup_id, payment_intent_id, amount, currency, reason, requested_by, \
        state, stripe_attempt, caller, idempotency_key, request_hash, lease_until, created_at, updated_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, 'creating', 1, $8, $9, $10, $11, $12, $12) \
        ON CONFLICT (caller, idempotency_key) DO NOTHING";
    FIND_BY_KEY = "SELECT id, topup_id, payment_intent_id, amount, currency, reason, requested_by, state, \
        stripe_attempt, refund_id, refund_status, credits_taken, balance_after, failure_code, request_hash, created_at \
        FROM refund_requests WHERE caller = $1 AND idempotency_key = $2";
    FIND = "SELECT id, topup_id, payment_intent_id, amount, currency, reason, requested_by, state, \
        stripe_attempt, refund_id, refund_status, credits_taken, balance_after, failure_code, request_hash, created_at \
        FROM refund_requests WHERE id = $1";
    OF_TOPUP = "SELECT id, topup_id, payment_intent_id, amount, currency, reason, requested_by, state, \
        stripe_attempt, refund_id, refund_status, credits_taken, balance_after, failure_code, request_hash, created_at \
        FROM refund_requests WHERE topup_id = $1 ORDER BY created_at, id LIMIT 200";
    /// A lease that ends far later than any can was given by a clock that was wrong.
    TAKE_OVER = "UPDATE refund_requests SET lease_until = $2, updated_at = $3 \
        WHERE id = $1 AND state = 'creating' AND (lease_until <= $3 OR lease_until > $4)";
    NEXT_ATTEMPT = "UPDATE refund_requests SET stripe_attempt = stripe_attempt + 1, updated_at = $3 \
        WHERE id = $1 AND stripe_attempt = $2 AND state = 'creating'";
    RELEASE = "UPDATE refund_requests SET lease_until = 0, updated_at = $2 WHERE id = $1 AND state = 'creating'";
    REFUSED = "UPDATE refund_requests SET state = 'refused', failure_code = $2, lease_until = 0, updated_at = $3 \
        WHERE id = $1 AND state = 'creating'";
    /// What it took: what all that was heard of up to it takes, less what all before it takes. So the refunds of one
    /// payment together have taken what the purchase has lost, whoever brought each of them into the books.
    TAKEN = "SELECT t.credits, t.credit_unit_amount, \
        CAST(CASE WHEN p.state = 'credited' THEN 1 ELSE 0 END AS BIGINT) AS has_credits, \
        r.counts, r.amount, (SELECT CAST(COALESCE(SUM(b.amount), 0) AS BIGINT) FROM reversals b \
        WHERE b.payment_intent_id = r.payment_intent_id AND b.counts = 1 \
        AND (b.created_at < r.created_at OR (b.created_at = r.created_at AND b.id < r.id))) AS before, \
        COALESCE((SELECT a.balance FROM accounts a WHERE a.id = t.account_id), 0) AS balance \
        FROM reversals r JOIN payments p ON p.payment_intent_id = r.payment_intent_id \
        JOIN topups t ON t.id = p.topup_id WHERE r.id = $1";
    CREATED = "UPDATE refund_requests SET state = 'created', refund_id = $2, refund_status = $3, credits_taken = $4, \
        balance_after = $5, lease_until = 0, updated_at = $6 WHERE id = $1 AND state = 'creating'";
}

#[derive(sqlx::FromRow)]
struct FactsRow {
    account_id: String,
    state: String,
    credits: i64,
    currency: String,
    credit_unit_amount: i64,
    total_amount: i64,
    payment_intent_id: Option<String>,
    role: Option<String>,
    refunded: i64,
    disputed: i64,
    pending: i64,
}

#[derive(sqlx::FromRow)]
struct TakenRow {
    credits: i64,
    credit_unit_amount: i64,
    has_credits: i64,
    counts: i64,
    amount: i64,
    before: i64,
    balance: i64,
}

impl TryFrom<FactsRow> for RefundFacts {
    type Error = StoreError;

    fn try_from(row: FactsRow) -> Result<Self, StoreError> {
        let paid_as = match row.role.as_deref() {
            Some("credited") if row.state == "paid" => PaidAs::Credits,
            Some("surplus") => PaidAs::Surplus,
            _ => PaidAs::Nothing,
        };
        Ok(Self {
            account: topups::account(row.account_id)?,
            currency: row.currency,
            payment: topups::payment_intent(row.payment_intent_id)?,
            refundable: Refundable {
                paid_as,
                credits: row.credits,
                credit_unit_amount_minor: row.credit_unit_amount,
                total_amount_minor: row.total_amount,
                refunded_minor: row.refunded,
                disputed_minor: row.disputed,
                pending_minor: row.pending,
            },
        })
    }
}

/// Locks a purchase until the write ends. `false` when there is none.
///
/// # Errors
/// When the database fails.
pub async fn lock(tx: &mut Tx, topup: &TopupId) -> Result<bool, StoreError> {
    Ok(tx.execute(&LOCK_TOPUP, &[topup.as_str().into()]).await? == 1)
}

/// What is left of a payment: the one named, else the one that paid. `None` if there is no such purchase.
///
/// # Errors
/// When the database fails.
pub async fn facts(
    tx: &mut Tx,
    topup: &TopupId,
    payment: Option<&PaymentIntentId>,
    now_ms: i64,
    latest_lease_ms: i64,
) -> Result<Option<RefundFacts>, StoreError> {
    let values =
        [topup.as_str().into(), payment.map(PaymentIntentId::as_str).into(), now_ms.into(), latest_lease_ms.into()];
    tx.fetch_optional::<FactsRow>(&FACTS, &values).await?.map(RefundFacts::try_from).transpose()
}

/// What an earlier request with the key stands for.
///
/// # Errors
/// When the database fails.
pub async fn find_by_key(tx: &mut Tx, caller: &str, key: &str) -> Result<Option<RefundRequest>, StoreError> {
    tx.fetch_optional(&FIND_BY_KEY, &[caller.into(), key.into()]).await
}

/// Writes a request down.
///
/// # Errors
/// When another request came with the key meanwhile, or the database fails.
pub async fn insert(
    tx: &mut Tx,
    new: &NewRefundRequest,
    payment: &PaymentIntentId,
    amount_minor: i64,
    currency: &str,
) -> Result<RefundRequest, StoreError> {
    let values = [
        new.id.as_str().into(),
        new.topup.as_str().into(),
        payment.as_str().into(),
        amount_minor.into(),
        currency.into(),
        new.reason.as_str().into(),
        new.requested_by.as_str().into(),
        new.caller.as_str().into(),
        new.key.as_str().into(),
        new.request_hash.as_str().into(),
        new.lease_until_ms.into(),
        new.now_ms.into(),
    ];
    if tx.execute(&INSERT, &values).await? != 1 {
        return Err(StoreError::Overtaken);
    }
    find(tx, new.id.as_str()).await
}

async fn find(tx: &mut Tx, id: &str) -> Result<RefundRequest, StoreError> {
    let request = tx.fetch_optional(&FIND, &[id.into()]).await?;
    request.ok_or_else(|| StoreError::corrupt("no longer there: refund request", id))
}

/// Goes on with a request that nobody works on. `false` when somebody does, or it has ended.
///
/// # Errors
/// When the database fails.
pub async fn take_over(tx: &mut Tx, id: &str, lease_until_ms: i64, now_ms: i64) -> Result<bool, StoreError> {
    let wrong_from_ms = lease_until_ms.saturating_add(lease_until_ms.saturating_sub(now_ms));
    let values = [id.into(), lease_until_ms.into(), now_ms.into(), wrong_from_ms.into()];
    Ok(tx.execute(&TAKE_OVER, &values).await? == 1)
}

/// Moves to the next idempotency key towards Stripe. `false` when somebody else moved on meanwhile.
///
/// # Errors
/// When the database fails.
pub async fn next_attempt(tx: &mut Tx, id: &str, attempt: i64, now_ms: i64) -> Result<bool, StoreError> {
    Ok(tx.execute(&NEXT_ATTEMPT, &[id.into(), attempt.into(), now_ms.into()]).await? == 1)
}

/// Lets go of a request without an outcome: the next one with the key goes on with it.
///
/// # Errors
/// When the database fails.
pub async fn release(tx: &mut Tx, id: &str, now_ms: i64) -> Result<(), StoreError> {
    tx.execute(&RELEASE, &[id.into(), now_ms.into()]).await.map(drop)
}

/// Stores that Stripe refused it for good.
///
/// # Errors
/// When the database fails.
pub async fn refused(tx: &mut Tx, id: &str, code: &str, now_ms: i64) -> Result<(), StoreError> {
    tx.execute(&REFUSED, &[id.into(), code.into(), now_ms.into()]).await.map(drop)
}

/// Stores what came of it; gives the request as it stands, which somebody who was faster may have ended.
///
/// # Errors
/// When the database fails.
pub async fn created(tx: &mut Tx, id: &str, outcome: &RefundOutcome, now_ms: i64) -> Result<RefundRequest, StoreError> {
    let row = tx.fetch_optional::<TakenRow>(&TAKEN, &[outcome.refund_id.as_str().into()]).await?;
    let (taken, balance) = row.map_or((Some(0), None), |row| (taken_by(&row), Some(row.balance)));
    let taken = taken.ok_or_else(|| StoreError::corrupt("amounts of refund", &outcome.refund_id))?;
    let values = [
        id.into(),
        outcome.refund_id.as_str().into(),
        outcome.status.as_str().into(),
        taken.into(),
        balance.into(),
        now_ms.into(),
    ];
    tx.execute(&CREATED, &values).await?;
    find(tx, id).await
}

fn taken_by(row: &TakenRow) -> Option<i64> {
    use crate::domain::reversal::credits_taken;
    if row.has_credits == 0 || row.counts == 0 {
        return Some(0);
    }
    let before = credits_taken(row.credits, row.credit_unit_amount, row.before);
    let with = credits_taken(row.credits, row.credit_unit_amount, row.before.checked_add(row.amount)?);
    with.checked_sub(before)
}

impl Db {
    /// What is left of a payment, as it stands; see [`facts`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refund_facts(
        &self,
        topup: &TopupId,
        payment: Option<&PaymentIntentId>,
        now_ms: i64,
        latest_lease_ms: i64,
    ) -> Result<Option<RefundFacts>, StoreError> {
        let values =
            [topup.as_str().into(), payment.map(PaymentIntentId::as_str).into(), now_ms.into(), latest_lease_ms.into()];
        self.read_optional::<FactsRow>(&FACTS, &values).await?.map(RefundFacts::try_from).transpose()
    }

    /// The refunds of a purchase that somebody asked for here, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refund_requests_of(&self, topup: &TopupId) -> Result<Vec<RefundRequest>, StoreError> {
        self.read_all(&OF_TOPUP, &[topup.as_str().into()]).await
    }
}
