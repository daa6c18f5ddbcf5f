//! Asks the provider about a subscription and its invoices, and stores the answer.
//!
//! An event only says that something changed. Its subscription, and its invoice if it names one, are read again, so the
//! order of events proves nothing and is of no consequence. An answer is stored only if nothing was written since the
//! provider was asked; otherwise it is asked again.

use crate::app::App;
use crate::db::StoreError;
use crate::domain::account::AccountId;
use crate::domain::checkout::Mismatch;
use crate::domain::ids::{CustomerId, InvoiceId, LedgerEntryId, SubscriptionId};
use crate::domain::reversal::EventRef;
use crate::domain::subscription::{InvoiceReport, InvoiceStatus, SubscriptionReport};
use crate::measure::{self, Flow};
use crate::providers::event::{CheckoutNotice, InvoiceNotice, SubscriptionNotice};
use crate::providers::port::ProviderError;
use crate::purchases::outcome::{ApplyEventError, EventOutcome};
use crate::purchases::reversal::inquiry::Inquiry;
use crate::subscriptions::apply_snapshot::{AppliedSnapshot, ApplySnapshot};
use crate::subscriptions::checkout_rows::EndCheckout;
use crate::subscriptions::subscription_rows::Subscription;

/// The most times that the provider is asked again because something was written meanwhile.
const MAX_FETCHES: u32 = 5;

/// Which invoice is stored with a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Which {
    /// None.
    None,
    /// This one.
    This(InvoiceId),
    /// The latest one of the subscription.
    Latest,
}

/// What to ask, and why.
#[derive(Debug, Clone)]
struct Question {
    event: Option<EventRef>,
    livemode: bool,
    subscription: SubscriptionId,
    customer: Option<CustomerId>,
    invoice: Which,
    needs_action: bool,
    trial_ends: bool,
}

/// A subscription that is ours, as it was fetched.
enum Fetched {
    Ours(Box<(AccountId, SubscriptionReport, Option<InvoiceReport>)>),
    Decided(EventOutcome),
}

impl From<AppliedSnapshot> for EventOutcome {
    fn from(applied: AppliedSnapshot) -> Self {
        Self::Decided(applied.as_str())
    }
}

const OTHER_CUSTOMER: EventOutcome = EventOutcome::Foreign("another application's customer");
const NO_PLAN: EventOutcome = EventOutcome::Foreign("a subscription to no plan of ours");
const UNKNOWN: EventOutcome = EventOutcome::Foreign("Stripe does not know the subscription");

/// Handles an event about a subscription.
///
/// # Errors
/// When the provider cannot be asked, or the database fails.
pub(crate) async fn subscription_changed(
    inquiry: &Inquiry<'_>,
    notice: SubscriptionNotice,
) -> Result<EventOutcome, ApplyEventError> {
    let question = Question {
        event: Some(notice.event),
        livemode: notice.livemode,
        subscription: notice.subscription,
        customer: notice.customer,
        invoice: Which::None,
        needs_action: false,
        trial_ends: notice.trial_ends,
    };
    answer(inquiry, question).await
}

/// Handles an event about an invoice.
///
/// # Errors
/// When the provider cannot be asked, or the database fails.
pub(crate) async fn invoice_changed(
    inquiry: &Inquiry<'_>,
    notice: InvoiceNotice,
) -> Result<EventOutcome, ApplyEventError> {
    let question = Question {
        event: Some(notice.event),
        livemode: notice.livemode,
        subscription: notice.subscription,
        customer: notice.customer,
        invoice: Which::This(notice.invoice),
        needs_action: notice.needs_action,
        trial_ends: false,
    };
    answer(inquiry, question).await
}

