//! The hosted checkout page over HTTP: forms in, pages and redirects out. The model decides what happens.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
    web,
};
use maud::Markup;
use serde::Deserialize;
use url::Url;

use crate::{
    engine::Engine,
    model::{
        confirm::Confirmed,
        email::is_email,
        error::ApiError,
        methods,
        pages_api::{self, CardParams},
        payment::{IntentStatus, PaymentMethod},
        sepa,
        session::{self, Session, SessionStatus},
        session_confirm,
        setup_intent::SetupStatus,
        version::DEFAULT_API_VERSION,
    },
    pages::{
        bank_debit::DebitForm,
        checkout::{self, Form, Problems, Typed},
        layout,
        saved_cards::SavedCard,
    },
};

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/c/pay/{id}", web::get().to(show))
        .route("/c/pay/{id}", web::post().to(pay))
        .route("/c/pay/{id}/saved", web::get().to(show))
        .route("/c/pay/{id}/saved", web::post().to(pay_saved))
        .route("/c/pay/{id}/debit", web::get().to(show))
        .route("/c/pay/{id}/debit", web::post().to(debit))
        .route("/c/pay/{id}/challenge", web::get().to(show_challenge))
        .route("/c/pay/{id}/challenge", web::post().to(answer_challenge))
        .route("/c/pay/{id}/done", web::get().to(done));
}

pub(crate) async fn not_found() -> HttpResponse {
    let page = layout::message("Not found", "There is no such page in this sandbox.", Some(("/", "To the overview")));
    html(StatusCode::NOT_FOUND, &page, &[])
}

fn find(engine: &Engine, id: &str) -> Option<(Session, bool)> {
    engine.read(DEFAULT_API_VERSION, |state, _| {
        let session = state.sessions.get(id)?.clone();
        let waiting = session
            .payment_intent
            .as_deref()
            .and_then(|intent| state.payment_intents.get(intent))
            .is_some_and(|intent| intent.status == IntentStatus::RequiresAction);
        let setup = session.setup_intent.as_deref().and_then(|intent| state.setup_intents.get(intent));
        let waiting = waiting || setup.is_some_and(|intent| intent.status == SetupStatus::RequiresAction);
        Some((session, waiting))
    })
}

async fn show(engine: web::Data<Engine>, id: web::Path<String>) -> HttpResponse {
    match find(&engine, &id) {
        Some((session, _)) if session.is_open() => checkout_page(&engine, StatusCode::OK, &session, Typed::default()),
        Some((session, _)) => ended(&session),
        None => unknown(),
    }
}

fn checkout_page(engine: &Engine, status: StatusCode, session: &Session, typed: Typed) -> HttpResponse {
    let saved = engine
        .read(DEFAULT_API_VERSION, |state, _| methods::shown_to(state, session).filter_map(SavedCard::of).collect());
    html(status, &checkout::page(session, &Typed { saved, ..typed }), &destinations(session))
}

fn unknown() -> HttpResponse {
    let page = layout::message("Page not found", "This checkout does not exist.", None);
    html(StatusCode::NOT_FOUND, &page, &[])
}

/// The page of an ended session, with a link back to the shop.
fn ended(session: &Session) -> HttpResponse {
    let (title, text) = match session.status {
        SessionStatus::Complete => ("You're all done here", "This checkout is complete. You cannot pay again."),
        _ => ("This checkout has expired", "It took too long or was closed, and nothing was charged."),
    };
    let back = match session.status {
        SessionStatus::Complete => Some(session.final_url()),
        _ => session.cancel_url.clone(),
    };
    html(
        StatusCode::OK,
        &layout::message(title, text, back.as_deref().map(|url| (url, "Go back to the shop"))),
        &destinations(session),
    )
}

