//! The customer's receipt.

use actix_web::web::{Json, Path};
use actix_web::{HttpRequest, get};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::account::Visible;
use crate::domain::ids::SessionId;
use crate::http::customer::sessions::visible_to;
use crate::http::kit::openapi::{CallerProblems, Problem404, ProviderProblems};
use crate::http::kit::problem::{ApiError, Problem};
use crate::http::state::State;
use crate::purchases::receipt::receipt_of_session;

/// Where the receipt of a payment is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Receipt {
    /// The page with the receipt at the payment provider, which also shows refunds. It can be opened for some weeks; ask
    /// for it again instead of storing it.
    #[schema(example = "https://pay.stripe.com/receipts/payment/CAcaFwoVYWNjdF8xAbCdEf")]
    pub(crate) url: String,
}

/// Returns where the customer's receipt of a paid top-up is.
///
/// Requires a customer's token, which shows that customer's receipts only; a token with the admin scope; or an API key
/// with the scope `read` or `checkout`. Topup asks Stripe for it. A top-up that is not paid has no receipt (`not_found`).
#[utoipa::path(
    operation_id = "getReceipt",
    tag = "checkout",
    params(("id" = String, Path, description = "The id of the checkout session", example = "cs_test_a1b2c3")),
    responses(
        (status = 200, description = "Where the receipt is.", body = Receipt),
        (status = 501, description = "The payment provider has no receipts (`provider_unsupported`).", body = Problem, content_type = "application/problem+json"),
        Problem404, CallerProblems, ProviderProblems,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/credits/sessions/{id}/receipt")]
pub async fn read(request: HttpRequest, path: Path<String>, state: State) -> Result<Json<Receipt>, ApiError> {
    let visible = visible_to(&request, &state).await?;
    if let Visible::Account(account) = &visible {
        state.limits.check_question(account)?;
    }
    let session = SessionId::parse(state.app.provider.name, path.into_inner());
    let session = session.map_err(|_| ApiError::not_found("there is no such checkout session"))?;
    let app = state.app.clone();
    let find = async move { receipt_of_session(&app, &session, &visible).await };
    Ok(Json(Receipt { url: state.run(find).await?? }))
}
