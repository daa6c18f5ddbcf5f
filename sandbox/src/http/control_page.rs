//! The forms of the pages. Each does what the JSON control of the same path does, then leads back to its page.

use actix_web::{HttpResponse, http::StatusCode, web};
use serde_json::Value;

use super::{
    form_body,
    hosted::{self, see_other},
    site,
};
use crate::{
    controls,
    engine::Engine,
    pages::{control_forms::FORMS, notices, view::Asked},
};

/// Where a form leads that does not say where it stands.
const CONTROLS: &str = "/_sandbox";

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.route(&format!("{FORMS}/{{path:.*}}"), web::post().to(submit));
}

async fn submit(
    engine: web::Data<Engine>,
    path: web::Path<String>,
    form: web::Form<Vec<(String, String)>>,
) -> HttpResponse {
    let mut fields = form.into_inner();
    let back = fields.iter().find(|(name, _)| name == "back").and_then(|(_, back)| Asked::parse(back));
    let back = back.unwrap_or_else(|| Asked::new(CONTROLS, ""));
    fields.retain(|(name, _)| name != "back");
    let done = match form_body::read(&engine, &path, &fields) {
        Ok(body) => controls::carry_out(&engine, &path, &body).await,
        Err(mistake) => Err(mistake),
    };
    match done {
        Ok(made) => {
            let made = made.get("id").and_then(Value::as_str).unwrap_or_default();
            let done = [("done", notices::key(&path)), ("of", made)];
            see_other(&format!("{}#main", back.with(&done)))
        }
        Err(error) => {
            let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
            match site::render(&engine, &back, status, Some(&error.message)) {
                Some(answer) => answer,
                None => hosted::not_found().await,
            }
        }
    }
}
