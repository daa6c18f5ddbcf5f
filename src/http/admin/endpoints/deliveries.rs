//! Shows what was sent to an endpoint, and what came of it.

use actix_web::web::{Json, Path};
use actix_web::{HttpRequest, get};
use serde::Deserialize;
use validator::Validate;

use crate::app::App;
use crate::domain::ids::EndpointId;
use crate::http::admin::caller::Admin;
use crate::http::admin::endpoints::fields::endpoint_id;
use crate::http::admin::endpoints::views::{EndpointDeliveries, EndpointDeliveryDetails};
use crate::http::kit::body::read_query;
use crate::http::kit::openapi::{CallerProblems, Problem404, Problem503};
use crate::http::kit::problem::ApiError;
use crate::http::state::State;
use crate::outbox::queues::DeliveryState;

const DEFAULT_LIMIT: i64 = 20;
const MAX_LIMIT: i64 = 100;

#[derive(Debug, Deserialize, Validate)]
struct ListQuery {
    state: Option<String>,
    #[validate(range(min = 1, max = MAX_LIMIT, message = "must be 1 to 100"))]
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Lists the deliveries to an endpoint, newest message first.
///
/// Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one account.
/// Messages and their deliveries are kept for 90 days.
#[utoipa::path(
    operation_id = "listEndpointDeliveries",
    tag = "messages",
    params(
        ("id" = String, Path, description = "The endpoint's id", example = "endpoint_019a0000000070008000000000000000"),
        ("state" = Option<String>, Query, description = "`waiting`, `done` or `failed`; default all", example = "failed"),
        ("limit" = Option<i64>, Query, description = "Deliveries per page, 1 to 100; default 20", example = 20),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the previous page", example = "41"),
    ),
    responses((status = 200, description = "A page of deliveries.", body = EndpointDeliveries), Problem404, CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/admin/endpoints/{id}/deliveries")]
pub async fn list(
    request: HttpRequest,
    path: Path<String>,
    state: State,
) -> Result<Json<EndpointDeliveries>, ApiError> {
    Admin::of_all_accounts(&request, &state).await?;
    let query: ListQuery = read_query(&request)?;
    let (id, limit) = (endpoint_id(&path)?, query.limit.unwrap_or(DEFAULT_LIMIT));
    let wanted = query.state.as_deref().map(|name| {
        let unknown = || ApiError::field("state", "invalid_state", "must be waiting, done or failed");
        DeliveryState::parse(name).ok_or_else(unknown)
    });
    let wanted = wanted.transpose()?;
    let below = query.cursor.as_deref().map_or(Ok(i64::MAX), |cursor| {
        let invalid = |_| ApiError::field("cursor", "invalid_cursor", "must be the nextCursor of an earlier page");
        cursor.parse().map_err(invalid)
    })?;
    let app = state.app.clone();
    // One more than fits, to tell whether there is another page.
    let limit_with_next = limit.saturating_add(1);
    let listing = async move {
        let exists = app.db.endpoint(&id).await?.is_some();
        let rows = app.db.deliveries(&id, wanted, below, limit_with_next).await?;
        Ok::<_, ApiError>(exists.then_some(rows))
    };
    let rows = state.run(listing).await??.ok_or_else(|| ApiError::not_found("there is no such endpoint"))?;
    EndpointDeliveries::new(rows, limit).map(Json)
}

/// Returns the delivery of a message to an endpoint: the message, and every attempt.
///
/// Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one account.
#[utoipa::path(
    operation_id = "getEndpointDelivery",
    tag = "messages",
    params(
        ("id" = String, Path, description = "The endpoint's id", example = "endpoint_019a0000000070008000000000000000"),
        ("messageId" = String, Path, description = "The message's id", example = "msg_topup_paid_019a0000000070008000000000000000"),
    ),
    responses((status = 200, description = "The delivery.", body = EndpointDeliveryDetails), Problem404, CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/admin/endpoints/{id}/deliveries/{messageId}")]
pub async fn read(
    request: HttpRequest,
    path: Path<(String, String)>,
    state: State,
) -> Result<Json<EndpointDeliveryDetails>, ApiError> {
    Admin::of_all_accounts(&request, &state).await?;
    let (endpoint, message) = path.into_inner();
    let (app, id) = (state.app.clone(), endpoint_id(&endpoint)?);
    let found = state.run(async move { details(&app, &id, &message).await }).await??;
    found.map(Json).ok_or_else(|| ApiError::not_found("the endpoint has no such message"))
}

/// A delivery with its message and its attempts.
pub(super) async fn details(
    app: &App,
    endpoint: &EndpointId,
    message: &str,
) -> Result<Option<EndpointDeliveryDetails>, ApiError> {
    // PostgreSQL accepts no text with a zero byte, and no id contains one.
    if message.contains('\0') {
        return Ok(None);
    }
    let Some(delivery) = app.db.delivery(endpoint, message).await? else { return Ok(None) };
    let payload = app.db.message_payload(delivery.number).await?.unwrap_or_default();
    let attempts = app.db.delivery_attempts(endpoint, delivery.number).await?;
    EndpointDeliveryDetails::new(delivery, &payload, attempts).map(Some)
}
