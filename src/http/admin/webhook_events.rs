//! Failed deliveries for the operator: lists, bodies, and replays.

use actix_web::http::StatusCode;
use actix_web::web::{Json, Path, Payload};
use actix_web::{HttpRequest, get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::http::admin::caller::{Admin, before, page};
use crate::http::kit::body::{read_json, read_query};
use crate::http::kit::openapi::{CallerProblems, Problem503};
use crate::http::kit::problem::{ApiError, Problem};
use crate::http::kit::timestamp::rfc3339;
use crate::http::state::State;
use crate::inbox::failed_deliveries::{self, Closed, Replayed, is_close_reason};
use crate::inbox::failed_events::{
    FailedDelivery, FailedEvent, FailureCursor, FailureFilter, FailureKind, FailureState,
};

const DEFAULT_LIMIT: i64 = 20;
const MAX_LIMIT: i64 = 100;

/// An event of Stripe's of which a delivery had no effect.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FailedWebhookEvent {
    /// The provider's id of the event.
    #[schema(example = "evt_1a2b3c")]
    pub id: String,
    /// The payment provider.
    #[schema(example = "stripe")]
    pub provider: String,
    /// Its type.
    #[serde(rename = "type")]
    #[schema(example = "checkout.session.completed")]
    pub event_type: String,
    /// `open`; `resolved`: it was decided after all, or is nothing of ours; or `closed` by a person.
    #[schema(example = "open")]
    pub state: String,
    /// `transient` may succeed when it is tried again; `permanent` contradicts what was agreed, a person has to look.
    #[schema(example = "transient")]
    pub kind: String,
    /// What went wrong the last time; of a permanent failure, what makes it permanent.
    #[schema(example = "the database failed")]
    pub error: String,
    /// How often it failed.
    #[schema(example = 3)]
    pub attempts: i64,
    /// When it failed first.
    #[schema(example = "2026-11-21T12:00:00Z")]
    pub first_failed_at: String,
    /// When it failed last.
    #[schema(example = "2026-11-21T12:05:00Z")]
    pub last_failed_at: String,
    /// When it was put right; null while it is open.
    #[schema(example = "2026-11-21T12:10:00Z")]
    pub resolved_at: Option<String>,
    /// When a person closed it; null if nobody did.
    #[schema(example = "2026-11-22T09:00:00Z")]
    pub closed_at: Option<String>,
    /// Who closed it.
    #[schema(example = "token of operator_1")]
    pub closed_by: Option<String>,
    /// Why.
    #[schema(example = "refunded in the dashboard")]
    pub close_reason: Option<String>,
    /// `kept`; `erased`, because its time is over; or `none`: it never was kept.
    #[schema(example = "kept")]
    pub payload_state: String,
}

/// A failed event with what came with it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FailedWebhookDelivery {
    /// The event.
    pub event: FailedWebhookEvent,
    /// The body as Stripe sent it, which holds personal data; null when it is not kept (any more).
    #[schema(example = "{\"id\":\"evt_1a2b3c\"}")]
    pub payload: Option<String>,
}

/// A page of failed events, the newest first by their first failure.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FailedWebhookEvents {
    data: Vec<FailedWebhookEvent>,
    /// Send it as `cursor` for the next page; null on the last one.
    #[schema(example = "1800000000000_evt_1a2b3c")]
    next_cursor: Option<String>,
}

impl FailedWebhookEvents {
    /// A page of at most `limit` events, given one more.
    ///
    /// # Errors
    /// When a stored time is out of range.
    pub fn new(events: Vec<FailedEvent>, limit: i64) -> Result<Self, ApiError> {
        let (events, next_cursor) =
            page(events, limit, |event| (event.first_failed_at, event.provider_event_id.clone()));
        let data = events.into_iter().map(FailedWebhookEvent::try_from).collect::<Result<_, _>>()?;
        Ok(Self { data, next_cursor })
    }

    /// The events.
    #[must_use]
    pub fn data(&self) -> &[FailedWebhookEvent] {
        &self.data
    }
}

/// Why a failed delivery is closed.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseWebhookEvent {
    /// 1 to 500 printable characters.
    #[schema(example = "refunded in the dashboard")]
    #[validate(required(message = "is missing; say why"), custom(function = is_reason))]
    reason: Option<String>,
}

fn is_reason(reason: &str) -> Result<(), ValidationError> {
    if is_close_reason(reason) {
        return Ok(());
    }
    Err(ValidationError::new("invalid_reason").with_message("must be 1 to 500 printable characters".into()))
}

