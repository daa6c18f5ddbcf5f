//! Refunds that were asked for here, and of which it is unknown whether Stripe made them: Stripe's list tells.
//!
//! What is found goes into the books by the way that a webhook takes, which also ends the request. What is not found after
//! the quiet time was not made. A request that a process works on is left to it.

use crate::app::App;
use crate::db::{StoreError, Tx, Write};
use crate::domain::attempt::Attempt;
use crate::domain::ids::TopupId;
use crate::purchases::outcome::{ApplyEventError, EventOutcome};
use crate::purchases::refund::refund_requests::{self, RefundRequest};
use crate::purchases::reversal::apply_reversal::{ReversalSource, apply_refund};

/// What became of an unknown refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    /// It was made, and is in the books.
    Made,
    /// It was not made, and will not be.
    NotMade,
    /// It is not known yet, or a process works on it.
    Unknown,
}

/// Whether a request waits for Stripe's word and no process works on it.
pub(crate) const fn is_unsettled(request: &RefundRequest, now_ms: i64) -> bool {
    request.attempt().unknown_since_ms.is_some() && request.lease_until <= now_ms
}

/// Asks Stripe for the refunds of a purchase that are unknown; gives how many are settled now.
///
/// # Errors
/// When the database fails. That Stripe cannot be asked is no error: then nothing is settled.
pub(crate) async fn settle_refunds_of(app: &App, topup: &TopupId) -> Result<usize, StoreError> {
    let now_ms = app.clock.now_ms();
    let mut settled = 0_usize;
    for request in app.db.refund_requests_of(topup).await? {
        if request.state != "creating" || !is_unsettled(&request, now_ms) {
            continue;
        }
        match settle_refund(app, &request).await {
            Ok(Settled::Made | Settled::NotMade) => settled = settled.saturating_add(1),
            Ok(Settled::Unknown) => {}
            Err(ApplyEventError::Store(error)) => return Err(error),
            Err(error) => tracing::warn!(request = request.id, %error, "Stripe does not say whether a refund was made"),
        }
    }
    Ok(settled)
}

/// Asks Stripe whether the refund of a request was made.
///
/// # Errors
/// When Stripe cannot be asked or the database fails.
pub(crate) async fn settle_refund(app: &App, request: &RefundRequest) -> Result<Settled, ApplyEventError> {
    let payment = request.payment()?;
    let (attempt, asked_ms) = (request.attempt(), app.clock.now_ms());
    if let Some(report) = app.provider.refunds.find_refund(&payment, &request.id).await? {
        let asked = ReversalSource { event: None, livemode: app.checkout.livemode };
        return Ok(match apply_refund(app, asked, report).await? {
            EventOutcome::Decided(_) => Settled::Made,
            EventOutcome::Foreign(_) | EventOutcome::Rejected(_) => Settled::Unknown,
        });
    }
    if !attempt.absence_proves(asked_ms) {
        return Ok(Settled::Unknown);
    }
    let (request, now_ms) = (request.id.clone(), app.clock.now_ms());
    let stored = app.db.write(RecordNotMade { request, attempt, now_ms }).await?;
    Ok(if stored { Settled::NotMade } else { Settled::Unknown })
}

/// Stores that the calls of an attempt made no refund. `false` when the request went on meanwhile.
struct RecordNotMade {
    request: String,
    attempt: Attempt,
    now_ms: i64,
}

impl Write for RecordNotMade {
    type Output = bool;

    async fn run(&self, tx: &mut Tx) -> Result<bool, StoreError> {
        refund_requests::not_made(tx, &self.request, &self.attempt, self.now_ms).await
    }
}
