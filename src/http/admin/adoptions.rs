//! Adopts paid purchases that are missing from the books, for example after a restore.

use actix_web::web::{Json, Payload};
use actix_web::{HttpRequest, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::app::with_causes;
use crate::domain::checkout::PurchaseReport;
use crate::domain::ids::SessionId;
use crate::http::admin::caller::Admin;
use crate::http::kit::body::read_json;
use crate::http::kit::openapi::{CallerProblems, Problem503};
use crate::http::kit::problem::{ApiError, Problem};
use crate::http::state::State;
use crate::purchases::adopt::adopt_purchase::{AdoptError, AdoptionCase, AdoptionOptions, adopt_purchase};
use crate::purchases::adopt::adoption::Adopted;

/// How many purchases one request may name; each takes several calls to Stripe.
const MAX_SESSIONS: usize = 20;

/// Which top-ups to adopt.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateAdoption {
    /// The ids of 1 to 20 checkout sessions, as listed under `unknownHere` in the report of a reconciliation.
    #[validate(required(message = "is missing; name the checkout sessions"), custom(function = are_few))]
    #[schema(required, nullable = false, example = json!(["cs_test_a1b2c3"]))]
    session_ids: Option<Vec<String>>,
    /// `true` also adopts a top-up without proof that this installation sold it, if it cost what it would cost today.
    /// Allowed only with a single id.
    #[schema(example = false)]
    unverified: Option<bool>,
    /// `true` only shows what would be done and writes nothing.
    #[schema(example = true)]
    dry_run: Option<bool>,
}

fn are_few(ids: &[String]) -> Result<(), ValidationError> {
    if (1..=MAX_SESSIONS).contains(&ids.len()) {
        return Ok(());
    }
    Err(ValidationError::new("out_of_range").with_message("must name 1 to 20 checkout sessions".into()))
}

/// The result for each checkout session, in the order of the request.
#[derive(Debug, Serialize, ToSchema)]
pub struct Adoptions {
    data: Vec<AdoptionResult>,
}

/// The result for one checkout session.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdoptionResult {
    #[schema(example = "cs_test_a1b2c3")]
    session_id: String,
    /// `adopted`, `already_here` (Topup already has it) or `adoptable` (dry run). If it cannot be adopted, the reason:
    /// `unverified` (no proof that this installation sold it), `does_not_fit` (what was sold and what was paid do not
    /// match), `not_paid`, `unknown_at_provider`, `belongs_to_another` (the session or the payment belongs to another
    /// top-up) or `not_asked` (Stripe could not be asked).
    #[schema(example = "adopted")]
    outcome: String,
    /// The outcome in words.
    #[schema(example = "sold by this installation")]
    detail: String,
    /// The id of the top-up. Null, like the fields below, if it cannot be adopted.
    #[schema(example = "topup_019a0000000070008000000000000000")]
    topup_id: Option<String>,
    #[schema(example = "user_1")]
    account_id: Option<String>,
    #[schema(example = 250)]
    credits: Option<i64>,
    /// The amount paid, in minor units.
    #[schema(example = 289)]
    amount: Option<i64>,
    /// The balance of the account afterwards, if this request adopted the top-up; otherwise null.
    #[schema(example = 250)]
    balance_after: Option<i64>,
}

/// Adopts paid top-ups that Topup has no record of, for example after a backup was restored.
///
/// Topup reads them from Stripe and credits each one once, even if the request is repeated, together with its refunds
/// and disputes. A top-up that another installation on the same Stripe account sold is not adopted, unless `unverified`
/// is `true`. Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one
/// account.
#[utoipa::path(
    operation_id = "adoptPurchases",
    tag = "reconciliation",
    request_body = CreateAdoption,
    responses(
        (status = 200, description = "The result for each checkout session.", body = Adoptions),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The request body is not JSON.", body = Problem, content_type = "application/problem+json"),
        CallerProblems, Problem503,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[post("/admin/adoptions")]
pub async fn adopt_purchases(
    request: HttpRequest,
    payload: Payload,
    state: State,
) -> Result<Json<Adoptions>, ApiError> {
    let admin = Admin::of_all_accounts(&request, &state).await?;
    let body: CreateAdoption = read_json(&request, payload, &state).await?;
    let ids = body.session_ids.unwrap_or_default();
    let (unverified, dry_run) = (body.unverified.unwrap_or(false), body.dry_run.unwrap_or(false));
    if unverified && ids.len() > 1 {
        let message = "is a word for one purchase: name one checkout session";
        return Err(ApiError::field("unverified", "one_at_a_time", message));
    }
    let provider = state.app.provider.name;
    let sessions: Result<Vec<SessionId>, _> = ids.into_iter().map(|id| SessionId::parse(provider, id)).collect();
    let message = "must be the provider's ids of checkout sessions, such as cs_live_…";
    let sessions = sessions.map_err(|_| ApiError::field("sessionIds", "invalid_id", message))?;
    let (app, word) = (state.app.clone(), AdoptionOptions { by: admin.operator.name, unverified, dry_run });
    let adopt = async move {
        let mut data = Vec::new();
        for session in &sessions {
            data.push(told(session, Box::pin(adopt_purchase(&app, session, &word)).await)?);
        }
        Ok::<_, ApiError>(data)
    };
    Ok(Json(Adoptions { data: state.run(adopt).await?? }))
}

/// What came of one checkout session.
pub(super) fn told(session: &SessionId, result: Result<AdoptionCase, AdoptError>) -> Result<AdoptionResult, ApiError> {
    let found = match result {
        Ok(found) => found,
        Err(AdoptError::Store(error)) => return Err(error.into()),
        Err(error) => {
            if matches!(error, AdoptError::Provider(_)) {
                tracing::warn!(%session, error = with_causes(&error), "a purchase cannot be adopted now");
            }
            return Ok(AdoptionResult {
                session_id: session.as_str().to_owned(),
                outcome: error.code().to_owned(),
                detail: error.to_string(),
                topup_id: None,
                account_id: None,
                credits: None,
                amount: None,
                balance_after: None,
            });
        }
    };
    let (outcome, balance_after) = match found.adopted {
        None => ("adoptable", None),
        Some(Adopted::AlreadyHere) => ("already_here", None),
        Some(Adopted::Credited { balance_after }) => ("adopted", Some(balance_after)),
    };
    Ok(AdoptionResult { balance_after, ..of_report(session, outcome, found.seller, &found.report) })
}

/// A purchase that was looked at and not adopted.
pub(super) fn of_report(session: &SessionId, outcome: &str, detail: String, report: &PurchaseReport) -> AdoptionResult {
    AdoptionResult {
        session_id: session.as_str().to_owned(),
        outcome: outcome.to_owned(),
        detail,
        topup_id: Some(report.topup.as_str().to_owned()),
        account_id: report.account.clone(),
        credits: report.credits.as_ref().and_then(|credits| credits.parse().ok()),
        amount: report.amount_total_minor,
        balance_after: None,
    }
}
