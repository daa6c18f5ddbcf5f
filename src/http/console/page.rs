//! The frame of every page, and how errors look.
//!
//! Pages allow nothing from elsewhere and nothing inline: styles and the one script are files of this service.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, LOCATION, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use maud::{DOCTYPE, Markup, html};

use crate::http::kit::problem::ApiError;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect \
    width='16' height='16' rx='4' fill='%230b6b4b'/%3E%3Cpath d='M8 4v8M4 8h8' stroke='white' stroke-width='2' \
    stroke-linecap='round'/%3E%3C/svg%3E";

/// Answers with a page.
pub(super) fn answer(status: StatusCode, markup: Markup) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header(("x-robots-tag", "noindex"))
        .content_type("text/html; charset=utf-8")
        .body(markup.into_string())
}

/// Leads to another page after a form was sent.
pub(super) fn see_other(path: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, path)).finish()
}

/// The outermost frame.
pub(super) fn document(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (title) " · Topup console" }
                link rel="icon" href=(ICON);
                link rel="stylesheet" href="/console/assets/console.css";
                script src="/console/assets/console.js" defer {}
            }
            body { (body) }
        }
    }
}

/// A page without navigation, for people who are not signed in.
pub(super) fn plain(title: &str, content: &Markup) -> Markup {
    document(
        title,
        &html! {
            main.narrow #main {
                p.brand { span.mark aria-hidden="true" { "+" } "Topup console" }
                (content)
            }
        },
    )
}

/// Why a page cannot be shown.
#[derive(Debug)]
pub(super) enum PageError {
    /// Nobody is signed in; afterwards this path is shown.
    SignIn(String),
    /// An error of the API.
    Api(ApiError),
}

impl fmt::Display for PageError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SignIn(_) => formatter.write_str("not signed in"),
            Self::Api(error) => error.fmt(formatter),
        }
    }
}

impl From<ApiError> for PageError {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

/// The answer of every page.
pub(super) type Page = Result<HttpResponse, PageError>;

/// A sentence with a capital letter and a full stop.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let text: String = letters
        .next()
        .map(|first| first.to_uppercase().to_string())
        .into_iter()
        .chain(letters.map(String::from))
        .collect();
    if text.ends_with(['.', '!', '?']) { text } else { format!("{text}.") }
}

/// What is wrong, as people read it: without the names of fields, which stand in the form.
pub(super) fn explained(error: &ApiError) -> String {
    let problem = error.problem();
    if problem.errors.is_empty() {
        return sentence(&problem.detail);
    }
    problem.errors.iter().map(|error| sentence(&error.message)).collect::<Vec<_>>().join(" ")
}

/// Gives a page the `Retry-After` of its error, if that has one.
pub(super) fn say_when_to_retry(response: &mut HttpResponse, error: &ApiError) {
    if let Some(value) = error.error_response().headers().get(RETRY_AFTER) {
        response.headers_mut().insert(RETRY_AFTER, value.clone());
    }
}

impl ResponseError for PageError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::SignIn(_) => StatusCode::SEE_OTHER,
            Self::Api(error) => error.status_code(),
        }
    }

    fn error_response(&self) -> HttpResponse {
        let error = match self {
            Self::SignIn(next) => {
                let query: String =
                    url::form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
                return see_other(&format!("/console/sign-in?{query}"));
            }
            Self::Api(error) => error,
        };
        let problem = error.problem();
        let title = match error.status_code() {
            StatusCode::NOT_FOUND => "Not found",
            StatusCode::FORBIDDEN => "Not allowed",
            StatusCode::CONFLICT => "Not possible",
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => "Please check the form",
            _ => "That did not work",
        };
        let content = html! {
            h1 { (title) }
            p.alert role="alert" { (explained(error)) }
            p.soft { "Code " code { (problem.code) } }
            p { a.button href="/console" { "To the overview" } }
        };
        let mut response = answer(error.status_code(), plain(title, &content));
        say_when_to_retry(&mut response, error);
        response
    }
}
