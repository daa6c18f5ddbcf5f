//! Money that goes back, and what Stripe keeps: news about a payment that do not say whose it is, or not enough.
//!
//! Whose payment it is, is known here or is asked of Stripe; what is nobody's leaves no row. A refund is believed, since
//! it only moves forward; a dispute's state is fetched, and written only if nobody wrote meanwhile. Stripe is asked
//! before a transaction begins, never within one.

use crate::app::App;
use crate::db::StoreError;
use crate::domain::ids::{DisputeId, LedgerEntryId, PaymentId, TopupId};
use crate::domain::reversal::{EventRef, RefundReport};
use crate::providers::event::{FeeKnown, PaymentRefunded};
use crate::providers::port::ProviderError;
use crate::purchases::fee::fee_news::{ExpectFee, FeeNews};
use crate::purchases::outcome::{ApplyEventError, EventOutcome};
use crate::purchases::reversal::inquiry::Inquiry;
use crate::purchases::reversal::reversals::{AppliedReversal, ApplyReversals, ReversalNews};

/// How often a dispute is fetched anew because somebody else wrote it meanwhile.
const MAX_FETCHES: u32 = 5;

/// Where news came from, and in which mode.
#[derive(Debug, Clone)]
pub(crate) struct ReversalSource {
    /// The webhook event; none if we asked.
    pub(crate) event: Option<EventRef>,
    /// Whether it is about real money.
    pub(crate) livemode: bool,
}

impl From<AppliedReversal> for EventOutcome {
    fn from(applied: AppliedReversal) -> Self {
        match applied {
            AppliedReversal::Rejected(mismatch) => Self::Rejected(mismatch),
            AppliedReversal::Foreign => Self::Foreign("another environment's top-up"),
            applied => Self::Decided(applied.as_str()),
        }
    }
}

const NOT_OURS: EventOutcome = EventOutcome::Foreign("the payment is not ours");

/// Brings a refund that we asked for into the books.
///
/// # Errors
/// When Stripe cannot be asked whose payment it is, or the database fails.
pub(crate) async fn apply_refund(
    app: &App,
    asked: ReversalSource,
    refund_report: RefundReport,
) -> Result<EventOutcome, ApplyEventError> {
    refund(&Inquiry::paced(app), asked, refund_report).await
}

/// Brings a dispute that we asked for into the books as Stripe sees it now.
///
/// # Errors
/// When Stripe cannot be asked, or the database fails.
pub(crate) async fn apply_dispute(
    app: &App,
    asked: ReversalSource,
    id: &DisputeId,
    payment: &PaymentId,
) -> Result<EventOutcome, ApplyEventError> {
    dispute(&Inquiry::paced(app), asked, id, payment).await
}

/// Brings a refund into the books.
///
/// # Errors
/// When Stripe cannot be asked whose payment it is, or the database fails.
pub(crate) async fn refund(
    inquiry: &Inquiry<'_>,
    asked: ReversalSource,
    refund: RefundReport,
) -> Result<EventOutcome, ApplyEventError> {
    let Some(payment) = refund.payment.clone() else { return Ok(NOT_OURS) };
    let Some(topup) = owner(inquiry, &payment).await? else { return Ok(NOT_OURS) };
    Ok(store(inquiry.app, asked, topup, payment, ReversalNews::Refunds(vec![refund])).await?.into())
}

/// Brings all refunds of a charge into the books: those of the event, if it has them, else Stripe is asked.
///
/// # Errors
/// When Stripe cannot be asked, or the database fails.
pub(crate) async fn charge_refunded(
    inquiry: &Inquiry<'_>,
    refunded: PaymentRefunded,
) -> Result<EventOutcome, ApplyEventError> {
    let app = inquiry.app;
    let payment = refunded.payment;
    let topup = match refunded.topup {
        Some(topup) if app.db.topup(&topup).await?.is_some() => Some(topup),
        _ => owner(inquiry, &payment).await?,
    };
    let Some(topup) = topup else { return Ok(NOT_OURS) };
    if app.db.is_decided(&refunded.event.0).await? {
        return Ok(AppliedReversal::Duplicate.into());
    }
    let refunds = match refunded.refunds {
        Some(refunds) => refunds,
        None => all_refunds(inquiry, &payment, refunded.amount_refunded_minor).await?,
    };
    let asked = ReversalSource { event: Some(refunded.event), livemode: refunded.livemode };
    Ok(store(app, asked, topup, payment, ReversalNews::Refunds(refunds)).await?.into())
}

