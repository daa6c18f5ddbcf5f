//! Books the credits of a paid invoice.
//!
//! Invariant: an id is made of subscription, price and beginning of the period, so a voided and re-issued invoice, a
//! repeated event and the reconciliation book a period once.

use crate::books::grant::period::{self, Period};
use crate::books::locked_account::LockedAccount;
use crate::db::{StoreError, Tx};
use crate::domain::account::AccountId;
use crate::domain::burn::Category;
use crate::domain::ids::{LedgerEntryId, PriceId, SubscriptionId};
use crate::domain::period_credits::{
    LineWorth, PeriodKind, PlanCredits, credits_amount_minor, credits_beyond, ends_at_ms, line_worth,
};
use crate::domain::plan::{PlanId, Rollover};
use crate::domain::subscription::{InvoiceLine, InvoiceReport, SubscriptionReport};
use crate::plans::plan_rows::credits_of_price;
use crate::subscriptions::grant_rows::{self, NewPeriodGrant};
use crate::subscriptions::invoice_rows;

/// The account of a subscription, locked and settled. It is stored at the end if something was booked.
///
/// It is locked before the subscription, so that two subscriptions of one account are written one after the other: each
/// sees the other's trial and whether it runs, and neither waits for the other.
pub(crate) struct Booking {
    locked: LockedAccount,
}

impl Booking {
    /// Locks the account, which is created if it has no entry yet.
    pub(crate) async fn lock(
        tx: &mut Tx,
        account: &AccountId,
        entry: &LedgerEntryId,
        now_ms: i64,
    ) -> Result<Self, StoreError> {
        Ok(Self { locked: period::lock(tx, account, entry, now_ms).await? })
    }

    pub(crate) const fn account(&mut self) -> &mut LockedAccount {
        &mut self.locked
    }

    const fn id(&self) -> &AccountId {
        self.locked.id()
    }

    const fn now_ms(&self) -> i64 {
        self.locked.now_ms()
    }

    /// Stores what was changed.
    pub(crate) async fn store(self, tx: &mut Tx) -> Result<(), StoreError> {
        if self.locked.is_changed() { self.locked.store(tx).await.map(drop) } else { Ok(()) }
    }
}

/// A line that brings credits.
struct Granting<'l> {
    line: &'l InvoiceLine,
    price: &'l PriceId,
    plan: PlanId,
    terms: PlanCredits,
    worth: LineWorth,
}

/// What an invoice brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Brought {
    /// The credits booked now.
    pub(crate) credits: i64,
    /// Whether a paid period was booked now, also one that is covered already.
    pub(crate) is_new_period: bool,
}

/// Books what a paid invoice brings. The account and the subscription are locked, and the invoice's row is written.
pub(crate) async fn book_invoice(
    tx: &mut Tx,
    booking: &mut Booking,
    subscription: &SubscriptionReport,
    invoice: &InvoiceReport,
) -> Result<Brought, StoreError> {
    let (mut granting, mut lines_minor) = (Vec::new(), 0_i64);
    for line in &invoice.lines {
        let Some(price) = &line.price else { continue };
        let Some((plan, terms)) = credits_of_price(tx, price).await? else { continue };
        let Some(worth) = line_worth(invoice, line, terms, subscription.trial_start_seconds) else { continue };
        if worth.kind == PeriodKind::Period {
            lines_minor = lines_minor.saturating_add(line.amount_minor);
        }
        granting.push(Granting { line, price, plan, terms, worth });
    }
    let mut brought = Brought::default();
    for line in &granting {
        if let Some(credits) = book_line(tx, booking, &subscription.id, invoice, line).await? {
            brought.credits = brought.credits.saturating_add(credits);
            brought.is_new_period = brought.is_new_period || line.worth.kind == PeriodKind::Period;
        }
    }
    if lines_minor > 0 {
        let amount = credits_amount_minor(invoice.total_minor.saturating_sub(invoice.added_tax_minor), lines_minor);
        invoice_rows::set_credits_amount(tx, &invoice.id, amount).await?;
    }
    Ok(brought)
}

/// Books a line; `None` if its period was booked before.
async fn book_line(
    tx: &mut Tx,
    booking: &mut Booking,
    subscription: &SubscriptionId,
    invoice: &InvoiceReport,
    granting: &Granting<'_>,
) -> Result<Option<i64>, StoreError> {
    let Granting { line, price, plan, terms, worth } = granting;
    let id = format!("{subscription}:{price}:{}", line.period_start_seconds);
    if grant_rows::is_known(tx, &id).await? {
        return Ok(None);
    }
    let period_start_ms = line.period_start_seconds.saturating_mul(1_000);
    let period_end_ms = line.period_end_seconds.saturating_mul(1_000);
    let credits = match worth.kind {
        PeriodKind::Period => {
            let covered = grant_rows::covered(tx, subscription, (period_start_ms, period_end_ms)).await?;
            credits_beyond(worth.credits, covered)
        }
        // An account tries once, whatever it subscribes to.
        PeriodKind::Trial if grant_rows::had_other_trial(tx, booking.id(), subscription).await? => 0,
        PeriodKind::Trial => worth.credits,
    };
    let new = NewPeriodGrant {
        id: &id,
        kind: worth.kind,
        account: booking.id(),
        subscription,
        invoice: &invoice.id,
        price,
        plan,
        period_start_ms,
        period_end_ms,
        rollover: if worth.kind == PeriodKind::Trial { Rollover::Expire } else { terms.rollover },
        worth: worth.credits,
        credits,
        now_ms: booking.now_ms(),
    };
    grant_rows::insert(tx, &new).await?;
    if credits > 0 {
        let is_trial = worth.kind == PeriodKind::Trial;
        let period = Period {
            id: &id,
            credits,
            category: if is_trial { Category::Promotional } else { Category::Paid },
            expires_at_ms: ends_at_ms(worth.kind, terms.rollover, (period_start_ms, period_end_ms), booking.now_ms()),
            reason: is_trial.then_some("trial"),
        };
        period::bring(tx, booking.account(), &period).await?;
    }
    if worth.kind == PeriodKind::Period {
        end_leftovers(tx, booking, subscription, terms).await?;
    }
    Ok(Some(credits))
}

/// Ends what is left of earlier periods, as far as the plan keeps none of it. The oldest go first.
async fn end_leftovers(
    tx: &mut Tx,
    booking: &mut Booking,
    subscription: &SubscriptionId,
    terms: &PlanCredits,
) -> Result<(), StoreError> {
    let Some(kept) = terms.rollover.kept() else { return Ok(()) };
    let left = grant_rows::left_of_earlier(tx, subscription).await?;
    let sum = left.iter().fold(0_i64, |sum, grant| sum.saturating_add(grant.remaining));
    let mut excess = sum.saturating_sub(kept);
    for grant in left {
        if excess <= 0 {
            break;
        }
        let ended = period::end_part(tx, booking.account(), &grant.id, excess.min(grant.remaining)).await?;
        excess = excess.saturating_sub(ended);
    }
    Ok(())
}
