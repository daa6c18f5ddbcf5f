//! Applies refunds, disputes and charges: events about a payment that do not name the top-up, or not everything about
//! it.
//!
//! The payment's top-up is known here or is asked from the provider; payments that are not ours leave no row. A refund
//! report is applied as it is, since a refund only moves forward. A dispute is fetched, and written only if its row has
//! not changed meanwhile. The provider is asked before a transaction begins, never within one.

use crate::app::App;
use crate::db::StoreError;
use crate::domain::ids::{DisputeId, LedgerEntryId, PaymentId, TopupId};
use crate::domain::reversal::{EventRef, RefundReport};
use crate::measure::{self, Flow};
use crate::providers::event::{FeeKnown, PaymentRefunded};
use crate::providers::port::ProviderError;
use crate::purchases::fee::fee_news::{ExpectFee, FeeNews};
use crate::purchases::outcome::{ApplyEventError, EventOutcome};
use crate::purchases::reversal::inquiry::Inquiry;
use crate::purchases::reversal::reversals::{ApplyReversals, ReversalNews};
use crate::purchases::reversal::take_back::AppliedReversal;

/// The most fetches of a dispute when its row keeps changing meanwhile.
const MAX_FETCHES: u32 = 5;

/// Where a report came from, and in which mode.
#[derive(Debug, Clone)]
pub(crate) struct ReversalSource {
    /// The webhook event; `None` if we asked.
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

/// The payment is of no top-up here.
pub(crate) const NOT_OURS: EventOutcome = EventOutcome::Foreign("the payment is not ours");

/// Applies a refund that we asked for.
///
/// # Errors
/// When the provider cannot be asked which top-up the payment belongs to, or the database fails.
pub(crate) async fn apply_refund(
    app: &App,
    asked: ReversalSource,
    refund_report: RefundReport,
) -> Result<EventOutcome, ApplyEventError> {
    refund(&Inquiry::paced(app), asked, refund_report).await
}

/// Applies the current state of a dispute that we asked for.
///
/// # Errors
/// When the provider cannot be asked, or the database fails.
pub(crate) async fn apply_dispute(
    app: &App,
    asked: ReversalSource,
    id: &DisputeId,
    payment: &PaymentId,
) -> Result<EventOutcome, ApplyEventError> {
    dispute(&Inquiry::paced(app), asked, id, payment).await
}

/// Applies a refund.
///
/// # Errors
/// When the provider cannot be asked which top-up the payment belongs to, or the database fails.
pub(crate) async fn refund(
    inquiry: &Inquiry<'_>,
    asked: ReversalSource,
    refund: RefundReport,
) -> Result<EventOutcome, ApplyEventError> {
    let Some(payment) = refund.payment.clone() else { return Ok(NOT_OURS) };
    let Some(topup) = owner(inquiry, &payment).await? else { return Ok(NOT_OURS) };
    Ok(store(inquiry.app, asked, topup, payment, ReversalNews::Refunds(vec![refund])).await?.into())
}

/// Applies all refunds of a charge: those in the event, if it contains them; otherwise the provider is asked.
///
/// # Errors
/// When the provider cannot be asked, or the database fails.
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

/// The refunds of a payment from the provider's list, which may lag behind the event. If the listed refunds, including
/// failed ones, add up to less than the refunded amount, it fails, and the event's next delivery asks again.
pub(crate) async fn all_refunds(
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

/// Applies the current state of a dispute.
///
/// # Errors
/// When the provider cannot be asked, or the database fails.
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
        // Read the version before the state: if the row changes in between, the fetched state may be the older one.
        let version = app.db.reversal(*dispute.provider(), dispute.as_str()).await?.map(|stored| stored.version);
        let report = inquiry.ask(app.provider.disputes.read_dispute(dispute)).await?;
        let news = ReversalNews::Dispute(Box::new(report), version);
        fetches = fetches.saturating_add(1);
        match store(app, asked.clone(), topup.clone(), payment.clone(), news).await {
            Err(StoreError::Stale) if fetches < MAX_FETCHES => {}
            result => return Ok(result?.into()),
        }
    }
}

/// Stores which balance transaction will show the fee of a charge. The fee is fetched later in the background, so the
/// answer to a delivery never depends on it.
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

/// The top-up that a payment belongs to, if it is stored here.
///
/// # Errors
/// When the database fails.
pub(crate) async fn known_owner(app: &App, payment: &PaymentId) -> Result<Option<TopupId>, StoreError> {
    let Some(known) = app.db.payment(payment).await? else { return Ok(None) };
    let topup = TopupId::parse(&known.topup_id);
    topup.map(Some).map_err(|_| StoreError::corrupt("top-up id", &known.topup_id))
}

/// The top-up that a payment belongs to: stored here, or named in the provider's metadata. `None` if it is not a top-up
/// of this database.
///
/// # Errors
/// When the provider cannot be asked, or the database fails.
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
        measure::credits(Flow::TakenBack, credits.saturating_neg());
        tracing::info!(%topup, %payment, credits, balance_after, "refunds and disputes changed the books");
    }
    Ok(applied)
}
