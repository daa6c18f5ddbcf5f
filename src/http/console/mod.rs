//! The operator's console: pages rendered here, forms, one style sheet and a little script.
//!
//! Invariants: a page needs a session, and a form its session's token. Pages that change something ask first and say
//! what will happen. Nothing is loaded from elsewhere.

mod account;
mod account_actions;
mod auto_topup;
mod chart;
mod disputes;
mod failures;
mod form;
mod fraud;
mod keys;
mod layout;
mod log_page;
mod month_report;
mod overview_page;
mod page;
mod parts;
mod plans;
mod reconciliations;
mod refund;
mod search;
pub(crate) mod session;
mod settings_page;
pub(crate) mod sign_in;
mod subscriptions;
mod timeline;
mod topups;

use std::future::{Ready, ready};

use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use actix_web::web::{Bytes, ServiceConfig, get, post, scope};
use actix_web::{HttpResponse, Route};

use crate::http::console::page::{Page, see_other};
use crate::http::kit::problem::ApiError;
use crate::http::kit::static_file::file;

const STYLE: &[u8] = include_bytes!("console.css");
const SCRIPT: &[u8] = include_bytes!("console.js");

/// Adds the console's routes.
pub fn routes(config: &mut ServiceConfig) {
    config.route("/console", get().to(overview_page::show)).service(
        scope("/console")
            .route("/", get().to(home))
            .route("/assets/console.css", asset("text/css; charset=utf-8", STYLE))
            .route("/assets/console.js", asset("text/javascript; charset=utf-8", SCRIPT))
            .route("/sign-in", get().to(sign_in::show))
            .route("/sign-in", post().to(sign_in::sign_in))
            .route("/sign-out", post().to(sign_in::sign_out))
            .route("/search", get().to(search::search))
            .route("/account", get().to(account::read))
            .route("/account/adjust", get().to(account_actions::show_adjustment))
            .route("/account/adjust", post().to(account_actions::adjust))
            .route("/account/block", get().to(account_actions::show_block))
            .route("/account/block", post().to(account_actions::block))
            .route("/topups", get().to(topups::list))
            .route("/topups/{id}", get().to(topups::read))
            .route("/topups/{id}/check", post().to(topups::check))
            .route("/topups/{id}/receipt", get().to(topups::receipt))
            .route("/topups/{id}/refund", get().to(refund::show))
            .route("/topups/{id}/refund", post().to(refund::create))
            .route("/failures", get().to(failures::list))
            .route("/failure", get().to(failures::read))
            .route("/failure/replay", post().to(failures::replay))
            .route("/failure/close", post().to(failures::close))
            .route("/plans", get().to(plans::list))
            .route("/subscriptions", get().to(subscriptions::list))
            .route("/subscriptions/{id}", get().to(subscriptions::read))
            .route("/disputes", get().to(disputes::list))
            .route("/disputes/{id}/evidence", get().to(disputes::evidence))
            .route("/report", get().to(month_report::download))
            .route("/reconciliations", get().to(reconciliations::list))
            .route("/reconciliations", post().to(reconciliations::start))
            .route("/reconciliation", get().to(reconciliations::read))
            .route("/log", get().to(log_page::list))
            .route("/keys", get().to(keys::list))
            .route("/keys", post().to(keys::create))
            .route("/keys/revoke", get().to(keys::show_revoke))
            .route("/keys/revoke", post().to(keys::revoke))
            .route("/settings", get().to(settings_page::show))
            .default_service(get().to(nothing)),
    );
}

fn home() -> Ready<Page> {
    ready(Ok(see_other("/console")))
}

fn nothing() -> Ready<Page> {
    ready(Err(ApiError::not_found("there is no such page in the console").into()))
}

fn asset(media_type: &'static str, content: &'static [u8]) -> Route {
    get().to(move || {
        let mut response = HttpResponse::Ok();
        response.insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'"));
        // It belongs to the version that runs, so it is asked for again with each page.
        response.insert_header((CACHE_CONTROL, "no-store"));
        ready(file(response, media_type, Bytes::from_static(content)))
    })
}