/// Submits the card form. Submitting it again after a payment shows the same result and charges nothing.
async fn pay(engine: web::Data<Engine>, id: web::Path<String>, form: web::Form<Form>) -> HttpResponse {
    let form = form.into_inner();
    let Some((session, _)) = find(&engine, &id) else {
        return unknown();
    };
    match session.status {
        SessionStatus::Open => {}
        SessionStatus::Complete => return see_other(&format!("/c/pay/{}/done", session.id)),
        SessionStatus::Expired => return ended(&session),
    }
    let typed = form.card();
    let now = engine.now_ms().div_euclid(1_000);
    let problems = problems(&session, &form, typed.as_ref(), now);
    let Some(typed) = typed.filter(|_| problems.is_empty()) else {
        let typed = Typed { card: form, problems, ..Typed::default() };
        return checkout_page(&engine, StatusCode::BAD_REQUEST, &session, typed);
    };
    let email = session.customer_email.clone().unwrap_or_else(|| form.email.trim().to_owned());
    let name = Some(form.name.trim().to_owned()).filter(|name| !name.is_empty());
    let (result, version) = engine.run(None, DEFAULT_API_VERSION, |state, context| {
        let method = pages_api::from_card(&typed, context)?;
        let method = PaymentMethod { email: Some(email), name, to_save: form.save == "true", ..method };
        session_confirm::keep_tax_id(state, &id, &form.tax_id);
        session_confirm::confirm(state, context, &id, method)
    });
    engine.saved(version).await;
    after_attempt(&engine, &id, result, form)
}

#[derive(Debug, Deserialize)]
struct SavedForm {
    payment_method: String,
}

/// Pays with a saved card, which must be one that the page shows.
async fn pay_saved(engine: web::Data<Engine>, id: web::Path<String>, form: web::Form<SavedForm>) -> HttpResponse {
    let (result, version) = engine.run(None, DEFAULT_API_VERSION, |state, context| {
        let session = session::find(state, &id)?;
        let shown = methods::shown_to(state, session).find(|method| method.id == form.payment_method).cloned();
        let method =
            shown.ok_or_else(|| ApiError::not_found("PaymentMethod", &form.payment_method, "payment_method"))?;
        session_confirm::confirm(state, context, &id, method)
    });
    engine.saved(version).await;
    after_attempt(&engine, &id, result, Form::default())
}

/// Submits the SEPA debit form.
async fn debit(engine: web::Data<Engine>, id: web::Path<String>, form: web::Form<DebitForm>) -> HttpResponse {
    let form = form.into_inner();
    let Some((session, _)) = find(&engine, &id) else {
        return unknown();
    };
    if session.is_open() {
        let problems = form.problems(session.customer_email.is_none());
        if !problems.is_empty() {
            let typed = Typed { debit: form, debit_problems: problems, ..Typed::default() };
            return checkout_page(&engine, StatusCode::BAD_REQUEST, &session, typed);
        }
    }
    let email = session.customer_email.clone().unwrap_or_else(|| form.debit_email.trim().to_owned());
    let name = form.debit_name.trim().to_owned();
    let (result, version) = engine.run(None, DEFAULT_API_VERSION, |state, context| {
        sepa::check_offered(&session)?;
        let method = sepa::from_iban(&form.iban, context)?;
        let method = PaymentMethod { email: Some(email), name: Some(name), ..method };
        session_confirm::confirm(state, context, &id, method)
    });
    engine.saved(version).await;
    after_attempt(&engine, &id, result, Form::default())
}

fn problems(session: &Session, form: &Form, typed: Option<&CardParams>, now: i64) -> Problems {
    let mut problems = form.incomplete(session.customer_email.is_none());
    if session.customer_email.is_none() && problems.email.is_none() && !is_email(form.email.trim()) {
        problems.email = Some("Your email is invalid.".to_owned());
    }
    for mistake in typed.map(|typed| pages_api::mistakes(typed, now)).unwrap_or_default() {
        let place = match mistake.param {
            "number" => &mut problems.card_number,
            "cvc" => &mut problems.cvc,
            _ => &mut problems.exp,
        };
        place.get_or_insert_with(|| mistake.message.to_owned());
    }
    problems
}

