//! Refunds a top-up for an operator: stores the request, calls the provider, and applies the refund with the same code
//! as a webhook.
//!
//! The request and its amount are committed before the provider is called; no transaction is open during the call. A
//! retry with the same key finds the first request, whether it is running, completed, or was interrupted, and there is
//! one refund at the provider for it. Our own refusals store nothing; the provider's are stored.

use crate::access::caller_key::{CallerKey, request_hash};
use crate::access::operator::Operator;
use crate::app::App;
use crate::books::locked_account::LockedAccount;
use crate::books::settle::{Settled, settle};
use crate::books::settle_account::{settle_account, settled_balance};
use crate::db::{StoreError, Tx, Write};
use crate::domain::account::AccountId;
use crate::domain::attempt::Attempt;
use crate::domain::ids::{LedgerEntryId, PaymentId, RefundRequestId, TopupId};
use crate::domain::ledger::Funds;
use crate::domain::refund::{RefundAsk, RefundPlan, RefundRefusal};
use crate::domain::reversal::RefundReport;
use crate::purchases::checkout::create_once::Work;
use crate::purchases::outcome::{ApplyEventError, EventOutcome};
pub use crate::purchases::refund::make_refund::{ProviderRefusal, RefundTrouble, Trouble};
use crate::purchases::refund::make_refund::{RefundResult, make};
use crate::purchases::refund::refund_facts::{self, RefundFacts};
use crate::purchases::refund::refund_requests::{self, NewRefundRequest, RefundOutcome, RefundRequest};
use crate::purchases::refund::settle_refunds::settle_refunds_of;
use crate::purchases::reversal::apply_reversal::{ReversalSource, apply_refund};

/// How long a process may work on a request: longer than the calls to the provider take. An even slower process that is
/// overtaken does no harm, because both use the same key with the provider and get the same refund.
const LEASE_MS: i64 = 60_000;

/// An operator's command.
#[derive(Debug, Clone)]
pub struct RefundTopup {
    /// The top-up.
    pub topup: TopupId,
    /// How much to refund.
    pub ask: RefundAsk,
    /// The payment to refund; `None` means the one that was credited.
    pub payment: Option<PaymentId>,
    /// The provider's code for the reason.
    pub reason: String,
    /// The operator.
    pub operator: Operator,
    /// The idempotency key.
    pub key: CallerKey,
}

