//! Brings the credits that are taken back of an invoice's periods in line with all its refunds and disputes.
//!
//! Invariant: the credits taken follow from all states, and are never added up event by event. Each change of them has
//! one ledger entry, whose source is the grant and the number of the change.

use crate::books::grant::period::{self, Change};
use crate::db::{StoreError, Tx};
use crate::domain::ids::InvoiceId;
use crate::domain::ledger::ReversalCause;
use crate::domain::period_credits::{reversal_source, taken};
use crate::domain::tax::Charged;
use crate::subscriptions::grant_period::Booking;
use crate::subscriptions::grant_rows::{self, PeriodGrant};
use crate::subscriptions::{invoice_rows, reversal_rows};

/// Settles the refunds and disputes of an invoice. The account and the subscription are locked. Returns how many credits moved:
/// negative if they were taken.
pub(crate) async fn settle_invoice(
    tx: &mut Tx,
    booking: &mut Booking,
    invoice: &InvoiceId,
    cause: Option<ReversalCause>,
) -> Result<i64, StoreError> {
    let Some(row) = invoice_rows::find(tx, invoice).await? else { return Ok(0) };
    let charged = Charged { total_minor: row.total, added_tax_minor: row.added_tax_amount };
    let reversed = charged.net_minor(reversal_rows::reversed_minor(tx, invoice).await?);
    let mut moved = 0_i64;
    for grant in grant_rows::of_invoice(tx, invoice).await? {
        let wanted = taken(grant.credits, row.credits_amount, reversed);
        let credits = grant.taken_credits.saturating_sub(wanted);
        if credits == 0 {
            continue;
        }
        let cause = match cause {
            Some(cause) => cause,
            None => reversal_rows::waiting_cause(tx, invoice).await?,
        };
        settle_grant(tx, booking, &grant, credits, cause).await?;
        moved = moved.saturating_add(credits);
    }
    Ok(moved)
}

async fn settle_grant(
    tx: &mut Tx,
    booking: &mut Booking,
    grant: &PeriodGrant,
    credits: i64,
    cause: ReversalCause,
) -> Result<(), StoreError> {
    let source = reversal_source(&grant.id, grant.revision.saturating_add(1));
    let change =
        Change { grant: &grant.id, source: &source, credits: credits.saturating_abs(), reason: cause.reason(credits) };
    let account = booking.account();
    let own = if credits < 0 {
        let own = period::take_back(tx, account, &change).await?;
        grant.taken_own.saturating_add(own)
    } else {
        // What was taken last comes back first, and the own grant was taken from first.
        let others = grant.taken_credits.saturating_sub(grant.taken_own);
        let own = change.credits.saturating_sub(others).max(0);
        period::return_credits(tx, account, &change, own).await?;
        grant.taken_own.saturating_sub(own)
    };
    let taken = grant.taken_credits.saturating_sub(credits);
    grant_rows::set_taken(tx, &grant.id, taken, own).await
}
