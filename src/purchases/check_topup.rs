//! Operator action "Ask Stripe now": asks the provider for the current state of a top-up, regardless of webhooks.
//!
//! The answer is applied by the same code as for the customer's return page. If the checkout session was never stored,
//! because the provider's answer was lost, it is searched for in the provider's list. For a paid top-up, refunds and
//! disputes are fetched.

use crate::access::operator::Operator;
use crate::app::App;
use crate::db::StoreError;
use crate::domain::checkout::TopupState;
use crate::domain::ids::{CustomerId, PaymentId, TopupId};
use crate::domain::judge::Applied;
use crate::providers::port::{Charge, ProviderError};
use crate::purchases::checkout::check_session::{AskError, apply_report, ask};
use crate::purchases::outcome::{ApplyEventError, EventOutcome};
use crate::purchases::reversal::apply_reversal::{ReversalSource, apply_dispute, apply_refund};
use crate::purchases::topups::Topup;

/// How long after a top-up was created its checkout may still have been opened: an idempotency key lives for a day.
const LONGEST_UNTIL_OPENED_MS: i64 = 25 * 3_600_000;

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// A stable code: `credited`, `already_paid`, `processing`, `expired`, `failed`, `nothing_to_do`,
    /// `surplus_payment`, `reversals_applied`, `rejected` or `not_found`.
    pub outcome: &'static str,
    /// An explanation for the operator.
    pub detail: String,
}