/// Handles the end of a checkout. The subscription that came of it is stored at once, with its first invoice: the
/// customer is on the way back.
///
/// # Errors
/// When the provider cannot be asked, or the database fails.
pub(crate) async fn checkout_ended(
    inquiry: &Inquiry<'_>,
    notice: CheckoutNotice,
) -> Result<EventOutcome, ApplyEventError> {
    let app = inquiry.app;
    let is_completed = notice.subscription.is_some();
    if notice.livemode != app.checkout.livemode && app.db.is_subscription_checkout(&notice.checkout).await? {
        return Ok(EventOutcome::Rejected(other_mode(app)));
    }
    let end = EndCheckout { checkout: notice.checkout, is_completed, now_ms: app.clock.now_ms() };
    if !app.db.write(end).await? {
        return Ok(EventOutcome::Foreign("another environment's checkout"));
    }
    let Some(subscription) = notice.subscription else { return Ok(EventOutcome::Decided("checkout_ended")) };
    let question = Question {
        event: Some(notice.event),
        livemode: notice.livemode,
        subscription,
        customer: None,
        invoice: Which::Latest,
        needs_action: false,
        trial_ends: false,
    };
    answer(inquiry, question).await
}

/// Reads a subscription and its latest invoice again, and stores both. For callers that pace themselves.
///
/// # Errors
/// When the provider cannot be asked, or the database fails.
pub(crate) async fn refresh(app: &App, subscription: &SubscriptionId) -> Result<EventOutcome, ApplyEventError> {
    let question = asked(app, subscription.clone(), Which::Latest);
    answer(&Inquiry::paced(app), question).await
}

/// Reads an invoice and its subscription again, and stores both. For callers that pace themselves.
///
/// # Errors
/// When the provider cannot be asked, or the database fails.
pub(crate) async fn refresh_invoice(
    app: &App,
    subscription: &SubscriptionId,
    invoice: &InvoiceId,
) -> Result<EventOutcome, ApplyEventError> {
    answer(&Inquiry::paced(app), asked(app, subscription.clone(), Which::This(invoice.clone()))).await
}

/// The same, on behalf of a delivery. Nothing is written down as the delivery's effect.
///
/// # Errors
/// When the provider cannot be asked, or the database fails.
pub(crate) async fn fetch_invoice(
    inquiry: &Inquiry<'_>,
    subscription: &SubscriptionId,
    invoice: &InvoiceId,
) -> Result<EventOutcome, ApplyEventError> {
    answer(inquiry, asked(inquiry.app, subscription.clone(), Which::This(invoice.clone()))).await
}

const fn asked(app: &App, subscription: SubscriptionId, invoice: Which) -> Question {
    let livemode = app.checkout.livemode;
    Question { event: None, livemode, subscription, customer: None, invoice, needs_action: false, trial_ends: false }
}

async fn answer(inquiry: &Inquiry<'_>, question: Question) -> Result<EventOutcome, ApplyEventError> {
    let app = inquiry.app;
    // The row is read before the provider is asked: if it changes in between, the answer may be the older.
    let mut row = app.db.subscription(&question.subscription).await?;
    if let (None, Some(customer)) = (&row, &question.customer)
        && app.db.account_of_customer(customer).await?.is_none()
    {
        return Ok(OTHER_CUSTOMER);
    }
    if let Some((event, _)) = &question.event
        && app.db.is_decided(event).await?
    {
        return Ok(AppliedSnapshot::Duplicate.into());
    }
    let mut fetches = 0_u32;
    loop {
        let (account, subscription, invoice) = match fetch(inquiry, &question, row.as_ref()).await? {
            Fetched::Ours(ours) => *ours,
            Fetched::Decided(outcome) => return Ok(outcome),
        };
        let needs_action = question.needs_action || waits_for_customer(inquiry, invoice.as_ref()).await?;
        let write = ApplySnapshot {
            event: question.event.clone(),
            account,
            subscription,
            invoice,
            needs_action,
            trial_ends: question.trial_ends,
            known_revision: row.as_ref().map(|row| row.revision),
            max_running: app.subscriptions.max_running,
            entry: LedgerEntryId::from_bits(app.ids.id_bits()),
            now_ms: app.clock.now_ms(),
        };
        fetches = fetches.saturating_add(1);
        match app.db.write(write).await {
            Err(StoreError::Stale) if fetches < MAX_FETCHES => {
                row = app.db.subscription(&question.subscription).await?;
            }
            Err(error) => return Err(error.into()),
            Ok(applied) => return Ok(concluded(&question.subscription, applied)),
        }
    }
}

