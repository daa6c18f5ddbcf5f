//! Settles refund requests with an unknown outcome by reading the provider's list.
//!
//! A refund that is found is applied with the same code as a webhook, which also completes the request. A refund that
//! is not found after the quiet period was not made. A request that another process works on is left alone.

use crate::app::App;
use crate::db::{StoreError, Tx, Write};
use crate::domain::attempt::Attempt;
use crate::domain::ids::TopupId;
use crate::purchases::outcome::{ApplyEventError, EventOutcome};
use crate::purchases::refund::refund_requests::{self, RefundRequest};
use crate::purchases::reversal::apply_reversal::{ReversalSource, apply_refund};

/// The result for an unknown refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    /// The refund was made and is applied.
    Made,
    /// The refund was not made, and no earlier call can still make it.
    NotMade,
    /// Not known yet, or another process works on it.
    Unknown,
}

/// Whether the outcome of a request is unknown and no process works on it.
pub(crate) const fn is_unsettled(request: &RefundRequest, now_ms: i64) -> bool {
    request.attempt().unknown_since_ms.is_some() && request.lease_until <= now_ms
}

/// Settles the unknown refunds of a top-up. Returns how many were settled.
///
/// # Errors
/// When the database fails. If the provider cannot be asked, nothing is settled and no error is returned.
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

/// Asks the provider whether the refund of a request was made.
///
/// # Errors
/// When the provider cannot be asked or the database fails.
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

/// Stores that an attempt's calls made no refund. Returns `false` if the request has changed meanwhile.
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
