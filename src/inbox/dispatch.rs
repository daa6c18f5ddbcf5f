//! Maps each kind of event to its use case.

use crate::app::App;
use crate::customers::ensure_customer::forget_customer;
use crate::db::{StoreError, Tx, Write};
use crate::domain::account::AccountId;
use crate::domain::checkout::{Declined, Mismatch};
use crate::domain::judge::Applied;
use crate::inbox::apply_thin::{ThinOutcome, resolve_thin};
use crate::inbox::owner::{known_owner_of, not_understood};
use crate::providers::event::{CardSaved, ProviderEvent};
use crate::purchases::fraud::apply_signal::apply_signal;
use crate::purchases::outcome::{ApplyEventError, EventOutcome};
use crate::purchases::payment::apply::decline;
use crate::purchases::payment::apply_report::apply;
use crate::purchases::reversal::apply_reversal::{self, NOT_OURS, ReversalSource, apply_charge};
use crate::purchases::reversal::inquiry::Inquiry;
use crate::recurring::cards::keep_cards::CardError;
use crate::recurring::cards::setup_done::setup_done;
use crate::subscriptions::{apply_reversal as of_invoice, refresh};

/// Passes an event to its use case. To add a kind of event, add an arm.
pub(crate) async fn dispatch(inquiry: &Inquiry<'_>, event: ProviderEvent) -> Result<EventOutcome, ApplyEventError> {
    let app = inquiry.app;
    match event {
        ProviderEvent::PurchasePaid(report)
        | ProviderEvent::PurchaseProcessing(report)
        | ProviderEvent::PurchaseFailed(report)
        | ProviderEvent::PurchaseExpired(report)
        | ProviderEvent::PurchaseUnchanged(report) => Ok(apply(app, *report).await?.into()),
        ProviderEvent::PaymentDeclined(declined) => Ok(apply_decline(app, declined).await?.into()),
        ProviderEvent::RefundChanged { event, livemode, refund } => {
            let source = ReversalSource { event: Some(event), livemode };
            match apply_reversal::refund(inquiry, source.clone(), refund.clone()).await? {
                outcome if outcome == NOT_OURS => of_invoice::refund(inquiry, source, refund).await,
                outcome => Ok(outcome),
            }
        }
        ProviderEvent::PaymentRefunded(refunded) => {
            match apply_reversal::charge_refunded(inquiry, refunded.clone()).await? {
                outcome if outcome == NOT_OURS => of_invoice::charge_refunded(inquiry, refunded).await,
                outcome => Ok(outcome),
            }
        }
        ProviderEvent::DisputeChanged { event, livemode, dispute, payment } => {
            let source = ReversalSource { event: Some(event), livemode };
            match apply_reversal::dispute(inquiry, source.clone(), &dispute, &payment).await? {
                outcome if outcome == NOT_OURS => of_invoice::dispute(inquiry, source, &dispute, &payment).await,
                outcome => Ok(outcome),
            }
        }
        ProviderEvent::FraudSignalled(signalled) => apply_signal(inquiry, signalled).await,
        ProviderEvent::SubscriptionChanged(notice) => refresh::subscription_changed(inquiry, notice).await,
        ProviderEvent::InvoiceChanged(notice) => refresh::invoice_changed(inquiry, notice).await,
        ProviderEvent::SubscriptionCheckoutEnded(notice) => refresh::checkout_ended(inquiry, notice).await,
        ProviderEvent::FeeKnown(charge) => Ok(apply_charge(app, charge).await?),
        ProviderEvent::CardSaved(saved) => card_saved(app, saved).await,
        ProviderEvent::CustomerDeleted { livemode, customer, .. } => {
            let is_known = livemode == app.checkout.livemode && forget_customer(app, &customer).await?;
            Ok(if is_known { EventOutcome::Decided("customer_forgotten") } else { NO_CUSTOMER_OF_OURS })
        }
        ProviderEvent::Announced(thin) => match resolve_thin(inquiry, thin).await? {
            ThinOutcome::Decided(outcome) => Ok(outcome),
            ThinOutcome::StandsFor(Ok(event)) => Box::pin(dispatch(inquiry, event)).await,
            ThinOutcome::StandsFor(Err(error)) => not_understood(inquiry, error).await,
        },
        ProviderEvent::OfAccount { account, event } => Ok(of_account(app, account, &event).await?),
        ProviderEvent::Foreign { reason } => Ok(EventOutcome::Foreign(reason)),
    }
}

const NO_CUSTOMER_OF_OURS: EventOutcome = EventOutcome::Foreign("no customer of ours");

/// A customer has saved a card. The event has no row: a repetition finds the card as the default.
async fn card_saved(app: &App, saved: CardSaved) -> Result<EventOutcome, ApplyEventError> {
    let Ok(account) = AccountId::parse(saved.account) else { return Ok(NO_CUSTOMER_OF_OURS) };
    if saved.livemode != app.checkout.livemode {
        return Ok(NO_CUSTOMER_OF_OURS);
    }
    match setup_done(app, &saved.customer, &account, &saved.setup).await {
        Ok(done) => Ok(done.map_or(NO_CUSTOMER_OF_OURS, EventOutcome::Decided)),
        Err(CardError::Provider(error)) => Err(error.into()),
        Err(CardError::Store(error)) => Err(error.into()),
        Err(CardError::NotFound) => Ok(EventOutcome::Decided("card_removed")),
    }
}

/// An event of a connected account about one of our top-ups contradicts the agreement: top-ups are not paid there.
async fn of_account(app: &App, account: String, event: &ProviderEvent) -> Result<EventOutcome, StoreError> {
    let owner = match event.subject() {
        Some(subject) => known_owner_of(app, &subject).await?,
        None => None,
    };
    Ok(match owner {
        Some(_) => EventOutcome::Rejected(Mismatch::other_account(account)),
        None => EventOutcome::Foreign("a connected account's event"),
    })
}

async fn apply_decline(app: &App, declined: Declined) -> Result<Applied, StoreError> {
    app.db.write(RecordDecline { declined, now_ms: app.clock.now_ms() }).await
}

/// Records that a payment attempt was declined, together with the event's row.
struct RecordDecline {
    declined: Declined,
    now_ms: i64,
}

impl Write for RecordDecline {
    type Output = Applied;

    async fn run(&self, tx: &mut Tx) -> Result<Applied, StoreError> {
        decline(tx, &self.declined, self.now_ms).await
    }
}
