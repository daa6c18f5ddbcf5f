//! Shows endpoints.

use actix_web::web::{Json, Path};
use actix_web::{HttpRequest, get};

use crate::http::admin::caller::Admin;
use crate::http::admin::endpoints::fields::endpoint_id;
use crate::http::admin::endpoints::views::{Endpoint, Endpoints};
use crate::http::kit::openapi::{CallerProblems, Problem404, Problem503};
use crate::http::kit::problem::ApiError;
use crate::http::state::State;

/// Lists the endpoints.
///
/// Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one account.
#[utoipa::path(
    operation_id = "listEndpoints",
    tag = "messages",
    responses((status = 200, description = "All endpoints.", body = Endpoints), CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/admin/endpoints")]
pub async fn list(request: HttpRequest, state: State) -> Result<Json<Endpoints>, ApiError> {
    Admin::of_all_accounts(&request, &state).await?;
    let (app, now_ms) = (state.app.clone(), state.app.clock.now_ms());
    let endpoints = state.run(async move { app.db.endpoints().await }).await??;
    let data = endpoints.into_iter().map(|endpoint| Endpoint::new(endpoint, now_ms)).collect::<Result<_, _>>()?;
    Ok(Json(Endpoints { data }))
}

/// Returns an endpoint.
///
/// Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one account. Its
/// secret is not shown again; rotate it if it is lost.
#[utoipa::path(
    operation_id = "getEndpoint",
    tag = "messages",
    params(("id" = String, Path, description = "The endpoint's id", example = "endpoint_019a0000000070008000000000000000")),
    responses((status = 200, description = "The endpoint.", body = Endpoint), Problem404, CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/admin/endpoints/{id}")]
pub async fn read(request: HttpRequest, path: Path<String>, state: State) -> Result<Json<Endpoint>, ApiError> {
    Admin::of_all_accounts(&request, &state).await?;
    let (app, id) = (state.app.clone(), endpoint_id(&path)?);
    let found = state.run(async move { app.db.endpoint(&id).await }).await??;
    let found = found.ok_or_else(|| ApiError::not_found("there is no such endpoint"))?;
    Endpoint::new(found, state.app.clock.now_ms()).map(Json)
}