/// Why a check failed.
#[derive(Debug, thiserror::Error)]
pub enum CheckTopupError {
    /// The top-up does not exist, or the operator may not see it.
    #[error("there is no such top-up")]
    NotFound,
    /// The provider cannot be asked.
    #[error("Stripe cannot be asked about the top-up")]
    Provider(#[from] ProviderError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Checked {
    fn new(outcome: &'static str, detail: impl Into<String>) -> Self {
        Self { outcome, detail: detail.into() }
    }
}

/// Asks the provider about a top-up and applies the answer.
///
/// # Errors
/// See [`CheckTopupError`].
pub async fn check_topup(app: &App, id: &TopupId, operator: &Operator) -> Result<Checked, CheckTopupError> {
    let topup = app.db.topup(id).await?.filter(|topup| operator.may_act_for(&topup.account));
    let topup = topup.ok_or(CheckTopupError::NotFound)?;
    let checked = match (&topup.session, &topup.payment) {
        (_, Some(payment)) if topup.state == TopupState::Paid => reversals(app, &topup, payment).await?,
        (Some(session), _) => told(app, ask(app, &topup, session).await)?,
        (None, _) => lost_session(app, &topup).await?,
    };
    tracing::info!(topup = %topup.id, by = operator.name, outcome = checked.outcome, "an operator asked Stripe");
    Ok(checked)
}

fn told(app: &App, asked: Result<Applied, AskError>) -> Result<Checked, CheckTopupError> {
    let applied = match asked {
        Ok(applied) => applied,
        Err(AskError::OfAnother) => {
            let detail = "Stripe says that the session belongs to something else";
            return Ok(Checked::new("rejected", detail));
        }
        Err(AskError::Provider(ProviderError::Unknown(_))) => {
            return Ok(Checked::new("not_found", "Stripe does not know the session"));
        }
        Err(AskError::Provider(error)) => return Err(error.into()),
        Err(AskError::Store(error)) => return Err(error.into()),
    };
    let detail = match &applied {
        Applied::Credited { credits, balance_after } => {
            let shown = |credits: &i64| app.pricing.decimals().format(*credits);
            let (credits, balance) = (shown(credits), shown(balance_after));
            format!("Stripe says that it is paid: {credits} credits are in the books, the account has {balance}")
        }
        Applied::AlreadyPaid => "it is paid, and the credits are in the books".to_owned(),
        Applied::Moved(state) => format!("at Stripe it is {}", state.as_str()),
        Applied::Surplus => "it was paid by another payment before; this one should be refunded".to_owned(),
        Applied::Rejected(mismatch) => format!("it is not what was agreed: {mismatch}"),
        _ => "Stripe says nothing new: it is not paid".to_owned(),
    };
    Ok(Checked::new(applied.as_str(), detail))
}

/// Searches the provider's list by metadata, because the answer to the call that opened the session was lost.
async fn lost_session(app: &App, topup: &Topup) -> Result<Checked, CheckTopupError> {
    let until_ms = topup.created_at_ms.saturating_add(LONGEST_UNTIL_OPENED_MS).min(app.clock.now_ms());
    let request = topup.request()?;
    if let (Some(customer), Some(_)) = (request.customer, request.payment_method) {
        return lost_charge(app, topup, customer, until_ms).await;
    }
    let found = app.provider.checkouts.find_checkout(&topup.id, (topup.created_at_ms, until_ms)).await?;
    let Some(report) = found.and_then(|found| found.report) else {
        return Ok(Checked::new("not_found", "Stripe has no checkout of this top-up: nobody could pay it"));
    };
    let session = report.session.clone();
    let checked = told(app, apply_report(app, &topup.id, report).await)?;
    Ok(Checked { detail: format!("{} (session {session}, found in Stripe's list)", checked.detail), ..checked })
}

/// The same of a saved card's charge, which had no session.
async fn lost_charge(app: &App, topup: &Topup, customer: String, until_ms: i64) -> Result<Checked, CheckTopupError> {
    let customer =
        CustomerId::parse(topup.provider, customer).map_err(|error| StoreError::corrupt("customer", error))?;
    let within_ms = (topup.created_at_ms, until_ms);
    match app.provider.off_session.find_charge(&topup.id, &customer, within_ms).await? {
        Some(Charge::Made(report)) => told(app, apply_report(app, &topup.id, *report).await),
        Some(Charge::Declined { decline, .. }) => {
            Ok(Checked::new("nothing_to_do", format!("the card was declined: {}", decline.word())))
        }
        None => Ok(Checked::new("not_found", "Stripe has no payment of this top-up: no card was charged")),
    }
}

/// Fetches and applies the refunds and disputes of a paid top-up.
async fn reversals(app: &App, topup: &Topup, payment: &PaymentId) -> Result<Checked, CheckTopupError> {
    let provider = &app.provider;
    let (refunds, disputes) = (provider.refunds.refunds_of(payment).await?, provider.disputes_of(payment).await?);
    let count = refunds.len().saturating_add(disputes.len());
    let asked = || ReversalSource { event: None, livemode: app.checkout.livemode };
    let mut outcomes = Vec::new();
    for refund in refunds {
        outcomes.push(apply_refund(app, asked(), refund).await);
    }
    for dispute in disputes {
        outcomes.push(apply_dispute(app, asked(), &dispute.id, payment).await);
    }
    for outcome in outcomes {
        match outcome {
            Ok(EventOutcome::Rejected(mismatch)) => return Ok(Checked::new("rejected", mismatch.to_string())),
            Ok(_) => {}
            Err(ApplyEventError::Provider(error)) => return Err(error.into()),
            Err(ApplyEventError::Store(error)) => return Err(error.into()),
            Err(error) => return Ok(Checked::new("rejected", error.to_string())),
        }
    }
    let gone = || StoreError::corrupt("no longer there: top-up", &topup.id);
    let taken = app.db.topup(&topup.id).await?.ok_or_else(gone)?.taken_credits;
    if taken == topup.taken_credits {
        let detail = format!("it is paid; Stripe knows {count} refunds and disputes of it, and the books have them");
        return Ok(Checked::new("already_paid", detail));
    }
    let decimals = app.pricing.decimals();
    let (now, before) = (decimals.format(taken), decimals.format(topup.taken_credits));
    let detail = format!("it is paid; refunds and disputes now take {now} credits, before it was {before}");
    Ok(Checked::new("reversals_applied", detail))
}
