//! An operator gives money back: write the request down, call Stripe, and bring the refund into the books by the very
//! way that a webhook takes.
//!
//! What was asked for, with how much that is, is committed before Stripe is called; no transaction is open meanwhile. A
//! repetition with the same key finds the first request, whether it is running, has ended, or died half-way, and there is
//! one refund at Stripe for it. A refusal of ours leaves nothing; one of Stripe's is kept.

use crate::access::caller_key::{CallerKey, request_hash};
use crate::access::operator::Operator;
use crate::app::App;
use crate::db::{StoreError, Tx, Write};
use crate::domain::attempt::Attempt;
use crate::domain::ids::{PaymentId, RefundRequestId, TopupId};
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

/// How long a process may work on a request: longer than its calls to Stripe take. One that is slower still and is
/// overtaken does no harm, because both use the same key towards Stripe and get the same refund.
const LEASE_MS: i64 = 60_000;

/// What an operator asks for.
#[derive(Debug, Clone)]
pub struct RefundTopup {
    /// The purchase.
    pub topup: TopupId,
    /// How much.
    pub ask: RefundAsk,
    /// A payment of it; none means the one that paid.
    pub payment: Option<PaymentId>,
    /// Stripe's word for why.
    pub reason: String,
    /// Who asks.
    pub operator: Operator,
    /// The idempotency key.
    pub key: CallerKey,
}

/// Why there is no refund.
#[derive(Debug, thiserror::Error)]
pub enum RefundError {
    /// There is no such purchase that the operator may know of.
    #[error("there is no such top-up")]
    NotFound,
    /// The purchase has no such payment.
    #[error("the top-up has no such payment")]
    NoSuchPayment,
    /// It cannot be, as far as is known here.
    #[error(transparent)]
    NotPossible(#[from] RefundRefusal),
    /// It cannot be, says Stripe.
    #[error(transparent)]
    RefusedByProvider(ProviderRefusal),
    /// The idempotency key came with another request before.
    #[error("the idempotency key was used with another request")]
    OtherRequest,
    /// The first request with the key is still running.
    #[error("the first request with this idempotency key is still running")]
    StillRunning,
    /// Stripe did not make it, or did not say.
    #[error(transparent)]
    Provider(#[from] RefundTrouble),
    /// It is made, and not in the books yet.
    #[error("the refund is made and cannot be brought into the books now")]
    NotBooked(#[source] ApplyEventError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A refund that was made, and who got it.
#[derive(Debug, Clone)]
pub struct Refunded {
    /// The request with what came of it.
    pub request: RefundRequest,
    /// The account, for the caller.
    pub account: String,
}

/// What a refund would do.
#[derive(Debug, Clone)]
pub struct RefundPreview {
    /// What is known of the payment.
    pub facts: RefundFacts,
    /// What it would move, or why it cannot be.
    pub plan: Result<RefundPlan, RefundRefusal>,
    /// What the account has now.
    pub balance: i64,
}

/// What the first write found.
enum RefundStart {
    /// This process works on it, for the first time or after another one; with what is known about the calls.
    Work(RefundFacts, RefundRequest, Attempt),
    /// It has ended.
    Ended(RefundFacts, RefundRequest),
    Failed(Refusal),
}

/// Why there is nothing to work on. Nothing was written.
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

/// Refunds a purchase, or a part of it.
///
/// # Errors
/// See [`RefundError`]. After an error with a retryable meaning, the same idempotency key goes on with the same request.
pub async fn refund_topup(app: &App, command: RefundTopup) -> Result<Refunded, RefundError> {
    let mut begun = begin_now(app, &command).await?;
    // What an earlier request may have given back is in the way until that is known: Stripe may know by now.
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

/// Writes the request down, or finds the earlier one; with the time that was written.
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
    Ok((app.db.write(BeginRefund { new, command: command.clone() }).await?, now_ms))
}

/// What a refund would do now. `None` if there is no such purchase that the operator may know of.
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
    let balance = app.db.balance(&facts.account).await?.remaining_credits;
    Ok(Some(RefundPreview { plan: facts.refundable.plan(ask), facts, balance }))
}

/// A lease that ends later was given by a clock that was wrong, and counts for nothing.
const fn latest_lease_ms(now_ms: i64) -> i64 {
    now_ms.saturating_add(LEASE_MS.saturating_mul(2))
}

fn hash(command: &RefundTopup) -> String {
    let ask = match command.ask {
        RefundAsk::Everything => "everything".to_owned(),
        RefundAsk::Credits(credits) => format!("credits {credits}"),
        RefundAsk::Amount(amount) => format!("amount {amount}"),
    };
    let payment = command.payment.as_ref().map_or("", PaymentId::as_str);
    request_hash(&[command.topup.as_str(), &ask, payment, &command.reason])
}

/// Writes a request down, or finds the earlier one with the same key.
struct BeginRefund {
    new: NewRefundRequest,
    command: RefundTopup,
}

impl Write for BeginRefund {
    type Output = RefundStart;

    async fn run(&self, tx: &mut Tx) -> Result<RefundStart, StoreError> {
        let Self { new, command } = self;
        // From here on no other request for this purchase is written until this one is.
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
        // The row says that it is unknown, for the case that this process dies; nothing was called yet.
        Ok(RefundStart::Work(facts, request, Attempt { unknown_since_ms: None, ..Attempt::first(now_ms) }))
    }
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

/// Brings the refund into the books, then stores what came of the request. Should this process die in between, the
/// repetition finds the refund in the books and changes nothing there.
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

/// Ends a request that Stripe refuses.
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

/// Ends a request whose refund is made; gives it as it is stored then.
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

/// Leaves a request to the next process that works on it, with what is known about the calls.
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

/// What a request that has ended is answered with, the first time and each time after it.
fn answer(request: RefundRequest, facts: &RefundFacts) -> Result<Refunded, RefundError> {
    match (request.state.as_str(), request.failure_code.as_deref()) {
        ("refused", code) => Err(RefundError::RefusedByProvider(ProviderRefusal::of_code(code.unwrap_or_default()))),
        _ => Ok(Refunded { account: facts.account.to_string(), request }),
    }
}
