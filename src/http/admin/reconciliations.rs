//! The reconciliations with Stripe, for the operator: when they ran and what they found.

use actix_web::web::{Json, Path};
use actix_web::{HttpRequest, get};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::db::StoreError;
use crate::http::admin::caller::Admin;
use crate::http::kit::body::read_query;
use crate::http::kit::openapi::{CallerProblems, Problem503};
use crate::http::kit::problem::{ApiError, Problem};
use crate::http::kit::timestamp::rfc3339;
use crate::http::state::State;
use crate::reconcile::Run;

const DEFAULT_LIMIT: i64 = 20;
const MAX_LIMIT: i64 = 100;

/// A run that compares Topup's records with Stripe's.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reconciliation {
    #[schema(example = "reconciliation_019a0000000070008000000000000000")]
    id: String,
    /// `running`, `finished`, `failed`, or `interrupted` (the process ended before the run did; the next run starts
    /// over).
    #[schema(example = "finished")]
    state: String,
    /// What started the run: `command` or `schedule`.
    #[schema(example = "schedule")]
    cause: String,
    /// Whether the run only compared and applied nothing.
    #[schema(example = false)]
    dry_run: bool,
    /// The start of the compared period.
    #[schema(example = "2026-10-22T12:00:00Z")]
    since: String,
    #[schema(example = "2026-11-21T12:00:00Z")]
    started_at: String,
    /// When the run ended; null while it is running.
    #[schema(example = "2026-11-21T12:01:00Z")]
    finished_at: Option<String>,
    /// The number of differences that the run could not resolve and that need a person. Null if the run produced no
    /// report.
    #[schema(example = 0)]
    left_over: Option<i64>,
    /// Why the run failed and how to fix it. Whatever could be compared was still compared and applied.
    #[schema(example = json!(null))]
    error: Option<String>,
    /// Why the run is incomplete, as a code: `missing_permission`, `too_many` or `provider_failed`. After
    /// `provider_failed` the service tries again at growing intervals; after the other two, when the next run is due.
    #[schema(example = json!(null))]
    obstacle: Option<String>,
    /// The report, as printed by `topup reconcile --json`. Null in lists, and if the run produced no report.
    #[schema(value_type = Option<Object>)]
    report: Option<serde_json::Value>,
}

/// The latest reconciliations, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reconciliations {
    data: Vec<Reconciliation>,
}

#[derive(Debug, Deserialize, Validate)]
struct ListQuery {
    #[validate(range(min = 1, max = MAX_LIMIT, message = "must be 1 to 100"))]
    limit: Option<i64>,
}

/// Lists the latest reconciliations with Stripe, newest first, without their reports.
///
/// Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one account.
#[utoipa::path(
    operation_id = "listReconciliations",
    tag = "reconciliation",
    params(("limit" = Option<i64>, Query, description = "Number of reconciliations, 1 to 100; default 20", example = 20)),
    responses((status = 200, description = "The latest reconciliations.", body = Reconciliations), CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/admin/reconciliations")]
pub async fn list_reconciliations(request: HttpRequest, state: State) -> Result<Json<Reconciliations>, ApiError> {
    Admin::of_all_accounts(&request, &state).await?;
    let query: ListQuery = read_query(&request)?;
    let (app, limit) = (state.app.clone(), query.limit.unwrap_or(DEFAULT_LIMIT));
    let runs = state.run(async move { app.db.reconciliations(limit).await }).await??;
    let without_report = |run| Run { report: None, ..run };
    let data = runs.into_iter().map(|run| reconciliation(without_report(run))).collect::<Result<_, _>>()?;
    Ok(Json(Reconciliations { data }))
}

/// Returns a reconciliation with Stripe and its report.
///
/// Requires a token with the admin scope, or an API key with the scope `admin` that is not bound to one account.
#[utoipa::path(
    operation_id = "getReconciliation",
    tag = "reconciliation",
    params(("id" = String, Path, description = "The id of the reconciliation, or `latest`", example = "latest")),
    responses(
        (status = 200, description = "The reconciliation.", body = Reconciliation),
        (status = 404, description = "There is no reconciliation with that id, or none at all.", body = Problem, content_type = "application/problem+json"),
        CallerProblems, Problem503,
    ),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/admin/reconciliations/{id}")]
pub async fn read_reconciliation(
    request: HttpRequest,
    path: Path<String>,
    state: State,
) -> Result<Json<Reconciliation>, ApiError> {
    Admin::of_all_accounts(&request, &state).await?;
    let (app, id) = (state.app.clone(), path.into_inner());
    let read = async move {
        // PostgreSQL accepts no text with a zero byte, and no id contains one.
        match id.as_str() {
            "latest" => Ok(app.db.reconciliations(1).await?.into_iter().next()),
            id if id.contains('\0') => Ok::<_, StoreError>(None),
            id => app.db.reconciliation(id).await,
        }
    };
    let run = state.run(read).await??.ok_or_else(|| ApiError::not_found("there is no such reconciliation"))?;
    reconciliation(run).map(Json)
}

fn reconciliation(run: Run) -> Result<Reconciliation, ApiError> {
    let report = run.report.as_deref().map(serde_json::from_str).transpose();
    Ok(Reconciliation {
        id: run.id,
        state: run.state,
        cause: run.cause,
        dry_run: run.dry_run != 0,
        since: rfc3339(run.since)?,
        started_at: rfc3339(run.started_at)?,
        finished_at: run.finished_at.map(rfc3339).transpose()?,
        left_over: run.left_over,
        error: run.error,
        obstacle: run.obstacle,
        report: report.map_err(|error| StoreError::corrupt("report", error))?,
    })
}