/// Why a refund failed.
#[derive(Debug, thiserror::Error)]
pub enum RefundError {
    /// The top-up does not exist, or the operator may not see it.
    #[error("there is no such top-up")]
    NotFound,
    /// The top-up has no such payment.
    #[error("the top-up has no such payment")]
    NoSuchPayment,
    /// Not possible by our own data.
    #[error(transparent)]
    NotPossible(#[from] RefundRefusal),
    /// The provider refused.
    #[error(transparent)]
    RefusedByProvider(ProviderRefusal),
    /// The idempotency key was used with a different request.
    #[error("the idempotency key was used with another request")]
    OtherRequest,
    /// The first request with the key is still running.
    #[error("the first request with this idempotency key is still running")]
    StillRunning,
    /// The provider did not make the refund, or its outcome is unknown.
    #[error(transparent)]
    Provider(#[from] RefundTrouble),
    /// The refund was made but could not be applied yet.
    #[error("the refund is made and cannot be brought into the books now")]
    NotBooked(#[source] ApplyEventError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A completed refund and its account.
#[derive(Debug, Clone)]
pub struct Refunded {
    /// The request with its outcome.
    pub request: RefundRequest,
    /// The account that bought the top-up.
    pub account: String,
}

/// What a refund would do.
#[derive(Debug, Clone)]
pub struct RefundPreview {
    /// The facts about the payment.
    pub facts: RefundFacts,
    /// What it would move, or why it is not possible.
    pub plan: Result<RefundPlan, RefundRefusal>,
    /// The account's current credits.
    pub funds: Funds,
}

/// The result of the first transaction.
enum RefundStart {
    /// This process works on the request, as the first or after taking over, with what is known about the calls.
    Work(RefundFacts, RefundRequest, Attempt),
    /// The request has ended.
    Ended(RefundFacts, RefundRequest),
    Failed(Refusal),
}

/// Why there is nothing to do. Nothing was written.
enum Refusal {
    NotFound,
    NoSuchPayment,
    NotPossible(RefundRefusal),
    OtherRequest,
    StillRunning,
}

impl From<Refusal> for RefundError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound => Self::NotFound,
            Refusal::NoSuchPayment => Self::NoSuchPayment,
            Refusal::NotPossible(refusal) => Self::NotPossible(refusal),
            Refusal::OtherRequest => Self::OtherRequest,
            Refusal::StillRunning => Self::StillRunning,
        }
    }
}

/// Refunds a top-up in full or in part.
///
/// # Errors
/// See [`RefundError`]. After a retryable error, a retry with the same idempotency key continues the same request.
pub async fn refund_topup(app: &App, command: RefundTopup) -> Result<Refunded, RefundError> {
    if command.ask == RefundAsk::Unspent
        && let Some(topup) = app.db.topup(&command.topup).await?
    {
        // A long history is adopted before; the transaction below adopts what came since.
        settle_account(app, &topup.account).await?;
    }
    let mut begun = begin_now(app, &command).await?;
    // An earlier request with an unknown outcome blocks this one; the provider may know the outcome by now.
    if matches!(begun.0, RefundStart::Failed(Refusal::NotPossible(RefundRefusal::InProgress)))
        && settle_refunds_of(app, &command.topup).await? > 0
    {
        begun = begin_now(app, &command).await?;
    }
    let (facts, request, mut work) = match begun {
        (RefundStart::Work(facts, request, attempt), now_ms) => {
            let work = Work::resumed(attempt, now_ms, now_ms.saturating_add(LEASE_MS));
            (facts, request, work)
        }
        (RefundStart::Ended(facts, request), _) => return answer(request, &facts),
        (RefundStart::Failed(error), _) => return Err(error.into()),
    };
    match make(app, &request, &mut work).await {
        Ok(RefundResult::Refund(report)) => answer(book(app, &request, report, &work).await?, &facts),
        Ok(RefundResult::Refused(refusal)) => {
            let (mark_ms, now_ms) = (work.mark_ms, app.clock.now_ms());
            app.db.write(RecordRefusal { request: request.id, mark_ms, refusal, now_ms }).await?;
            Err(RefundError::RefusedByProvider(refusal))
        }
        Err(trouble) => {
            release(app, &request.id, &work, Some(trouble.code())).await?;
            Err(trouble.into())
        }
    }
}

/// Inserts the request or finds the earlier one. Returns it with the time that was written.
async fn begin_now(app: &App, command: &RefundTopup) -> Result<(RefundStart, i64), StoreError> {
    let now_ms = app.clock.now_ms();
    let new = NewRefundRequest {
        id: RefundRequestId::from_bits(app.ids.id_bits()),
        topup: command.topup.clone(),
        reason: command.reason.clone(),
        requested_by: command.operator.name.clone(),
        scope: command.key.scope.clone(),
        key: command.key.key.clone(),
        request_hash: hash(command),
        lease_until_ms: now_ms.saturating_add(LEASE_MS),
        now_ms,
    };
    let entry = LedgerEntryId::from_bits(app.ids.id_bits());
    Ok((app.db.write(BeginRefund { new, entry, command: command.clone() }).await?, now_ms))
}

/// Previews a refund. `None` if the top-up or the payment does not exist, or the operator may not see it.
///
/// # Errors
/// When the database fails.
pub async fn preview_refund(
    app: &App,
    topup: &TopupId,
    payment: Option<&PaymentId>,
    ask: RefundAsk,
    operator: &Operator,
) -> Result<Option<RefundPreview>, StoreError> {
    let now_ms = app.clock.now_ms();
    let facts = app.db.refund_facts(topup, payment, now_ms, latest_lease_ms(now_ms)).await?;
    let Some(facts) = facts.filter(|facts| operator.may_act_for(&facts.account)) else { return Ok(None) };
    if payment.is_some() && facts.payment.is_none() {
        return Ok(None);
    }
    let funds = settled_balance(app, &facts.account).await?.funds();
    // What remains of the purchase's own grant is known now.
    let facts = app.db.refund_facts(topup, payment, now_ms, latest_lease_ms(now_ms)).await?;
    Ok(facts.map(|facts| RefundPreview { plan: facts.refundable.plan(ask), facts, funds }))
}

/// A lease that ends later was written with a wrong clock and is ignored.
const fn latest_lease_ms(now_ms: i64) -> i64 {
    now_ms.saturating_add(LEASE_MS.saturating_mul(2))
}

fn hash(command: &RefundTopup) -> String {
    let ask = match command.ask {
        RefundAsk::Everything => "everything".to_owned(),
        RefundAsk::Credits(credits) => format!("credits {credits}"),
        RefundAsk::Amount(amount) => format!("amount {amount}"),
        RefundAsk::Unspent => "unspent".to_owned(),
    };
    let payment = command.payment.as_ref().map_or("", PaymentId::as_str);
    request_hash(&[command.topup.as_str(), &ask, payment, &command.reason])
}

/// Inserts a request or finds the earlier one with the same key.
struct BeginRefund {
    new: NewRefundRequest,
    /// The id of the first ledger entry, if something has ended.
    entry: LedgerEntryId,
    command: RefundTopup,
}

impl Write for BeginRefund {
    type Output = RefundStart;

