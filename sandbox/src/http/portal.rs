//! The customer portal over HTTP: forms in, pages and redirects out. The model decides what happens.

use actix_web::{HttpResponse, http::StatusCode, web};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{
    hosted::{html, see_other},
    invoice::problems,
};
use crate::{
    engine::Engine,
    model::{
        billing::portal_actions::{self, Action},
        error::ApiError,
        version::DEFAULT_API_VERSION,
    },
    pages::{
        checkout::{Form, Problems},
        layout,
        portal::{self, View},
    },
};

/// A link to the portal works for an hour.
const LIFETIME: i64 = 60 * 60;

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/p/session/{id}", web::get().to(show))
        .route("/p/session/{id}/cancel/{subscription}", web::get().to(ask_to_cancel))
        .route("/p/session/{id}/cancel", web::post().to(cancel))
        .route("/p/session/{id}/resume", web::post().to(resume))
        .route("/p/session/{id}/plan", web::post().to(change_plan))
        .route("/p/session/{id}/card", web::post().to(replace_card));
}

/// A session whose link is still good.
#[expect(clippy::result_large_err, reason = "the answer is given at once")]
fn find(engine: &Engine, id: &str) -> Result<View, HttpResponse> {
    let now = engine.now_ms().div_euclid(1_000);
    let view = engine.read(DEFAULT_API_VERSION, |state, _| portal::state_of(state, id));
    let refuse = |text: &str| html(StatusCode::NOT_FOUND, &layout::message("Page not found", text, None), &[]);
    match view {
        Some(view) if now.saturating_sub(view.session.created) <= LIFETIME => Ok(view),
        Some(_) => Err(refuse("This link has expired. Open the portal from the shop again.")),
        None => Err(refuse("This portal does not exist.")),
    }
}

/// The origin to which a form may lead.
fn back(view: &View) -> Vec<String> {
    let url = view.session.return_url.as_deref().and_then(|url| Url::parse(url).ok());
    url.map(|url| url.origin().ascii_serialization()).into_iter().collect()
}

fn home(view: &View, status: StatusCode, form: &Form, problems: &Problems) -> HttpResponse {
    html(status, &portal::page(view, form, problems), &back(view))
}

async fn show(engine: web::Data<Engine>, id: web::Path<String>) -> HttpResponse {
    let view = match find(&engine, &id) {
        Ok(view) => view,
        Err(refusal) => return refusal,
    };
    match flow_page(&view) {
        Some(page) => html(StatusCode::OK, &page, &back(&view)),
        None => home(&view, StatusCode::OK, &Form::default(), &Problems::default()),
    }
}

/// The page of a flow that leads straight to one action.
fn flow_page(view: &View) -> Option<maud::Markup> {
    let flow = view.session.flow.as_ref()?;
    let kind = flow.get("type")?.as_str()?;
    let of = flow.get(kind)?;
    let subscription = of.get("subscription")?.as_str()?;
    match kind {
        "subscription_cancel" => portal::confirm_cancel(view, subscription),
        "subscription_update_confirm" => {
            portal::confirm_change(view, subscription, of.pointer("/items/0/price")?.as_str()?)
        }
        _ => None,
    }
}

async fn ask_to_cancel(engine: web::Data<Engine>, path: web::Path<(String, String)>) -> HttpResponse {
    let (id, subscription) = path.into_inner();
    match find(&engine, &id) {
        Err(refusal) => refusal,
        Ok(view) => match portal::confirm_cancel(&view, &subscription) {
            Some(page) => html(StatusCode::OK, &page, &back(&view)),
            None => see_other(&format!("/p/session/{id}")),
        },
    }
}

#[derive(Debug, Deserialize)]
struct Chosen {
    subscription: String,
    #[serde(default)]
    price: String,
    #[serde(default)]
    feedback: String,
}

async fn cancel(engine: web::Data<Engine>, id: web::Path<String>, form: web::Form<Chosen>) -> HttpResponse {
    let chosen = form.into_inner();
    let feedback = Some(chosen.feedback).filter(|feedback| !feedback.is_empty());
    act(&engine, &id, Action::Cancel(chosen.subscription, feedback)).await
}

async fn resume(engine: web::Data<Engine>, id: web::Path<String>, form: web::Form<Chosen>) -> HttpResponse {
    act(&engine, &id, Action::Resume(form.into_inner().subscription)).await
}

async fn change_plan(engine: web::Data<Engine>, id: web::Path<String>, form: web::Form<Chosen>) -> HttpResponse {
    let chosen = form.into_inner();
    act(&engine, &id, Action::ChangePlan(chosen.subscription, chosen.price)).await
}

async fn act(engine: &Engine, id: &str, action: Action) -> HttpResponse {
    let view = match find(engine, id) {
        Ok(view) => view,
        Err(refusal) => return refusal,
    };
    let (result, version) =
        engine.run(None, DEFAULT_API_VERSION, |state, context| portal_actions::carry_out(state, context, id, &action));
    engine.saved(version).await;
    after(engine, &view, result, &Form::default())
}

/// Back to the portal, or where the flow leads after its action.
fn after(engine: &Engine, view: &View, result: Result<(), ApiError>, form: &Form) -> HttpResponse {
    let id = &view.session.id;
    match result {
        Ok(()) => {
            let flow = view.session.flow.as_ref();
            let onward = flow.and_then(|flow| flow.pointer("/after_completion/redirect/return_url"));
            let onward = onward.and_then(Value::as_str).map(str::to_owned);
            let done = flow.is_some().then(|| view.session.return_url.clone()).flatten();
            see_other(&onward.or(done).unwrap_or_else(|| format!("/p/session/{id}")))
        }
        Err(error) => match find(engine, id) {
            Ok(view) => home(&view, StatusCode::BAD_REQUEST, form, &Problems::top(error.message)),
            Err(refusal) => refusal,
        },
    }
}

async fn replace_card(engine: web::Data<Engine>, id: web::Path<String>, form: web::Form<Form>) -> HttpResponse {
    let form = form.into_inner();
    let view = match find(&engine, &id) {
        Ok(view) => view,
        Err(refusal) => return refusal,
    };
    let typed = form.card();
    let problems = problems(&form, typed.as_ref(), engine.now_ms().div_euclid(1_000));
    let Some(typed) = typed.filter(|_| problems.is_empty()) else {
        return home(&view, StatusCode::BAD_REQUEST, &form, &problems);
    };
    let (result, version) = engine
        .run(None, DEFAULT_API_VERSION, |state, context| portal_actions::replace_card(state, context, &id, &typed));
    engine.saved(version).await;
    after(&engine, &view, result, &form)
}
