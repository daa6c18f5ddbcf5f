//! Stores what the provider says of a subscription and of one of its invoices, with everything that follows: credits,
//! refunds that came earlier, and what the product is told. One transaction.

use crate::db::{StoreError, Tx, Write};
use crate::domain::account::AccountId;
use crate::domain::ids::{LedgerEntryId, PriceId};
use crate::domain::plan::PlanId;
use crate::domain::reversal::EventRef;
use crate::domain::subscription::{InvoiceReport, InvoiceStatus, SubscriptionReport, SubscriptionStatus};
use crate::plans::plan_rows::credits_of_price;
use crate::purchases::decided_events::insert_event_about;
use crate::subscriptions::grant_period::{Booking, Brought, book_invoice};
use crate::subscriptions::subscription_rows::{self, NewState, Subscription};
use crate::subscriptions::take_back::settle_invoice;
use crate::subscriptions::{invoice_rows, tell};

/// Stripe's reason of the invoice of a further period.
const RENEWAL: &str = "subscription_cycle";

/// What was fetched.
#[derive(Debug, Clone)]
pub(crate) struct ApplySnapshot {
    /// The webhook event; `None` if we asked.
    pub(crate) event: Option<EventRef>,
    /// The account.
    pub(crate) account: AccountId,
    /// The subscription.
    pub(crate) subscription: SubscriptionReport,
    /// One of its invoices.
    pub(crate) invoice: Option<InvoiceReport>,
    /// Whether the invoice waits for the customer.
    pub(crate) needs_action: bool,
    /// Whether the trial ends soon.
    pub(crate) trial_ends: bool,
    /// The revision of the row before the provider was asked; `None` if there was no row.
    pub(crate) known_revision: Option<i64>,
    /// How many subscriptions of an account may run.
    pub(crate) max_running: i64,
    /// The id of the first ledger entry, if one is written.
    pub(crate) entry: LedgerEntryId,
    /// The current time, in milliseconds since 1970.
    pub(crate) now_ms: i64,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AppliedSnapshot {
    /// The event was decided before.
    Duplicate,
    /// It is stored.
    Stored {
        /// The credits that were booked or returned, less those that were taken.
        credits: i64,
        /// Whether its account has more running subscriptions than it may.
        is_extra: bool,
    },
}

impl AppliedSnapshot {
    /// A stable code, stored with the event and logged.
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Stored { credits, .. } if *credits > 0 => "period_credited",
            Self::Stored { .. } => "subscription_stored",
        }
    }
}

impl Write for ApplySnapshot {
    type Output = AppliedSnapshot;

    async fn run(&self, tx: &mut Tx) -> Result<AppliedSnapshot, StoreError> {
        let mut booking = Booking::lock(tx, &self.account, &self.entry, self.now_ms).await?;
        let before = self.lock(tx).await?;
        if let Some(event) = &self.event
            && !insert_event_about(tx, event, self.subscription.id.as_str(), "subscription", self.now_ms).await?
        {
            // What the lock has settled is to be kept.
            booking.store(tx).await?;
            return Ok(AppliedSnapshot::Duplicate);
        }
        let after = self.store_state(tx, &before).await?;
        let mut credits = 0;
        if tell::is_news(&before, &after) {
            tell::changed(tx, &before, &after, self.now_ms).await?;
        }
        if self.trial_ends && after.status == SubscriptionStatus::Trialing.as_str() {
            tell::trial_ends(tx, &after, self.now_ms).await?;
        }
        if let Some(invoice) = &self.invoice {
            credits = self.apply_invoice(tx, &mut booking, &after, invoice).await?;
        }
        booking.store(tx).await?;
        let is_extra = subscription_rows::mark_extra(tx, &self.subscription, &self.account, self.max_running).await?;
        Ok(AppliedSnapshot::Stored { credits, is_extra })
    }
}

impl ApplySnapshot {
    /// Locks the row, and makes sure that nothing was written since the provider was asked.
    async fn lock(&self, tx: &mut Tx) -> Result<Subscription, StoreError> {
        let id = &self.subscription.id;
        match (subscription_rows::lock(tx, id).await?, self.known_revision) {
            (None, None) => {
                if !subscription_rows::insert(tx, &self.subscription, &self.account, self.now_ms).await? {
                    return Err(StoreError::Stale);
                }
                let inserted = subscription_rows::lock(tx, id).await?;
                inserted.ok_or_else(|| StoreError::corrupt("no row after inserting subscription", id))
            }
            (Some(row), Some(known)) if row.revision == known => Ok(row),
            _ => Err(StoreError::Stale),
        }
    }

    /// Writes the state. Returns the row as it is then.
    async fn store_state(&self, tx: &mut Tx, before: &Subscription) -> Result<Subscription, StoreError> {
        let report = &self.subscription;
        let found = self.plan(tx).await?;
        let (plan, price) = found.as_ref().map_or((None, None), |(plan, price)| (Some(plan), Some(price)));
        let period_start = report.items.first().and_then(|item| item.period_start_seconds);
        let period_start_ms = period_start.map_or(self.now_ms, |seconds| seconds.saturating_mul(1_000));
        let is_past_due = report.status == SubscriptionStatus::PastDue;
        let next_plan = before.next_plan_id.as_deref();
        // What waited for the end of the period has come, or was taken back.
        let still_waits = report.schedule.is_some() && next_plan != plan.map(PlanId::as_str);
        let state = NewState {
            plan,
            price,
            past_due_since_ms: is_past_due.then(|| before.past_due_since.unwrap_or(period_start_ms)),
            next_plan: next_plan.filter(|_| still_waits),
            has_started: before.has_started == 1 || report.status.has_begun(),
        };
        let after = subscription_rows::update(tx, report, &state, self.now_ms).await?;
        after.ok_or_else(|| StoreError::corrupt("no longer there: subscription", &report.id))
    }

    /// The plan and its price: of the first item that has one.
    async fn plan(&self, tx: &mut Tx) -> Result<Option<(PlanId, PriceId)>, StoreError> {
        for item in &self.subscription.items {
            if let Some((plan, _)) = credits_of_price(tx, &item.price).await? {
                return Ok(Some((plan, item.price.clone())));
            }
        }
        Ok(None)
    }

    async fn apply_invoice(
        &self,
        tx: &mut Tx,
        booking: &mut Booking,
        row: &Subscription,
        invoice: &InvoiceReport,
    ) -> Result<i64, StoreError> {
        let stored = invoice_rows::put(tx, invoice, &self.subscription.id, &self.account, self.now_ms).await?;
        let is_failed_attempt = matches!(invoice.status, InvoiceStatus::Open | InvoiceStatus::Uncollectible);
        // One notice for each attempt, whichever of two events comes first.
        if is_failed_attempt && invoice.attempts > stored.told_attempt {
            tell::not_paid(tx, row, &stored, self.needs_action, self.now_ms).await?;
            invoice_rows::told(tx, &invoice.id, invoice.attempts, self.needs_action).await?;
        }
        if invoice.status != InvoiceStatus::Paid {
            return Ok(0);
        }
        let Brought { credits, is_new_period } = book_invoice(tx, booking, &self.subscription, invoice).await?;
        if is_new_period && invoice.reason == RENEWAL {
            tell::renewed(tx, row, &stored, credits, self.now_ms).await?;
        }
        let returned = settle_invoice(tx, booking, &invoice.id, None).await?;
        Ok(credits.saturating_add(returned))
    }
}