fn concluded(subscription: &SubscriptionId, applied: AppliedSnapshot) -> EventOutcome {
    if let AppliedSnapshot::Stored { credits, is_extra } = &applied {
        if *credits > 0 {
            measure::credits(Flow::Sold, *credits);
            tracing::info!(%subscription, credits, "a period of a subscription brought credits");
        }
        if *is_extra {
            let see = "the console's overview";
            tracing::warn!(%subscription, see, "an account has more running subscriptions than SUBSCRIPTIONS_MAX");
        }
    }
    applied.into()
}

async fn fetch(
    inquiry: &Inquiry<'_>,
    question: &Question,
    row: Option<&Subscription>,
) -> Result<Fetched, ApplyEventError> {
    let app = inquiry.app;
    let report = match inquiry.ask(app.provider.subscriptions.read_subscription(&question.subscription)).await {
        Ok(report) => report,
        Err(ApplyEventError::Provider(ProviderError::Unknown(_))) => return Ok(Fetched::Decided(UNKNOWN)),
        Err(error) => return Err(error),
    };
    // The account of a stored subscription stays, whatever becomes of its customer at the provider.
    let account = match row {
        Some(row) => Some(row.account()?),
        None => app.db.account_of_customer(&report.customer).await?,
    };
    let Some(account) = account else { return Ok(Fetched::Decided(OTHER_CUSTOMER)) };
    if row.is_none() && !is_of_plan(app, &report).await? {
        return Ok(Fetched::Decided(NO_PLAN));
    }
    if let Err(mismatch) = check(app, question, &report, &account) {
        return Ok(Fetched::Decided(EventOutcome::Rejected(mismatch)));
    }
    let invoice = match &question.invoice {
        Which::None => None,
        Which::This(invoice) => Some(invoice.clone()),
        Which::Latest => report.latest_invoice.clone(),
    };
    let invoice = match invoice {
        Some(id) => Some(inquiry.ask(app.provider.invoices.read_invoice(&id)).await?),
        None => None,
    };
    // An invoice that bills something else says nothing about the subscription.
    let invoice = invoice.filter(|invoice| invoice.subscription.as_ref() == Some(&report.id));
    Ok(Fetched::Ours(Box::new((account, report, invoice))))
}

async fn is_of_plan(app: &App, report: &SubscriptionReport) -> Result<bool, StoreError> {
    for item in &report.items {
        if app.db.plan_price(&item.price).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Metadata is only a cross-check: our own rows say whose a customer is, and which plan a price belongs to.
fn check(app: &App, question: &Question, report: &SubscriptionReport, account: &AccountId) -> Result<(), Mismatch> {
    let livemode = app.checkout.livemode;
    if question.livemode != livemode || report.livemode != livemode {
        return Err(other_mode(app));
    }
    match &report.account {
        Some(named) if named != account.as_str() => {
            let (reported, agreed) = (named.clone(), account.to_string());
            Err(Mismatch { field: "metadata.accountId", reported, agreed, can_be_accepted: false })
        }
        _ => Ok(()),
    }
}

/// The event or the object is of the other mode.
fn other_mode(app: &App) -> Mismatch {
    let livemode = app.checkout.livemode;
    let (reported, agreed) = ((!livemode).to_string(), livemode.to_string());
    Mismatch { field: "livemode", reported, agreed, can_be_accepted: false }
}

/// Whether an attempt to pay failed because the customer has to confirm it.
async fn waits_for_customer(inquiry: &Inquiry<'_>, invoice: Option<&InvoiceReport>) -> Result<bool, ApplyEventError> {
    match invoice.filter(|invoice| invoice.status == InvoiceStatus::Open && invoice.attempts > 0) {
        Some(invoice) => inquiry.ask(inquiry.app.provider.invoices.needs_action(invoice)).await,
        None => Ok(false),
    }
}
