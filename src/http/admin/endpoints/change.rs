//! Creates, changes and deletes endpoints, rotates their secrets, and sends a test.

use actix_web::web::{Json, Path, Payload};
use actix_web::{HttpRequest, HttpResponse, delete, patch, post};
use secrecy::ExposeSecret;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::http::admin::caller::Admin;
use crate::http::admin::endpoints::fields::{endpoint_id, event_types, is_description};
use crate::http::admin::endpoints::views::{Endpoint, EndpointTest, EndpointWithSecret};
use crate::http::kit::body::read_json;
use crate::http::kit::openapi::{CallerProblems, Problem404, Problem503};
use crate::http::kit::problem::{ApiError, Problem};
use crate::http::state::{HttpState, State};
use crate::outbox::change_endpoint::{self, Context, EndpointChange, WithSecret};

/// Where to send which messages.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateEndpoint {
    /// An https URL. http is only for the networks in `WEBHOOK_ALLOWED_NETWORKS`.
    #[validate(required(message = "is missing; say where to send messages"))]
    #[schema(required, nullable = false, example = "https://app.example.com/webhooks/topup")]
    url: Option<String>,
    /// The types of messages; none, or an empty list, for all.
    #[schema(example = json!(["topup.paid", "balance.low"]))]
    types: Option<Vec<String>>,
    /// At most 200 characters.
    #[validate(custom(function = is_description))]
    #[schema(example = "The shop's backend")]
    description: Option<String>,
}

/// Whether an endpoint gets messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum WantedState {
    /// It gets messages; also those that waited for it.
    Active,
    /// It gets none; those that wait for it are kept.
    Disabled,
}

/// What to change of an endpoint. What is not named stays.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangeEndpoint {
    /// An https URL. http is only for the networks in `WEBHOOK_ALLOWED_NETWORKS`.
    #[schema(example = "https://app.example.com/webhooks/topup")]
    url: Option<String>,
    /// The types of messages; an empty list for all.
    #[schema(example = json!(["topup.paid", "balance.low"]))]
    types: Option<Vec<String>>,
    /// At most 200 characters.
    #[validate(custom(function = is_description))]
    #[schema(example = "The shop's backend")]
    description: Option<String>,
    /// `active` or `disabled`.
    #[schema(example = "active")]
    state: Option<WantedState>,
}

fn with_secret(state: &HttpState, made: WithSecret) -> Result<Json<EndpointWithSecret>, ApiError> {
    let endpoint = Endpoint::new(made.endpoint, state.app.clock.now_ms())?;
    Ok(Json(EndpointWithSecret::new(endpoint, made.secret.expose_secret().to_owned())))
}