/// What a replay came to.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayedWebhookEvent {
    /// `decided`: its effect is in the books, now or before. `foreign`: it is nothing of ours. `rejected`: it contradicts
    /// what was agreed and never has an effect. `failed`: not this time either. `already_resolved`: there was nothing to do.
    #[schema(example = "decided")]
    pub outcome: String,
    /// More about it, for people.
    #[schema(example = "credited")]
    pub detail: String,
    /// The event as it is now.
    pub event: FailedWebhookEvent,
}

#[derive(Debug, Deserialize, Validate)]
struct ListQuery {
    state: Option<String>,
    kind: Option<String>,
    #[validate(range(min = 1, max = MAX_LIMIT, message = "must be 1 to 100"))]
    limit: Option<i64>,
    cursor: Option<String>,
}

impl TryFrom<FailedEvent> for FailedWebhookEvent {
    type Error = ApiError;

    fn try_from(event: FailedEvent) -> Result<Self, ApiError> {
        let state = event.state();
        let payload_state = match (event.has_payload, event.payload_at) {
            (0, None) => "none",
            (0, Some(_)) => "erased",
            _ => "kept",
        };
        Ok(Self {
            id: event.provider_event_id,
            provider: event.provider,
            event_type: event.event_type,
            state: state.as_str().to_owned(),
            kind: event.kind,
            error: event.error,
            attempts: event.attempts,
            first_failed_at: rfc3339(event.first_failed_at)?,
            last_failed_at: rfc3339(event.last_failed_at)?,
            resolved_at: event.resolved_at.map(rfc3339).transpose()?,
            closed_at: event.closed_at.map(rfc3339).transpose()?,
            closed_by: event.closed_by,
            close_reason: event.close_reason,
            payload_state: payload_state.to_owned(),
        })
    }
}

impl TryFrom<FailedDelivery> for FailedWebhookDelivery {
    type Error = ApiError;

    fn try_from(delivery: FailedDelivery) -> Result<Self, ApiError> {
        Ok(Self { event: delivery.event.try_into()?, payload: delivery.payload })
    }
}

