//! The hosted pages of invoices and receipts over HTTP.

use actix_web::{HttpResponse, http::StatusCode, web};
use serde::Deserialize;

use super::hosted::{html, see_other};
use crate::{
    engine::Engine,
    model::{
        billing::invoice_page,
        card_entry::{CardParams, mistakes},
        confirm::Confirmed,
        error::ApiError,
        version::DEFAULT_API_VERSION,
    },
    pages::{
        card_form,
        checkout::{Form, Problems},
        invoice::{self, View},
        layout, receipt,
    },
};

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/receipts/{id}", web::get().to(show_receipt))
        .route("/i/{id}", web::get().to(show))
        .route("/i/{id}", web::post().to(pay))
        .route("/i/{id}/saved", web::post().to(pay_with_saved))
        .route("/i/{id}/pdf", web::get().to(show))
        .route("/i/{id}/challenge", web::get().to(show_challenge))
        .route("/i/{id}/challenge", web::post().to(answer));
}

fn find(engine: &Engine, id: &str) -> Option<View> {
    engine.read(DEFAULT_API_VERSION, |state, _| invoice::state_of(state, id))
}

fn unknown() -> HttpResponse {
    let page = layout::message("Page not found", "This invoice does not exist.", None);
    html(StatusCode::NOT_FOUND, &page, &[])
}

async fn show(engine: web::Data<Engine>, id: web::Path<String>) -> HttpResponse {
    match find(&engine, &id) {
        Some(view) => html(StatusCode::OK, &invoice::page(&view, &Form::default(), &Problems::default()), &[]),
        None => unknown(),
    }
}

async fn show_receipt(engine: web::Data<Engine>, id: web::Path<String>) -> HttpResponse {
    if let Some(view) = engine.read(DEFAULT_API_VERSION, |state, _| receipt::state_of(state, &id)) {
        html(StatusCode::OK, &receipt::page(&view), &[])
    } else {
        let page = layout::message("Page not found", "There is no such receipt.", None);
        html(StatusCode::NOT_FOUND, &page, &[])
    }
}

/// The mistakes of a card form, by field.
pub(super) fn problems(form: &Form, typed: Option<&CardParams>, now: i64) -> Problems {
    let mut problems = form.incomplete(false);
    for mistake in typed.map(|typed| mistakes(typed, now)).unwrap_or_default() {
        let place = match mistake.param {
            "number" => &mut problems.card_number,
            "cvc" => &mut problems.cvc,
            _ => &mut problems.exp,
        };
        place.get_or_insert_with(|| mistake.message.to_owned());
    }
    problems
}

async fn pay(engine: web::Data<Engine>, id: web::Path<String>, form: web::Form<Form>) -> HttpResponse {
    let form = form.into_inner();
    let Some(view) = find(&engine, &id) else { return unknown() };
    let typed = form.card();
    let problems = problems(&form, typed.as_ref(), engine.now_ms().div_euclid(1_000));
    let Some(typed) = typed.filter(|_| problems.is_empty()) else {
        return html(StatusCode::BAD_REQUEST, &invoice::page(&view, &form, &problems), &[]);
    };
    attempt(&engine, &id, Some(&typed), &form).await
}

async fn pay_with_saved(engine: web::Data<Engine>, id: web::Path<String>) -> HttpResponse {
    attempt(&engine, &id, None, &Form::default()).await
}

async fn attempt(engine: &Engine, id: &str, typed: Option<&CardParams>, form: &Form) -> HttpResponse {
    let (result, version) =
        engine.run(None, DEFAULT_API_VERSION, |state, context| invoice_page::pay(state, context, id, typed));
    engine.saved(version).await;
    after(engine, id, result, form)
}

fn after(engine: &Engine, id: &str, result: Result<Confirmed, ApiError>, form: &Form) -> HttpResponse {
    match result {
        Ok(Confirmed::Complete) => see_other(&format!("/i/{id}")),
        Ok(Confirmed::NeedsAction) => see_other(&format!("/i/{id}/challenge")),
        Err(error) => match find(engine, id) {
            Some(view) if view.is_payable() => {
                let page = invoice::page(&view, form, &Problems::top(error.message));
                html(StatusCode::PAYMENT_REQUIRED, &page, &[])
            }
            // Paid in another tab.
            Some(_) => see_other(&format!("/i/{id}")),
            None => unknown(),
        },
    }
}

async fn show_challenge(engine: web::Data<Engine>, id: web::Path<String>) -> HttpResponse {
    let is_waiting = engine.read(DEFAULT_API_VERSION, |state, _| invoice_page::is_waiting(state, &id));
    match find(&engine, &id) {
        Some(view) if is_waiting => {
            let what = format!("a payment of {}", view.remaining());
            html(StatusCode::OK, &card_form::challenge(&format!("/i/{id}/challenge"), &what), &[])
        }
        Some(_) => see_other(&format!("/i/{id}")),
        None => unknown(),
    }
}

#[derive(Debug, Deserialize)]
struct Answer {
    outcome: String,
}

async fn answer(engine: web::Data<Engine>, id: web::Path<String>, form: web::Form<Answer>) -> HttpResponse {
    let passed = form.outcome == "complete";
    let (result, version) =
        engine.run(None, DEFAULT_API_VERSION, |state, context| invoice_page::answer(state, context, &id, passed));
    engine.saved(version).await;
    after(&engine, &id, result.map(|()| Confirmed::Complete), &Form::default())
}
