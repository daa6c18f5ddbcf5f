//! All subscriptions, for operators.

use actix_web::web::Json;
use actix_web::{HttpRequest, get};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::http::admin::caller::Admin;
use crate::http::customer::subscriptions::view::Subscription;
use crate::http::kit::body::read_query;
use crate::http::kit::openapi::{CallerProblems, Problem503};
use crate::http::kit::paging::{before, page};
use crate::http::kit::problem::ApiError;
use crate::http::state::State;
use crate::subscriptions::list_subscriptions;

/// A page of subscriptions, newest first.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AllSubscriptions {
    data: Vec<Subscription>,
    /// Pass it as `cursor` to get the next page; null on the last page.
    #[schema(example = "1795262400000_sub_1Qw2e3R4t5Y6u7I8")]
    next_cursor: Option<String>,
}

#[derive(Debug, Deserialize, Validate)]
struct PageQuery {
    #[validate(range(min = 1, max = 100, message = "must be 1 to 100"))]
    limit: Option<i64>,
    cursor: Option<String>,
}

/// Lists all subscriptions, newest first.
///
/// Requires a token with the admin scope, or an API key with the scope `admin` for all accounts.
#[utoipa::path(
    operation_id = "listAllSubscriptions",
    tag = "admin",
    params(
        ("limit" = Option<i64>, Query, description = "Subscriptions per page, 1 to 100; default 20", example = 20),
        ("cursor" = Option<String>, Query, description = "The `nextCursor` of the previous page", example = "1795262400000_sub_1Qw2e3R4t5Y6u7I8"),
    ),
    responses((status = 200, description = "A page of subscriptions.", body = AllSubscriptions), CallerProblems, Problem503),
    security(("token" = []), ("apiKey" = [])),
)]
#[get("/admin/subscriptions")]
pub async fn list(request: HttpRequest, state: State) -> Result<Json<AllSubscriptions>, ApiError> {
    Admin::of_all_accounts(&request, &state).await?;
    let query: PageQuery = read_query(&request)?;
    let (time, id) = before(query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or(20);
    let app = state.app.clone();
    let read = async move { list_subscriptions::page(&app, (time, &id), limit.saturating_add(1)).await };
    let place =
        |found: &list_subscriptions::WithInvoices| (found.0.created_at, found.0.provider_subscription_id.clone());
    let (rows, next_cursor) = page(state.run(read).await??, limit, place);
    let data = rows.into_iter().map(|(row, invoices)| Subscription::of(row, &invoices)).collect::<Result<_, _>>()?;
    Ok(Json(AllSubscriptions { data, next_cursor }))
}
