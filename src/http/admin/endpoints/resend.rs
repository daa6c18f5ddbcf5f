//! Sends messages once more.

use actix_web::web::{Json, Path, Payload};
use actix_web::{HttpRequest, post};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::http::admin::caller::Admin;
use crate::http::admin::endpoints::deliveries::details;
use crate::http::admin::endpoints::fields::endpoint_id;
use crate::http::admin::endpoints::views::{EndpointDeliveryDetails, Resent};
use crate::http::kit::body::read_json;
use crate::http::kit::openapi::{CallerProblems, Problem404, Problem503};
use crate::http::kit::problem::{ApiError, Problem};
use crate::http::kit::timestamp::parse_time;
use crate::http::state::State;
use crate::outbox::change_endpoint::Context;
use crate::outbox::resend::{Which, resend, resend_period};

/// Which messages of a period to send once more.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ResendWhich {
    /// Those that failed, and those of the endpoint's types that it never got.
    Missed,
    /// All of the endpoint's types.
    All,
}

/// A period.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResendMessages {
    /// The first moment of the period.
    #[validate(required(message = "is missing; say from when on"))]
    #[schema(required, nullable = false, example = "2026-11-21T00:00:00Z")]
    from: Option<String>,
    /// The last moment of the period; now by default.
    #[schema(example = "2026-11-22T00:00:00Z")]
    to: Option<String>,
    /// `missed` (the default), or `all`.
    #[schema(example = "missed")]
    which: Option<ResendWhich>,
}

/// Sends a message to an endpoint once more.
///
/// Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one account. It has
/// the same id and body as before. One that still waits is tried now.
#[utoipa::path(
    operation_id = "resendMessage",
    tag = "messages",
    params(
        ("id" = String, Path, description = "The endpoint's id", example = "endpoint_019a0000000070008000000000000000"),
        ("messageId" = String, Path, description = "The message's id", example = "msg_topup_paid_019a0000000070008000000000000000"),
    ),
    responses(
        (status = 200, description = "The delivery as it is now.", body = EndpointDeliveryDetails),
        (status = 409, description = "The endpoint is disabled (`endpoint_disabled`).", body = Problem, content_type = "application/problem+json"),
        Problem404, CallerProblems, Problem503,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[post("/admin/endpoints/{id}/deliveries/{messageId}/resend")]
pub async fn one(
    request: HttpRequest,
    path: Path<(String, String)>,
    state: State,
) -> Result<Json<EndpointDeliveryDetails>, ApiError> {
    Admin::of_all_accounts(&request, &state).await?;
    let (endpoint, message) = path.into_inner();
    let (app, id) = (state.app.clone(), endpoint_id(&endpoint)?);
    let work = async move {
        let is_found = !message.contains('\0') && resend(Context::of(&app), &id, &message).await?;
        if is_found { details(&app, &id, &message).await } else { Ok(None) }
    };
    let found = state.run(work).await??;
    found.map(Json).ok_or_else(|| ApiError::not_found("there is no such message"))
}

/// Sends the messages of a period to an endpoint once more, in their order.
///
/// Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one account.
#[utoipa::path(
    operation_id = "resendMessages",
    tag = "messages",
    params(("id" = String, Path, description = "The endpoint's id", example = "endpoint_019a0000000070008000000000000000")),
    request_body = ResendMessages,
    responses(
        (status = 200, description = "The messages are on their way.", body = Resent),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The endpoint is disabled (`endpoint_disabled`).", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The request body is not JSON.", body = Problem, content_type = "application/problem+json"),
        Problem404, CallerProblems, Problem503,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[post("/admin/endpoints/{id}/resend")]
pub async fn period(
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
    state: State,
) -> Result<Json<Resent>, ApiError> {
    Admin::of_all_accounts(&request, &state).await?;
    let body: ResendMessages = read_json(&request, payload, &state).await?;
    let (app, id) = (state.app.clone(), endpoint_id(&path)?);
    let from_ms = parse_time("from", &body.from.unwrap_or_default())?;
    let until_ms = body.to.as_deref().map_or_else(|| Ok(app.clock.now_ms()), |to| parse_time("to", to))?;
    if until_ms < from_ms {
        return Err(ApiError::field("to", "before_from", "must not be before `from`"));
    }
    let which = match body.which {
        Some(ResendWhich::All) => Which::All,
        Some(ResendWhich::Missed) | None => Which::Missed,
    };
    let work = async move { resend_period(Context::of(&app), &id, (from_ms, until_ms), which).await };
    Ok(Json(Resent { messages: state.run(work).await?? }))
}