/// The refunds of a payment, as Stripe lists them. A list may lag behind the event: one whose refunds do not add up to what
/// had been refunded, those that failed included, is asked for again when Stripe repeats the event.
async fn all_refunds(
    inquiry: &Inquiry<'_>,
    payment: &PaymentId,
    refunded_minor: Option<i64>,
) -> Result<Vec<RefundReport>, ApplyEventError> {
    let refunds = inquiry.ask(inquiry.app.provider.refunds.refunds_of(payment)).await?;
    let listed = refunds.iter().map(|refund| refund.amount_minor).try_fold(0_i64, i64::checked_add);
    let refunded = refunded_minor.unwrap_or(0);
    if listed.is_none_or(|listed| listed < refunded) {
        let what = format!("the list of refunds of {payment} is behind: {listed:?} of {refunded}");
        return Err(ProviderError::Unreachable(what).into());
    }
    Ok(refunds)
}

/// Brings a dispute into the books as Stripe sees it now.
///
/// # Errors
/// When Stripe cannot be asked, or the database fails.
pub(crate) async fn dispute(
    inquiry: &Inquiry<'_>,
    asked: ReversalSource,
    dispute: &DisputeId,
    payment: &PaymentId,
) -> Result<EventOutcome, ApplyEventError> {
    let app = inquiry.app;
    let Some(topup) = owner(inquiry, payment).await? else { return Ok(NOT_OURS) };
    if let Some((event, _)) = &asked.event
        && app.db.is_decided(event).await?
    {
        return Ok(AppliedReversal::Duplicate.into());
    }
    let mut fetches = 0_u32;
    loop {
        // First the version, then the state: if somebody writes in between, what we fetched may be the older one.
        let version = app.db.reversal(*dispute.provider(), dispute.as_str()).await?.map(|stored| stored.version);
        let report = inquiry.ask(app.provider.disputes.read_dispute(dispute)).await?;
        let news = ReversalNews::Dispute(report, version);
        fetches = fetches.saturating_add(1);
        match store(app, asked.clone(), topup.clone(), payment.clone(), news).await {
            Err(StoreError::Stale) if fetches < MAX_FETCHES => {}
            result => return Ok(result?.into()),
        }
    }
}

/// Notes by which movement Stripe will say what it kept of a charge. It is asked later, in the background, so the answer
/// to a delivery never depends on a fee.
///
/// # Errors
/// When the database fails.
pub(crate) async fn apply_charge(app: &App, charge: FeeKnown) -> Result<EventOutcome, StoreError> {
    let FeeKnown { event, livemode, topup, payment, charge, fee_id } = charge;
    let now_ms = app.clock.now_ms();
    let command = ExpectFee { event, topup, livemode, payment, charge, fee_id, now_ms };
    Ok(match app.db.submit(command).await? {
        FeeNews::Expected => EventOutcome::Decided("fee_expected"),
        FeeNews::Duplicate => AppliedReversal::Duplicate.into(),
        FeeNews::Foreign => EventOutcome::Foreign("another environment's top-up"),
        FeeNews::Rejected(mismatch) => EventOutcome::Rejected(mismatch),
    })
}

/// Whose payment it is, as far as that is known here.
///
/// # Errors
/// When the database fails.
pub(crate) async fn known_owner(app: &App, payment: &PaymentId) -> Result<Option<TopupId>, StoreError> {
    let Some(known) = app.db.payment(payment).await? else { return Ok(None) };
    let topup = TopupId::parse(&known.topup_id);
    topup.map(Some).map_err(|_| StoreError::corrupt("top-up id", &known.topup_id))
}

/// Whose payment it is: known here, or by the metadata that Stripe has. `None` if it is no purchase of this database.
///
/// # Errors
/// When Stripe cannot be asked, or the database fails.
pub(crate) async fn owner(inquiry: &Inquiry<'_>, payment: &PaymentId) -> Result<Option<TopupId>, ApplyEventError> {
    if let Some(known) = known_owner(inquiry.app, payment).await? {
        return Ok(Some(known));
    }
    let Some(named) = inquiry.named_topup(payment).await? else { return Ok(None) };
    Ok(inquiry.app.db.topup(&named).await?.map(|topup| topup.id))
}

async fn store(
    app: &App,
    asked: ReversalSource,
    topup: TopupId,
    payment: PaymentId,
    news: ReversalNews,
) -> Result<AppliedReversal, StoreError> {
    let command = ApplyReversals {
        event: asked.event,
        topup,
        payment,
        livemode: asked.livemode,
        news,
        entry: LedgerEntryId::from_bits(app.ids.id_bits()),
        now_ms: app.clock.now_ms(),
    };
    let (topup, payment) = (command.topup.clone(), command.payment.clone());
    let applied = app.db.apply_reversals(command).await?;
    if let AppliedReversal::Settled { credits, balance_after } = &applied {
        tracing::info!(%topup, %payment, credits, balance_after, "refunds and disputes changed the books");
    }
    Ok(applied)
}
