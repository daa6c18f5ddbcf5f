//! The health checks: whether the process runs, and whether it can work.

use actix_web::get;
use actix_web::http::StatusCode;
use actix_web::web::Json;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::with_causes;
use crate::books::instance::MigrationState;
use crate::http::kit::openapi::{Problem503, SlowRequest};
use crate::http::kit::problem::ApiError;
use crate::http::state::State;

/// The service is healthy.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    #[schema(example = "ok")]
    status: &'static str,
}

const OK: Json<Health> = Json(Health { status: "ok" });

/// Checks that the process is running.
///
/// Checks nothing else: restarting the process does not repair a failed database. Needs no credentials.
#[utoipa::path(
    operation_id = "getLiveness",
    tag = "health",
    responses((status = 200, description = "The process is running.", body = Health), SlowRequest),
    security(()),
)]
#[get("/health/live")]
pub async fn live() -> Json<Health> {
    OK
}

/// Checks that the service can handle requests: the database is reachable, migrated and writable.
///
/// Load balancers should send no requests to a process that is not ready. A test write runs at most once every few
/// seconds, and immediately after a write has failed. Needs no credentials.
#[utoipa::path(
    operation_id = "getReadiness",
    tag = "health",
    responses((status = 200, description = "The service can handle requests.", body = Health), SlowRequest, Problem503),
    security(()),
)]
#[get("/health/ready")]
pub async fn ready(state: State) -> Result<Json<Health>, ApiError> {
    let app = state.app.clone();
    let not_ready = |detail: &str| ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", detail).retry_after(1);
    let (migrated, writable) = state
        .run(async move {
            let migrated = app.db.migration_state().await;
            let is_migrated = matches!(migrated, Ok(MigrationState::Current | MigrationState::Ahead));
            let writable = if is_migrated { app.db.check_writable().await } else { Ok(()) };
            (migrated, writable)
        })
        .await?;
    match (migrated, writable) {
        (Ok(MigrationState::Behind), _) => Err(not_ready("the database is not migrated")),
        (Ok(_), Ok(())) => Ok(OK),
        (Ok(_), Err(error)) => {
            tracing::error!(error = with_causes(&error), "not ready");
            Err(not_ready("the database takes no writes; the log says why"))
        }
        (Err(error), _) => {
            tracing::error!(error = with_causes(&error), "not ready");
            Err(not_ready("the database is not reachable"))
        }
    }
}
