//! The API's documentation, generated from the routes, and the pages that show it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::web::Bytes;
use actix_web::{App, HttpResponse, guard, web};
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_actix_web::AppExt;
use utoipa_swagger_ui::Config;

use crate::http::kit::problem::{ApiError, Problem};
use crate::http::kit::static_file::file;
use crate::http::routes::routes;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Topup",
        description = "Sells prepaid credits through Stripe Checkout and keeps a ledger of each account's \
            credits.\n\nAmounts are integers in minor units of the currency, such as cents. Times are RFC 3339 in UTC. \
            Errors are RFC 9457 problems with a stable `code`.",
        contact(name = "The maintainers of Topup"),
    ),
    servers((url = "http://127.0.0.1:8080", description = "Default address of the service")),
    components(schemas(Problem)),
    modifiers(&Credentials),
    tags(
        (name = "checkout", description = "Quotes and checkouts"),
        (name = "subscriptions", description = "Plans, subscriptions, what they entitle to, and the portal"),
        (name = "cards", description = "Saved cards, and auto top-up: credits bought by themselves when they run low"),
        (name = "credits", description = "Balances, the ledger behind them, and the grants that hold the credits"),
        (name = "spending", description = "For servers: debits, holds, and refunds of what was spent"),
        (name = "admin", description = "For operators: top-ups, refunds, adjustments and promotions"),
        (name = "webhooks", description = "Events from Stripe, and deliveries that failed"),
        (name = "messages", description = "Messages to your server: endpoints, deliveries, and when a balance is low"),
        (name = "reconciliation", description = "Comparing Topup's records with Stripe's; adopting missing top-ups"),
        (name = "health", description = "Health checks for load balancers and orchestrators"),
    ),
)]
struct Frame;

struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut Document) {
        let token = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("A JWT from your own login; its subject is the account."))
            .build();
        let key = ApiKeyValue::with_description("x-api-key", "An API key for your server, from `topup keys create`.");
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(token));
        components.add_security_scheme("apiKey", SecurityScheme::ApiKey(ApiKey::Header(key)));
    }
}

/// The document without the routes, which are added to it.
#[must_use]
pub fn frame() -> Document {
    Frame::openapi()
}

/// The complete document.
#[must_use]
pub fn document() -> Document {
    App::new().into_utoipa_app().openapi(frame()).configure(routes).split_for_parts().1
}

/// The document as checked in: indented, with a line break at the end.
///
/// # Errors
/// Never in practice: the document is plain data.
pub fn document_json() -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&document()).map(|json| json + "\n")
}

/// Serves the document and the pages that show it, all from this binary.
pub fn documentation_routes(config: &mut web::ServiceConfig, documentation: &web::Data<Documentation>) {
    // A guard, so that other methods get the same answer as on every other path.
    let get = |path: &str| web::resource(path.to_owned()).guard(guard::Get());
    let redirect = || async { HttpResponse::Found().insert_header(("location", "/docs/")).finish() };
    config
        .app_data(documentation.clone())
        .service(get("/openapi.json").to(read_document))
        .service(get("/docs").to(redirect))
        .service(get("/docs/{file:.*}").to(read_page));
}

async fn read_document(documentation: web::Data<Documentation>) -> HttpResponse {
    file(HttpResponse::Ok(), "application/json", documentation.json.clone())
}

async fn read_page(name: web::Path<String>, documentation: web::Data<Documentation>) -> Result<HttpResponse, ApiError> {
    let page = documentation.page(&name).ok_or_else(|| ApiError::not_found("there is no such page; see /docs"))?;
    let mut response = HttpResponse::Ok();
    if page.is_gzipped {
        response.insert_header(actix_web::http::header::ContentEncoding::Gzip);
    }
    Ok(file(response, &page.media_type, page.bytes))
}

/// The document and the pages that show it, each in memory once for all connections.
pub struct Documentation {
    json: Bytes,
    config: Arc<Config<'static>>,
    /// The pages requested so far. Their number is limited by the files in the binary.
    pages: Mutex<HashMap<String, Page>>,
}

#[derive(Clone)]
struct Page {
    media_type: String,
    is_gzipped: bool,
    bytes: Bytes,
}

impl Documentation {
    /// Creates the documentation from this document.
    #[must_use]
    pub fn new(document: &Document) -> Self {
        let json = Bytes::from(serde_json::to_string(document).unwrap_or_default());
        // Keep Swagger UI from sending the document to an online validator: nothing leaves this machine.
        let config = Arc::new(Config::from("/openapi.json").validator_url("none"));
        Self { json, config, pages: Mutex::default() }
    }

    fn page(&self, name: &str) -> Option<Page> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(page) = pages.get(name) {
            return Some(page.clone());
        }
        let found = utoipa_swagger_ui::serve(name, self.config.clone()).ok().flatten()?;
        let bytes = Bytes::from(found.bytes.into_owned());
        let page = Page { media_type: found.content_type, is_gzipped: found.gzpipped, bytes };
        pages.insert(name.to_owned(), page.clone());
        Some(page)
    }
}