    async fn run(&self, tx: &mut Tx) -> Result<RefundStart, StoreError> {
        let Self { new, entry, command } = self;
        // The row lock keeps other requests for this top-up from being inserted meanwhile.
        if !refund_requests::lock(tx, &new.topup).await? {
            return Ok(RefundStart::Failed(Refusal::NotFound));
        }
        let now_ms = new.now_ms;
        let payment = command.payment.as_ref();
        let facts = refund_facts::find(tx, &new.topup, payment, now_ms, latest_lease_ms(now_ms)).await?;
        let Some(facts) = facts.filter(|facts| command.operator.may_act_for(&facts.account)) else {
            return Ok(RefundStart::Failed(Refusal::NotFound));
        };
        if let Some(earlier) = refund_requests::find_by_key(tx, &new.scope, &new.key).await? {
            return go_on(tx, new, facts, earlier).await;
        }
        let facts = if command.ask == RefundAsk::Unspent {
            settle_in(tx, &facts.account, entry, now_ms).await?;
            let found = refund_facts::find(tx, &new.topup, payment, now_ms, latest_lease_ms(now_ms)).await?;
            found.ok_or_else(|| StoreError::corrupt("no longer there: top-up", &new.topup))?
        } else {
            facts
        };
        let payment = match (&facts.payment, payment) {
            (Some(payment), _) => payment.clone(),
            (None, Some(_)) => return Ok(RefundStart::Failed(Refusal::NoSuchPayment)),
            (None, None) => return Ok(RefundStart::Failed(Refusal::NotPossible(RefundRefusal::NotPaid))),
        };
        let plan = match facts.refundable.plan(command.ask) {
            Ok(plan) => plan,
            Err(refusal) => return Ok(RefundStart::Failed(Refusal::NotPossible(refusal))),
        };
        let request = refund_requests::insert(tx, new, &payment, plan.amount_minor, &facts.currency).await?;
        // The row says "unknown" in case this process dies; no call has been made yet.
        Ok(RefundStart::Work(facts, request, Attempt { unknown_since_ms: None, ..Attempt::first(now_ms) }))
    }
}

/// Settles the account, so that what remains of a purchase's grant is known. It stays locked until the request is stored.
async fn settle_in(tx: &mut Tx, account: &AccountId, entry: &LedgerEntryId, now_ms: i64) -> Result<(), StoreError> {
    let Some(mut account) = LockedAccount::lock(tx, account, entry, now_ms).await? else { return Ok(()) };
    if settle(tx, &mut account).await? == Settled::Partly {
        return Err(StoreError::Busy);
    }
    if account.is_changed() {
        account.store(tx).await?;
    }
    Ok(())
}

async fn go_on(
    tx: &mut Tx,
    new: &NewRefundRequest,
    facts: RefundFacts,
    earlier: RefundRequest,
) -> Result<RefundStart, StoreError> {
    if earlier.request_hash != new.request_hash {
        return Ok(RefundStart::Failed(Refusal::OtherRequest));
    }
    if earlier.state != "creating" {
        return Ok(RefundStart::Ended(facts, earlier));
    }
    if refund_requests::take_over(tx, &earlier.id, new.lease_until_ms, new.now_ms).await? {
        let attempt = earlier.attempt();
        Ok(RefundStart::Work(facts, earlier, attempt))
    } else {
        Ok(RefundStart::Failed(Refusal::StillRunning))
    }
}

/// Applies the refund, then stores the outcome of the request. If the process dies in between, a retry finds the refund
/// applied and changes nothing.
async fn book(
    app: &App,
    request: &RefundRequest,
    report: RefundReport,
    work: &Work,
) -> Result<RefundRequest, RefundError> {
    let payment = request.payment()?;
    let outcome = RefundOutcome { refund_id: report.id.to_string(), status: report.status.as_str().to_owned() };
    let asked = ReversalSource { event: None, livemode: app.checkout.livemode };
    match apply_refund(app, asked, report).await {
        Ok(EventOutcome::Decided(_)) => {}
        Ok(EventOutcome::Foreign(reason)) => {
            tracing::error!(request = request.id, reason, "the refund that was asked for is not in the books");
        }
        Ok(EventOutcome::Rejected(mismatch)) => {
            let reason = mismatch.to_string();
            tracing::error!(request = request.id, reason, "the refund that was asked for is not in the books");
        }
        Err(error) => {
            release(app, &request.id, work, None).await?;
            return Err(RefundError::NotBooked(error));
        }
    }
    let (request, now_ms) = (request.id.clone(), app.clock.now_ms());
    Ok(app.db.write(RecordRefund { request, payment, outcome, now_ms }).await?)
}

async fn release(app: &App, id: &str, work: &Work, failure_code: Option<&'static str>) -> Result<(), StoreError> {
    let (request, now_ms, Work { attempt, mark_ms, .. }) = (id.to_owned(), app.clock.now_ms(), *work);
    app.db.write(ReleaseRequest { request, mark_ms, attempt, failure_code, now_ms }).await
}

/// Completes a request that the provider refused.
struct RecordRefusal {
    request: String,
    mark_ms: i64,
    refusal: ProviderRefusal,
    now_ms: i64,
}

impl Write for RecordRefusal {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        refund_requests::refused(tx, &self.request, self.mark_ms, self.refusal.code(), self.now_ms).await
    }
}