fn after_attempt(engine: &Engine, id: &str, result: Result<Confirmed, ApiError>, form: Form) -> HttpResponse {
    match result {
        Ok(Confirmed::Complete) => see_other(&format!("/c/pay/{id}/done")),
        Ok(Confirmed::NeedsAction) => see_other(&format!("/c/pay/{id}/challenge")),
        Err(error) => match find(engine, id) {
            // Submitted in another tab, or twice: the first submission counts.
            Some((session, _)) if session.status == SessionStatus::Complete => see_other(&format!("/c/pay/{id}/done")),
            Some((session, _)) if session.is_open() => {
                let typed = Typed { card: form, problems: Problems::top(error.message), ..Typed::default() };
                checkout_page(engine, StatusCode::PAYMENT_REQUIRED, &session, typed)
            }
            Some((session, _)) => ended(&session),
            None => unknown(),
        },
    }
}

async fn show_challenge(engine: web::Data<Engine>, id: web::Path<String>) -> HttpResponse {
    match find(&engine, &id) {
        Some((session, true)) if session.is_open() => {
            html(StatusCode::OK, &checkout::challenge(&session), &destinations(&session))
        }
        Some(_) => see_other(&format!("/c/pay/{id}")),
        None => unknown(),
    }
}

#[derive(Debug, Deserialize)]
struct ChallengeForm {
    outcome: String,
}

async fn answer_challenge(
    engine: web::Data<Engine>,
    id: web::Path<String>,
    form: web::Form<ChallengeForm>,
) -> HttpResponse {
    let passed = form.outcome == "complete";
    let (result, version) = engine.run(None, DEFAULT_API_VERSION, |state, context| {
        session_confirm::finish_challenge(state, context, &id, passed)
    });
    engine.saved(version).await;
    after_attempt(&engine, &id, result, Form::default())
}

/// Waits until the receivers of `checkout.session.completed` have answered, or the wait times out, then redirects to
/// the shop. Endpoints that are known not to answer are skipped.
async fn done(engine: web::Data<Engine>, id: web::Path<String>) -> HttpResponse {
    let Some((session, _)) = find(&engine, &id) else {
        return unknown();
    };
    if session.status != SessionStatus::Complete {
        return see_other(&format!("/c/pay/{id}"));
    }
    if let Some(event) = &session.completed_event
        && !engine.wait_until(engine.redirect_wait, |core| core.receivers.is_heard(&core.state, event)).await
    {
        engine.with(|core| core.receivers.note_silence(&core.state, event));
    }
    see_other(&session.final_url())
}

pub(super) fn see_other(location: &str) -> HttpResponse {
    // Percent-encode a URL with characters that a header cannot carry.
    let location = if location.is_ascii() {
        location.to_owned()
    } else {
        Url::parse(location).map_or_else(|_| "/".to_owned(), String::from)
    };
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, location))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .finish()
}

/// The origins to which a form on this page may lead. Browsers apply `form-action` to redirects too.
fn destinations(session: &Session) -> Vec<String> {
    [Some(&session.success_url), session.cancel_url.as_ref()]
        .into_iter()
        .flatten()
        .filter_map(|url| Url::parse(url).ok())
        .map(|url| url.origin().ascii_serialization())
        .collect()
}

/// A page of a customer, without scripts.
pub(super) fn html(status: StatusCode, page: &Markup, form_targets: &[String]) -> HttpResponse {
    answer(status, page, &format!("form-action 'self' {}", form_targets.join(" ")))
}

/// A page with headers that forbid framing and everything from elsewhere. `allowed` is the rest of the policy.
pub(super) fn answer(status: StatusCode, page: &Markup, allowed: &str) -> HttpResponse {
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; img-src data:; {allowed}; base-uri 'none'; frame-ancestors 'none'",
        layout::style_hash(),
    );
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, policy))
        .insert_header((header::X_FRAME_OPTIONS, "DENY"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(page.clone().into_string())
}
