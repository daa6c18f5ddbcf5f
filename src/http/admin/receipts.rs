//! The customer's receipt, for an operator.

use actix_web::web::{Json, Path};
use actix_web::{HttpRequest, get};

use crate::domain::account::Visible;
use crate::http::admin::caller::Admin;
use crate::http::admin::refunds::topup_id;
use crate::http::customer::receipts::Receipt;
use crate::http::kit::openapi::{CallerProblems, Problem404, ProviderProblems};
use crate::http::kit::problem::{ApiError, Problem};
use crate::http::state::State;
use crate::purchases::receipt::receipt_of_topup;

/// Returns where the customer's receipt of a paid top-up is.
///
/// Topup asks Stripe for it. A top-up that is not paid has no receipt (`not_found`). Requires a token with the admin
/// scope, or an API key with the scope `admin`.
#[utoipa::path(
    operation_id = "getTopupReceipt",
    tag = "admin",
    params(("id" = String, Path, description = "The id of the top-up", example = "topup_019a0000000070008000000000000000")),
    responses(
        (status = 200, description = "Where the receipt is.", body = Receipt),
        (status = 501, description = "The payment provider has no receipts (`provider_unsupported`).", body = Problem, content_type = "application/problem+json"),
        Problem404, CallerProblems, ProviderProblems,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/admin/topups/{id}/receipt")]
pub async fn read(request: HttpRequest, path: Path<String>, state: State) -> Result<Json<Receipt>, ApiError> {
    let admin = Admin::of(&request, &state).await?;
    let topup = topup_id(&path)?;
    let app = state.app.clone();
    let visible = admin.operator.account.map_or(Visible::All, Visible::Account);
    let find = async move { receipt_of_topup(&app, &topup, &visible).await };
    Ok(Json(Receipt { url: state.run(find).await?? }))
}