/// Stripe's events of which a delivery failed, newest first.
///
/// For an admin, and an API key with the scope `admin` for all accounts.
#[utoipa::path(
    operation_id = "listFailedWebhookEvents",
    tag = "webhooks",
    params(
        ("state" = Option<String>, Query, description = "`open` (by default), `resolved`, `closed` or `all`", example = "open"),
        ("kind" = Option<String>, Query, description = "`transient`, `permanent` or `all` (by default)", example = "transient"),
        ("limit" = Option<i64>, Query, description = "Events per page, 1 to 100; 20 by default", example = 20),
        ("cursor" = Option<String>, Query, description = "The nextCursor of the page before", example = "1800000000000_evt_1a2b3c"),
    ),
    responses((status = 200, description = "A page of events.", body = FailedWebhookEvents), CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/admin/webhook-events")]
pub async fn list_failed_events(request: HttpRequest, state: State) -> Result<Json<FailedWebhookEvents>, ApiError> {
    Admin::of_all_accounts(&request, &state).await?;
    let query: ListQuery = read_query(&request)?;
    let filter = FailureFilter {
        state: choice("state", query.state.as_deref().unwrap_or("open"), &FailureState::ALL, FailureState::as_str)?,
        kind: choice("kind", query.kind.as_deref().unwrap_or("all"), &FailureKind::ALL, FailureKind::as_str)?,
    };
    let (first_failed_at, provider_event_id) = before(query.cursor.as_deref())?;
    let before = FailureCursor { first_failed_at, provider_event_id };
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    let app = state.app.clone();
    // One more than asked for tells whether there is another page.
    let read = async move { app.db.failed_events(filter, &before, limit.saturating_add(1)).await };
    let events = state.run(read).await??;
    FailedWebhookEvents::new(events, limit).map(Json)
}

/// One event of which a delivery failed, with its payload.
///
/// For an admin, and an API key with the scope `admin` for all accounts.
#[utoipa::path(
    operation_id = "getFailedWebhookEvent",
    tag = "webhooks",
    params(("id" = String, Path, description = "Stripe's id of the event", example = "evt_1a2b3c")),
    responses(
        (status = 200, description = "The event.", body = FailedWebhookDelivery),
        (status = 404, description = "No delivery of that event failed.", body = Problem, content_type = "application/problem+json"),
        CallerProblems, Problem503,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/admin/webhook-events/{id}")]
pub async fn read_failed_event(
    request: HttpRequest,
    path: Path<String>,
    state: State,
) -> Result<Json<FailedWebhookDelivery>, ApiError> {
    Admin::of_all_accounts(&request, &state).await?;
    let (app, id) = (state.app.clone(), path.into_inner());
    let delivery = state.run(async move { app.db.failed_event(&id).await }).await??.ok_or_else(unknown)?;
    FailedWebhookDelivery::try_from(delivery).map(Json)
}

/// Tries a failed event again, as if Stripe delivered it now.
///
/// It is safe at any time: no event credits twice. For an admin, and an API key with the scope `admin` for all accounts.
#[utoipa::path(
    operation_id = "replayFailedWebhookEvent",
    tag = "webhooks",
    params(("id" = String, Path, description = "Stripe's id of the event", example = "evt_1a2b3c")),
    responses(
        (status = 200, description = "It was tried again; `outcome` says what came of it.", body = ReplayedWebhookEvent),
        (status = 404, description = "No delivery of that event failed.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Its payload is not kept (any more): resend the event from Stripe's dashboard.", body = Problem, content_type = "application/problem+json"),
        CallerProblems, Problem503,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[post("/admin/webhook-events/{id}/replay")]
pub async fn replay_failed_event(
    request: HttpRequest,
    path: Path<String>,
    state: State,
) -> Result<Json<ReplayedWebhookEvent>, ApiError> {
    Admin::of_all_accounts(&request, &state).await?;
    let (app, id) = (state.app.clone(), path.into_inner());
    let replay = async move {
        let replayed = Box::pin(failed_deliveries::replay(&app, &id)).await?;
        Ok::<_, ApiError>((replayed, app.db.failed_event(&id).await?))
    };
    let (Some(replayed), Some(now)) = state.run(replay).await?? else { return Err(unknown()) };
    if matches!(replayed, Replayed::PayloadErased) {
        return Err(ApiError::new(StatusCode::CONFLICT, "payload_erased", replayed.detail()));
    }
    let (outcome, detail) = (replayed.outcome().to_owned(), replayed.detail());
    Ok(Json(ReplayedWebhookEvent { outcome, detail, event: now.event.try_into()? }))
}

/// Closes a failed event that will never have an effect, with the reason.
///
/// It changes nothing in the books. For an admin, and an API key with the scope `admin` for all accounts.
#[utoipa::path(
    operation_id = "closeFailedWebhookEvent",
    tag = "webhooks",
    params(("id" = String, Path, description = "Stripe's id of the event", example = "evt_1a2b3c")),
    request_body = CloseWebhookEvent,
    responses(
        (status = 200, description = "It is closed.", body = FailedWebhookEvent),
        (status = 404, description = "No delivery of that event failed.", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is closed or resolved.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON.", body = Problem, content_type = "application/problem+json"),
        CallerProblems, Problem503,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[post("/admin/webhook-events/{id}/close")]
pub async fn close_failed_event(
    request: HttpRequest,
    payload: Payload,
    path: Path<String>,
    state: State,
) -> Result<Json<FailedWebhookEvent>, ApiError> {
    let admin = Admin::of_all_accounts(&request, &state).await?;
    let body: CloseWebhookEvent = read_json(&request, payload, &state).await?;
    let (app, id, by) = (state.app.clone(), path.into_inner(), admin.operator.name);
    let reason = body.reason.unwrap_or_default();
    let close = async move {
        let closed = failed_deliveries::close(&app.db, app.clock.as_ref(), &id, &by, &reason).await?;
        Ok::<_, ApiError>((closed, app.db.failed_event(&id).await?))
    };
    let (Some(closed), Some(now)) = state.run(close).await?? else { return Err(unknown()) };
    match closed {
        Closed::Done => now.event.try_into().map(Json),
        Closed::NotOpen => Err(ApiError::new(
            StatusCode::CONFLICT,
            "not_open",
            "the event is not open: it was closed or resolved before",
        )),
    }
}

fn unknown() -> ApiError {
    ApiError::not_found("no delivery of that event failed")
}

/// Finds the value with this name among `all`; `None` for the name `all`.
fn choice<T: Copy>(
    field: &str,
    text: &str,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<Option<T>, ApiError> {
    let found = all.iter().copied().find(|value| name(*value) == text);
    if found.is_some() || text == "all" {
        return Ok(found);
    }
    let names: Vec<&str> = all.iter().map(|value| name(*value)).collect();
    Err(ApiError::field(field, "invalid_choice", format!("must be {} or all", names.join(", "))))
}
