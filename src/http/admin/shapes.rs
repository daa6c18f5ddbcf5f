//! The answers of routes for operators, for commands that print the same.

use serde::Serialize;
use serde_json::Value;

use crate::domain::ids::SessionId;
use crate::http::admin::accepted_events::AcceptedWebhookEvent;
use crate::http::admin::adoptions::{of_report, told};
use crate::http::admin::topups::TopupCheck;
use crate::http::kit::problem::ApiError;
use crate::purchases::adopt::adopt_purchase::{AdoptError, AdoptionCase};
use crate::purchases::check_topup::Checked;
use crate::purchases::explain_topup::Explanation;
use crate::purchases::payment::acceptances::Accepted;
use crate::reconcile::lost::LostPurchase;

fn shape(value: &impl Serialize) -> Result<Value, ApiError> {
    serde_json::to_value(value).map_err(|error| ApiError::internal(&error))
}

/// What `POST /admin/topups/{id}/check` answers.
///
/// # Errors
/// When a stored time is corrupt.
pub fn topup_check(checked: Checked, topup: Explanation) -> Result<Value, ApiError> {
    shape(&TopupCheck::new(checked, topup)?)
}

/// What `POST /admin/webhook-events/{id}/accept` answers.
///
/// # Errors
/// When a stored time is corrupt.
pub fn accepted_event(accepted: Accepted) -> Result<Value, ApiError> {
    shape(&AcceptedWebhookEvent::try_from(accepted)?)
}

/// What `POST /admin/adoptions` answers for one checkout session.
///
/// # Errors
/// When the database failed.
pub fn adoption(session: &SessionId, result: Result<AdoptionCase, AdoptError>) -> Result<Value, ApiError> {
    shape(&told(session, result)?)
}

/// The same for a purchase that was only found.
///
/// # Errors
/// Never for what the provider reports.
pub fn adoptable(lost: &LostPurchase) -> Result<Value, ApiError> {
    let outcome = if lost.is_ours { "adoptable" } else { "unverified" };
    shape(&of_report(&lost.report.session, outcome, lost.seller.clone(), &lost.report))
}
