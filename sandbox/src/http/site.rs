//! The pages of the site over HTTP, with the script and the news that refresh them.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web,
};
use serde::Deserialize;
use serde_json::json;

use super::hosted;
use crate::{
    engine::{Core, Engine},
    model::version::DEFAULT_API_VERSION,
    pages::{
        layout::{SCRIPT, SCRIPT_PATH},
        site::{self, PATHS},
        view::Asked,
    },
};

/// How long a page waits for the deliveries that a form caused.
const DELIVERED_WAIT: Duration = Duration::from_secs(1);
/// How long a request for news waits for some.
const NEWS_WAIT: Duration = Duration::from_secs(20);
/// The site's script asks for news and for the page; nothing else is allowed.
const ALLOWED: &str = "script-src 'self'; connect-src 'self'; form-action 'self'";

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    for path in PATHS {
        config.route(path, web::get().to(show));
    }
    config.route(SCRIPT_PATH, web::get().to(script)).route("/_sandbox/changes", web::get().to(changes));
}

/// Renders a page. After a form it waits a moment, so that it shows the deliveries that the form caused.
async fn show(engine: web::Data<Engine>, request: HttpRequest) -> HttpResponse {
    let asked = Asked::new(request.path(), request.query_string());
    if asked.get("done").is_some() {
        engine.wait_until(DELIVERED_WAIT, |core: &mut Core| !core.is_delivering()).await;
    }
    match render(&engine, &asked, StatusCode::OK, None) {
        Some(answer) => answer,
        None => hosted::not_found().await,
    }
}

/// A page of the site; `None` if there is none.
pub(super) fn render(
    engine: &Engine,
    asked: &Asked,
    status: StatusCode,
    mistake: Option<&str>,
) -> Option<HttpResponse> {
    // What is due has happened before the page is read, and news after this number are asked for.
    engine.read(DEFAULT_API_VERSION, |_, _| ());
    let changes = engine.changes();
    let page = engine.with(|core| site::page(core, engine.base_url(), changes, asked, mistake));
    page.map(|page| hosted::answer(status, &page, ALLOWED))
}

async fn script() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/javascript; charset=utf-8")
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .body(SCRIPT)
}

#[derive(Debug, Deserialize)]
struct Seen {
    since: u64,
}

/// Answers with the number of changes once it is another than `since`, or after a while.
async fn changes(engine: web::Data<Engine>, seen: web::Query<Seen>) -> HttpResponse {
    let changes = engine.change_after(seen.since, NEWS_WAIT).await;
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(json!({ "changes": changes }))
}
