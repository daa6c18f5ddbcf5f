//! Forms and queries of the console.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Payload;

use crate::domain::account::AccountId;
use crate::domain::ids::{ChangeId, TopupId};
use crate::http::kit::body::read_bytes;
use crate::http::kit::fields::account_id;
use crate::http::kit::problem::ApiError;
use crate::inbox::failed_deliveries::is_close_reason;

/// The largest form, in bytes.
const MAX_FORM_BYTES: usize = 16 * 1024;
/// The longest value of a field.
const MAX_VALUE_CHARACTERS: usize = 2_000;

/// The fields of a form or of a query, as text.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads the query.
    pub(super) fn of_query(request: &HttpRequest) -> Result<Self, ApiError> {
        Self::parse(request.query_string().as_bytes())
    }

    /// Reads the body, which must be a form's.
    pub(super) async fn of_body(request: &HttpRequest, payload: Payload) -> Result<Self, ApiError> {
        let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            let detail = "this takes the console's own forms";
            return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail));
        }
        Self::parse(&read_bytes(request, payload, MAX_FORM_BYTES).await?)
    }

    fn parse(text: &[u8]) -> Result<Self, ApiError> {
        let mut fields = Vec::new();
        for (name, value) in url::form_urlencoded::parse(text) {
            let value = value.trim();
            // PostgreSQL accepts no text with a zero byte; the others belong into no field of these forms.
            if value.chars().any(char::is_control) || value.chars().count() > MAX_VALUE_CHARACTERS {
                return Err(ApiError::field(&name, "invalid", "has unprintable characters, or too many"));
            }
            fields.push((name.into_owned(), value.to_owned()));
        }
        Ok(Self(fields))
    }

    /// A field's value; empty if it is missing.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value)
    }

    /// A field's value, unless it is empty or missing.
    pub(super) fn optional(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|value| !value.is_empty())
    }

    /// All values of a field.
    pub(super) fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.0.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// The id of the form, by which sending it twice makes one change.
    pub(super) fn change(&self) -> Result<ChangeId, ApiError> {
        ChangeId::parse(self.text("change"))
            .map_err(|_| ApiError::field("change", "invalid", "open the form once more"))
    }

    /// The account that it is about.
    pub(super) fn account(&self) -> Result<AccountId, ApiError> {
        account_id(self.text("id"))
    }

    /// The reason, which is kept for the record.
    pub(super) fn reason(&self) -> Result<String, ApiError> {
        let reason = self.text("reason");
        if is_close_reason(reason) {
            return Ok(reason.to_owned());
        }
        Err(ApiError::field("reason", "invalid_reason", "say why, in 1 to 500 characters; it is kept for the record"))
    }

    /// A whole number, if the field is not empty.
    pub(super) fn number(&self, name: &str) -> Result<Option<i64>, ApiError> {
        let parse = |text: &str| text.replace([',', ' '], "").parse::<i64>();
        let number = self.optional(name).map(parse).transpose();
        number.map_err(|_| ApiError::field(name, "invalid_number", "must be a whole number"))
    }

    /// A cursor of time and id, as the previous page gave it.
    pub(super) fn before(&self) -> Result<(i64, String), ApiError> {
        crate::http::kit::paging::before(self.optional("before"))
    }
}

/// A top-up's id in a path.
pub(super) fn topup_id(text: &str) -> Result<TopupId, ApiError> {
    TopupId::parse(text).map_err(|_| ApiError::not_found("there is no such top-up"))
}

/// A path with a query of one value.
pub(super) fn with_id(path: &str, id: &str) -> String {
    let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("id", id).finish();
    format!("{path}?{query}")
}

/// The page about an account.
pub(super) fn account_path(id: &str) -> String {
    with_id("/console/account", id)
}

/// The page about a failed delivery.
pub(super) fn failure_path(id: &str) -> String {
    with_id("/console/failure", id)
}

/// The page about a top-up.
pub(super) fn topup_path(id: &str) -> String {
    format!("/console/topups/{id}")
}

/// The same page, which then tells how a change ended.
pub(super) fn after(path: &str, change: &ChangeId) -> String {
    let separator = if path.contains('?') { '&' } else { '?' };
    format!("{path}{separator}change={change}")
}
