//! Failed deliveries for the operator: lists, bodies, and replays.

use actix_web::http::StatusCode;
use actix_web::web::{Json, Path, Payload};
use actix_web::{HttpRequest, get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::http::admin::caller::Admin;
use crate::http::kit::body::{read_json, read_query};
use crate::http::kit::fields::is_reason;
use crate::http::kit::openapi::{CallerProblems, Problem503};
use crate::http::kit::paging::{before, page};
use crate::http::kit::problem::{ApiError, Problem};
use crate::http::kit::timestamp::rfc3339;
use crate::http::state::State;
use crate::inbox::failed_deliveries::{self, Closed, Replayed};
use crate::inbox::failed_events::{
    FailedDelivery, FailedEvent, FailureCursor, FailureFilter, FailureKind, FailureState,
};

const DEFAULT_LIMIT: i64 = 20;
const MAX_LIMIT: i64 = 100;

/// An event from Stripe that failed to be processed.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FailedWebhookEvent {
    /// The provider's id of the event.
    #[schema(example = "evt_1a2b3c")]
    pub id: String,
    /// The payment provider.
    #[schema(example = "stripe")]
    pub provider: String,
    /// Stripe's type of the event.
    #[serde(rename = "type")]
    #[schema(example = "checkout.session.completed")]
    pub event_type: String,
    /// `open`; `resolved` (processed later, or found not to concern Topup); or `closed` (by an operator).
    #[schema(example = "open")]
    pub state: String,
    /// `transient`: a retry may succeed. `permanent`: the event contradicts the agreed terms; a person must look at it.
    #[schema(example = "transient")]
    pub kind: String,
    /// The last error; for a permanent failure, the error that makes it permanent.
    #[schema(example = "the database failed")]
    pub error: String,
    /// The number of failed attempts.
    #[schema(example = 3)]
    pub attempts: i64,
    /// When the event first failed.
    #[schema(example = "2026-11-21T12:00:00Z")]
    pub first_failed_at: String,
    /// When the event last failed.
    #[schema(example = "2026-11-21T12:05:00Z")]
    pub last_failed_at: String,
    /// When the event was resolved; null if it was not.
    #[schema(example = "2026-11-21T12:10:00Z")]
    pub resolved_at: Option<String>,
    /// When an operator closed the event; null if it was not closed.
    #[schema(example = "2026-11-22T09:00:00Z")]
    pub closed_at: Option<String>,
    /// Who closed the event.
    #[schema(example = "token of operator_1")]
    pub closed_by: Option<String>,
    /// Why the event was closed.
    #[schema(example = "refunded in the dashboard")]
    pub close_reason: Option<String>,
    /// `kept`; `erased` (the retention time has passed); or `none` (never stored).
    #[schema(example = "kept")]
    pub payload_state: String,
}

/// A failed event with its payload.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FailedWebhookDelivery {
    /// The event.
    pub event: FailedWebhookEvent,
    /// The body as sent by Stripe; it contains personal data. Null if it was erased or never stored.
    #[schema(example = "{\"id\":\"evt_1a2b3c\"}")]
    pub payload: Option<String>,
}

/// A page of failed events, ordered by first failure, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FailedWebhookEvents {
    data: Vec<FailedWebhookEvent>,
    /// Pass it as `cursor` to get the next page; null on the last page.
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

/// Why the failed event is closed.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseWebhookEvent {
    /// The reason, for the record: 1 to 500 printable characters.
    #[schema(example = "refunded in the dashboard")]
    #[validate(required(message = "is missing; say why"), custom(function = is_reason))]
    reason: Option<String>,
}

/// The result of a replay.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayedWebhookEvent {
    /// `decided`: processed, now or earlier. `foreign`: the event does not concern Topup. `rejected`: the event
    /// contradicts the agreed terms and has no effect. `failed`: the attempt failed again.
    /// `already_resolved`: there was nothing to do.
    #[schema(example = "decided")]
    pub outcome: String,
    /// More about the outcome, in words.
    #[schema(example = "credited")]
    pub detail: String,
    /// The event after the replay.
    pub event: FailedWebhookEvent,
}

impl ReplayedWebhookEvent {
    /// A replay, and the event after it.
    ///
    /// # Errors
    /// When a stored time is out of range.
    pub fn new(replayed: &Replayed, now: FailedEvent) -> Result<Self, ApiError> {
        Ok(Self { outcome: replayed.outcome().to_owned(), detail: replayed.detail(), event: now.try_into()? })
    }
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

/// Lists the events from Stripe that failed to be processed, newest first.
///
/// Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one account.
#[utoipa::path(
    operation_id = "listFailedWebhookEvents",
    tag = "webhooks",
    params(
        ("state" = Option<String>, Query, description = "`open` (default), `resolved`, `closed` or `all`", example = "open"),
        ("kind" = Option<String>, Query, description = "`transient`, `permanent` or `all` (default)", example = "transient"),
        ("limit" = Option<i64>, Query, description = "Events per page, 1 to 100; default 20", example = 20),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the previous page", example = "1800000000000_evt_1a2b3c"),
    ),
    responses((status = 200, description = "A page of failed events.", body = FailedWebhookEvents), CallerProblems, Problem503),
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

/// Returns a failed event with its payload.
///
/// Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one account.
#[utoipa::path(
    operation_id = "getFailedWebhookEvent",
    tag = "webhooks",
    params(("id" = String, Path, description = "The provider's id of the event", example = "evt_1a2b3c")),
    responses(
        (status = 200, description = "The failed event.", body = FailedWebhookDelivery),
        (status = 404, description = "There is no failed event with that id.", body = Problem, content_type = "application/problem+json"),
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

/// Processes a failed event again, as if Stripe delivered it now.
///
/// The call is safe to repeat at any time: no event credits twice. Requires a token with the admin scope, or an API key
/// with the scope `admin` that is not bound to one account.
#[utoipa::path(
    operation_id = "replayFailedWebhookEvent",
    tag = "webhooks",
    params(("id" = String, Path, description = "The provider's id of the event", example = "evt_1a2b3c")),
    responses(
        (status = 200, description = "The event was replayed; see `outcome`.", body = ReplayedWebhookEvent),
        (status = 404, description = "There is no failed event with that id.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The payload was erased or never stored (`payload_erased`); resend the event from Stripe's dashboard.", body = Problem, content_type = "application/problem+json"),
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
    ReplayedWebhookEvent::new(&replayed, now.event).map(Json)
}

/// Closes a failed event that will never have an effect.
///
/// Topup records the reason and who closed the event. No balance changes. Requires a token with the admin scope, or an
/// API key with the scope `admin` that is not bound to one account.
#[utoipa::path(
    operation_id = "closeFailedWebhookEvent",
    tag = "webhooks",
    params(("id" = String, Path, description = "The provider's id of the event", example = "evt_1a2b3c")),
    request_body = CloseWebhookEvent,
    responses(
        (status = 200, description = "The event was closed.", body = FailedWebhookEvent),
        (status = 404, description = "There is no failed event with that id.", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The event is already closed or resolved (`not_open`).", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The request body is not JSON.", body = Problem, content_type = "application/problem+json"),
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
