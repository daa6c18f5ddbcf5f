//! Refunds and disputes of a subscription's payment: finds the invoice that the payment was for, and takes back what that
//! brought.
//!
//! Since 2025-03-31.basil a payment does not name its invoice; the provider's list of invoice payments does. As for
//! purchases, a refund report is applied as it is, and a dispute is fetched and written over the version that was known.

use crate::app::App;
use crate::db::{StoreError, Tx, Write};
use crate::domain::account::AccountId;
use crate::domain::checkout::Mismatch;
use crate::domain::ids::{DisputeId, InvoiceId, LedgerEntryId, PaymentId, SubscriptionId};
use crate::domain::ledger::ReversalCause;
use crate::domain::reversal::{DisputeReport, RefundReport};
use crate::measure::{self, Flow};
use crate::providers::event::PaymentRefunded;
use crate::providers::port::ProviderError;
use crate::purchases::decided_events::insert_event_about;
use crate::purchases::outcome::{ApplyEventError, EventOutcome};
use crate::purchases::reversal::apply_reversal::{NOT_OURS, ReversalSource, all_refunds};
use crate::purchases::reversal::inquiry::Inquiry;
use crate::subscriptions::grant_period::Booking;
use crate::subscriptions::invoice_rows::Invoice;
use crate::subscriptions::refresh::fetch_invoice;
use crate::subscriptions::reversal_rows;
use crate::subscriptions::subscription_rows::{self, subscription_id};
use crate::subscriptions::take_back::settle_invoice;

/// The most fetches of a dispute when its row keeps changing meanwhile.
const MAX_FETCHES: u32 = 5;

/// Applies a refund of a payment that belongs to no top-up.
///
/// # Errors
/// When the provider cannot be asked, or the database fails.
pub(crate) async fn refund(
    inquiry: &Inquiry<'_>,
    source: ReversalSource,
    refund: RefundReport,
) -> Result<EventOutcome, ApplyEventError> {
    let Some(payment) = refund.payment.clone() else { return Ok(NOT_OURS) };
    let Some(invoice) = invoice_of(inquiry, &payment, source.livemode).await? else { return Ok(NOT_OURS) };
    store(inquiry.app, &source, &invoice, payment, News::Refunds(vec![refund])).await.map_err(Into::into)
}

/// Applies all refunds of a charge that belongs to no top-up.
///
/// # Errors
/// When the provider cannot be asked, or the database fails.
pub(crate) async fn charge_refunded(
    inquiry: &Inquiry<'_>,
    refunded: PaymentRefunded,
) -> Result<EventOutcome, ApplyEventError> {
    let payment = refunded.payment;
    let Some(invoice) = invoice_of(inquiry, &payment, refunded.livemode).await? else { return Ok(NOT_OURS) };
    let refunds = match refunded.refunds {
        Some(refunds) => refunds,
        None => all_refunds(inquiry, &payment, refunded.amount_refunded_minor).await?,
    };
    let source = ReversalSource { event: Some(refunded.event), livemode: refunded.livemode };
    store(inquiry.app, &source, &invoice, payment, News::Refunds(refunds)).await.map_err(Into::into)
}

/// Applies the current state of a dispute of a payment that belongs to no top-up.
///
/// # Errors
/// When the provider cannot be asked, or the database fails.
pub(crate) async fn dispute(
    inquiry: &Inquiry<'_>,
    source: ReversalSource,
    dispute: &DisputeId,
    payment: &PaymentId,
) -> Result<EventOutcome, ApplyEventError> {
    let app = inquiry.app;
    let Some(invoice) = invoice_of(inquiry, payment, source.livemode).await? else { return Ok(NOT_OURS) };
    let mut fetches = 0_u32;
    loop {
        // The version is read before the state, which may otherwise be the older one.
        let version = app.db.invoice_dispute_version(*dispute.provider(), dispute.as_str()).await?;
        let report = inquiry.ask(app.provider.disputes.read_dispute(dispute)).await?;
        let news = News::Dispute(Box::new(report), version);
        fetches = fetches.saturating_add(1);
        match store(app, &source, &invoice, payment.clone(), news).await {
            Err(StoreError::Stale) if fetches < MAX_FETCHES => {}
            result => return result.map_err(Into::into),
        }
    }
}

/// The stored invoice that a payment was for; `None` if it was for something else. An invoice that is not stored yet is
/// fetched first: a refund can come before its invoice's own events. News of the other mode brings nothing here.
async fn invoice_of(
    inquiry: &Inquiry<'_>,
    payment: &PaymentId,
    livemode: bool,
) -> Result<Option<Invoice>, ApplyEventError> {
    let app = inquiry.app;
    let known = app.db.known_invoice_of(payment).await?;
    let id = match known {
        Some(id) => id,
        // Nothing can have been sold by subscription.
        None if app.db.plans(app.provider.name).await?.is_empty() => return Ok(None),
        None => match inquiry.ask(app.provider.invoices.invoice_of_payment(payment)).await {
            Ok(Some(id)) => id,
            Ok(None) | Err(ApplyEventError::Provider(ProviderError::Unknown(_) | ProviderError::Unsupported(_))) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        },
    };
    if let Some(invoice) = app.db.invoice(&id).await? {
        return Ok(Some(invoice));
    }
    if livemode != app.checkout.livemode {
        return Ok(None);
    }
    let report = inquiry.ask(app.provider.invoices.read_invoice(&id)).await?;
    let Some(subscription) = report.subscription else { return Ok(None) };
    fetch_invoice(inquiry, &subscription, &id).await?;
    Ok(app.db.invoice(&id).await?)
}