/// Creates an endpoint.
///
/// Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one account. It
/// gets the messages about what happens from now on. The answer contains its secret, which is not shown again.
#[utoipa::path(
    operation_id = "createEndpoint",
    tag = "messages",
    request_body = CreateEndpoint,
    responses(
        (status = 200, description = "The endpoint was created.", body = EndpointWithSecret),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "There are 20 endpoints already (`too_many_endpoints`), or the signing key is another one than that of the existing endpoints (`signing_key_changed`).", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The request body is not JSON.", body = Problem, content_type = "application/problem+json"),
        CallerProblems, Problem503,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[post("/admin/endpoints")]
pub async fn create(
    request: HttpRequest,
    payload: Payload,
    state: State,
) -> Result<Json<EndpointWithSecret>, ApiError> {
    Admin::of_all_accounts(&request, &state).await?;
    let body: CreateEndpoint = read_json(&request, payload, &state).await?;
    let types = event_types(&body.types.unwrap_or_default())?;
    let new = EndpointChange {
        url: body.url,
        types: Some(types),
        description: body.description,
        ..EndpointChange::default()
    };
    let app = state.app.clone();
    let made = state.run(async move { change_endpoint::create(Context::of(&app), new).await }).await??;
    with_secret(&state, made)
}

/// Changes an endpoint.
///
/// Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one account. One
/// that is activated again gets what waited for it; what it missed meanwhile can be resent.
#[utoipa::path(
    operation_id = "changeEndpoint",
    tag = "messages",
    params(("id" = String, Path, description = "The endpoint's id", example = "endpoint_019a0000000070008000000000000000")),
    request_body = ChangeEndpoint,
    responses(
        (status = 200, description = "The endpoint as it is now.", body = Endpoint),
        (status = 408, description = "The request body did not arrive in time.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The request body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The request body is not JSON.", body = Problem, content_type = "application/problem+json"),
        Problem404, CallerProblems, Problem503,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[patch("/admin/endpoints/{id}")]
pub async fn change(
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
    state: State,
) -> Result<Json<Endpoint>, ApiError> {
    Admin::of_all_accounts(&request, &state).await?;
    let body: ChangeEndpoint = read_json(&request, payload, &state).await?;
    let id = endpoint_id(&path)?;
    let change = EndpointChange {
        url: body.url,
        types: body.types.as_deref().map(event_types).transpose()?,
        description: body.description,
        is_active: body.state.map(|wanted| wanted == WantedState::Active),
    };
    let app = state.app.clone();
    let changed = state.run(async move { change_endpoint::change(Context::of(&app), &id, change).await }).await??;
    Endpoint::new(changed, state.app.clock.now_ms()).map(Json)
}

/// Deletes an endpoint.
///
/// Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one account. What
/// waits for it is not delivered any more.
#[utoipa::path(
    operation_id = "deleteEndpoint",
    tag = "messages",
    params(("id" = String, Path, description = "The endpoint's id", example = "endpoint_019a0000000070008000000000000000")),
    responses((status = 204, description = "There is no such endpoint any more."), Problem404, CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[delete("/admin/endpoints/{id}")]
pub async fn remove(request: HttpRequest, path: Path<String>, state: State) -> Result<HttpResponse, ApiError> {
    Admin::of_all_accounts(&request, &state).await?;
    let (app, id) = (state.app.clone(), endpoint_id(&path)?);
    state.run(async move { change_endpoint::delete(Context::of(&app), &id).await }).await??;
    Ok(HttpResponse::NoContent().finish())
}

/// Replaces an endpoint's secret.
///
/// Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one account. For 24
/// hours messages are signed with both secrets, so that receivers can change it without missing one.
#[utoipa::path(
    operation_id = "rotateEndpointSecret",
    tag = "messages",
    params(("id" = String, Path, description = "The endpoint's id", example = "endpoint_019a0000000070008000000000000000")),
    responses(
        (status = 200, description = "The endpoint with its new secret.", body = EndpointWithSecret),
        (status = 409, description = "The signing key is another one than that of the existing endpoints (`signing_key_changed`).", body = Problem, content_type = "application/problem+json"),
        Problem404, CallerProblems, Problem503,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[post("/admin/endpoints/{id}/rotate")]
pub async fn rotate(
    request: HttpRequest,
    path: Path<String>,
    state: State,
) -> Result<Json<EndpointWithSecret>, ApiError> {
    Admin::of_all_accounts(&request, &state).await?;
    let (app, id) = (state.app.clone(), endpoint_id(&path)?);
    let made = state.run(async move { change_endpoint::rotate(Context::of(&app), &id).await }).await??;
    with_secret(&state, made)
}

/// Sends a test to an endpoint.
///
/// Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one account. The
/// message has the type `endpoint.test` and goes to this endpoint alone, whatever its types.
#[utoipa::path(
    operation_id = "testEndpoint",
    tag = "messages",
    params(("id" = String, Path, description = "The endpoint's id", example = "endpoint_019a0000000070008000000000000000")),
    responses(
        (status = 200, description = "The test is on its way.", body = EndpointTest),
        (status = 409, description = "The endpoint is disabled (`endpoint_disabled`).", body = Problem, content_type = "application/problem+json"),
        Problem404, CallerProblems, Problem503,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[post("/admin/endpoints/{id}/test")]
pub async fn test(request: HttpRequest, path: Path<String>, state: State) -> Result<Json<EndpointTest>, ApiError> {
    Admin::of_all_accounts(&request, &state).await?;
    let (app, id) = (state.app.clone(), endpoint_id(&path)?);
    let message_id = state.run(async move { change_endpoint::test(Context::of(&app), &id).await }).await??;
    Ok(Json(EndpointTest { message_id }))
}