/// Completes a request whose refund was made, and returns the stored request.
struct RecordRefund {
    request: String,
    payment: PaymentId,
    outcome: RefundOutcome,
    now_ms: i64,
}

impl Write for RecordRefund {
    type Output = RefundRequest;

    async fn run(&self, tx: &mut Tx) -> Result<RefundRequest, StoreError> {
        refund_requests::created(tx, &self.request, &self.payment, &self.outcome, self.now_ms).await
    }
}

/// Releases a request for the next process, with what is known about the calls.
struct ReleaseRequest {
    request: String,
    mark_ms: i64,
    attempt: Attempt,
    failure_code: Option<&'static str>,
    now_ms: i64,
}

impl Write for ReleaseRequest {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        let Self { request, attempt, mark_ms, failure_code, now_ms } = self;
        refund_requests::release(tx, request, *mark_ms, attempt, *failure_code, *now_ms).await
    }
}

/// The answer for a completed request, the first time and on every retry.
fn answer(request: RefundRequest, facts: &RefundFacts) -> Result<Refunded, RefundError> {
    match (request.state.as_str(), request.failure_code.as_deref()) {
        ("refused", code) => Err(RefundError::RefusedByProvider(ProviderRefusal::of_code(code.unwrap_or_default()))),
        _ => Ok(Refunded { account: facts.account.to_string(), request }),
    }
}