async fn store(
    app: &App,
    source: &ReversalSource,
    invoice: &Invoice,
    payment: PaymentId,
    news: News,
) -> Result<EventOutcome, StoreError> {
    if let Err(mismatch) = check(app, source, invoice, &news) {
        return Ok(EventOutcome::Rejected(mismatch));
    }
    let provider = *payment.provider();
    let id = InvoiceId::parse(provider, invoice.provider_invoice_id.as_str());
    let write = ApplyInvoiceReversal {
        source: source.clone(),
        invoice: id.map_err(|error| StoreError::corrupt("invoice", error))?,
        subscription: subscription_id(provider, &invoice.provider_subscription_id)?,
        account: AccountId::parse(invoice.account_id.as_str())
            .map_err(|error| StoreError::corrupt("account", error))?,
        payment,
        news,
        entry: LedgerEntryId::from_bits(app.ids.id_bits()),
        now_ms: app.clock.now_ms(),
    };
    let moved = app.db.write(write).await?;
    Ok(match moved {
        None => EventOutcome::Decided("duplicate"),
        Some(0) => EventOutcome::Decided("unchanged"),
        Some(credits) => {
            measure::credits(Flow::TakenBack, credits.saturating_neg());
            let invoice = &invoice.provider_invoice_id;
            tracing::info!(invoice, credits, "refunds and disputes of an invoice changed the books");
            EventOutcome::Decided("settled")
        }
    })
}

fn check(app: &App, source: &ReversalSource, invoice: &Invoice, news: &News) -> Result<(), Mismatch> {
    let differs =
        |field, reported: String, agreed: String| Mismatch { field, reported, agreed, can_be_accepted: false };
    let livemode = app.checkout.livemode;
    let (is_other_mode, currencies) = match news {
        News::Refunds(refunds) => (false, refunds.iter().map(|refund| refund.currency.as_str()).collect::<Vec<_>>()),
        News::Dispute(dispute, _) => (dispute.livemode != livemode, vec![dispute.currency.as_str()]),
    };
    if is_other_mode || source.livemode != livemode {
        return Err(differs("livemode", (!livemode).to_string(), livemode.to_string()));
    }
    match currencies.into_iter().find(|currency| *currency != invoice.currency) {
        Some(other) => Err(differs("currency", other.to_owned(), invoice.currency.clone())),
        None => Ok(()),
    }
}

/// Reports about refunds, or about a dispute with the version of its row that was known.
#[derive(Debug, Clone)]
enum News {
    Refunds(Vec<RefundReport>),
    Dispute(Box<DisputeReport>, Option<i64>),
}

impl News {
    fn cause(&self) -> ReversalCause {
        match self {
            Self::Refunds(_) => ReversalCause::Refund,
            Self::Dispute(dispute, _) => ReversalCause::Dispute { won: dispute.status == "won" },
        }
    }
}

struct ApplyInvoiceReversal {
    source: ReversalSource,
    invoice: InvoiceId,
    subscription: SubscriptionId,
    account: AccountId,
    payment: PaymentId,
    news: News,
    entry: LedgerEntryId,
    now_ms: i64,
}

impl Write for ApplyInvoiceReversal {
    /// The credits that moved; `None` if the event was decided before.
    type Output = Option<i64>;

    async fn run(&self, tx: &mut Tx) -> Result<Option<i64>, StoreError> {
        let mut booking = Booking::lock(tx, &self.account, &self.entry, self.now_ms).await?;
        let locked = subscription_rows::lock(tx, &self.subscription).await?;
        locked.ok_or_else(|| StoreError::corrupt("no longer there: subscription", &self.subscription))?;
        if let Some(event) = &self.source.event
            && !insert_event_about(tx, event, self.subscription.as_str(), "reversal", self.now_ms).await?
        {
            // What the lock has settled is to be kept.
            booking.store(tx).await?;
            return Ok(None);
        }
        match &self.news {
            News::Refunds(refunds) => {
                for refund in refunds {
                    reversal_rows::put_refund(tx, &self.invoice, &self.payment, refund, self.now_ms).await?;
                }
            }
            News::Dispute(dispute, version) => {
                let dispute = (&**dispute, *version);
                reversal_rows::put_dispute(tx, &self.invoice, &self.payment, dispute, self.now_ms).await?;
            }
        }
        let moved = settle_invoice(tx, &mut booking, &self.invoice, Some(self.news.cause())).await?;
        booking.store(tx).await?;
        Ok(Some(moved))
    }
}
