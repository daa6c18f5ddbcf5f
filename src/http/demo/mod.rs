//! The additions of `topup dev`: a page that sells and spends credits, and what the product's own server would do for
//! it: the token of its login, and the work that costs credits.
//!
//! Compiled only with the feature `dev` and served only on loopback. Requests with another `Host` are refused, so that
//! a web page cannot reach it under its own domain name (DNS rebinding).

mod generate;
mod gift;
mod open_console;
pub mod product;
pub mod sandbox;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_SECURITY_POLICY;
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data, Json, ServiceConfig};
use actix_web::{Error, HttpResponse, ResponseError, Route, web};
use jsonwebtoken::{EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::domain::account::AccountId;
use crate::domain::price_list::PriceList;
use crate::http::kit::host::is_loopback_host;
use crate::http::kit::problem::ApiError;
use crate::http::kit::static_file::file;
use crate::http::state::State;
use product::Topup;
use sandbox::Controls;

/// The demo customer's account.
pub const DEMO_ACCOUNT: &str = "demo-customer";
/// What the demo sells by the month, in the form of `plans.toml`.
pub const DEMO_PLANS: &str = include_str!("plans.toml");
/// The lifetime of a demo token.
const TOKEN_LIFETIME_SECONDS: i64 = 12 * 60 * 60;
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The settings of the demo.
#[derive(Clone)]
pub struct Demo {
    /// The secret that signs its customers' tokens: the service's own `JWT_SECRET`.
    pub jwt_secret: SecretString,
    /// The sandbox's address, without a slash at the end: the page links to its controls.
    pub sandbox: String,
    /// What only a sandbox can do.
    pub controls: Controls,
    /// What credits cost: the page has its limits, its unit and its decimals.
    pub pricing: PriceList,
    /// This service's API, with the key of the product's server. The page never has it.
    pub topup: Topup,
    /// The API key with which the page signs in to the console; `None` if there is no console. The page never has it.
    pub console_key: Option<SecretString>,
}

#[derive(Serialize)]
struct Claims<'c> {
    sub: &'c str,
    exp: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenRequest {
    #[serde(default)]
    account_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Token {
    token: String,
    account_id: String,
}

impl Demo {
    /// A token for an account, like the product's login would issue.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn token(&self, account: &AccountId, now_ms: i64) -> Result<String, jsonwebtoken::errors::Error> {
        let exp = now_ms.div_euclid(1_000).saturating_add(TOKEN_LIFETIME_SECONDS);
        let claims = Claims { sub: account.as_str(), exp };
        jsonwebtoken::encode(
            &Header::default(),
            &claims,
            &EncodingKey::from_secret(self.jwt_secret.expose_secret().as_bytes()),
        )
    }
}

/// The page, with the service's unit and the sandbox's URL filled in. Attributes of the elements have numbers of credits
/// as the API counts them.
fn page(demo: &Demo) -> String {
    let (pricing, sold) = (&demo.pricing, demo.pricing.main());
    let shown = |credits: i64| pricing.decimals().format(credits);
    let units = |count: i64| sold.unit().credits().checked_mul(count).unwrap_or_else(|| sold.largest()).to_string();
    let a_word = match shown(pricing.unit_credits()) {
        one if one == "1" => "1 credit".to_owned(),
        number => format!("{number} credits"),
    };
    include_str!("index.html")
        .replace("{{sandbox}}", &demo.sandbox)
        .replace("{{decimals}}", &pricing.decimals().get().to_string())
        .replace("{{word}}", &a_word)
        .replace("{{word_credits}}", &pricing.unit_credits().to_string())
        .replace("{{low}}", &units(50))
        .replace("{{a_little}}", &units(250))
        .replace("{{some}}", &units(1_000))
        .replace("{{a_lot}}", &units(5_000))
}

/// Adds the demo's routes in `topup dev`; nothing otherwise.
pub fn routes(config: &mut ServiceConfig, demo: Option<&Demo>) {
    let Some(demo) = demo else { return };
    let script = |content: &'static [u8]| asset("text/javascript; charset=utf-8", Bytes::from_static(content));
    config
        .app_data(Data::new(demo.clone()))
        .route("/", asset("text/html; charset=utf-8", page(demo).into()))
        .route("/demo/demo.css", asset("text/css; charset=utf-8", Bytes::from_static(include_bytes!("demo.css"))))
        .route("/demo/demo.js", script(include_bytes!("demo.js")))
        .route("/demo/spending.js", script(include_bytes!("spending.js")))
        .route("/demo/plan.js", script(include_bytes!("plan.js")))
        .route("/demo/token", web::post().to(issue_token))
        .route("/demo/generate", web::post().to(generate::generate))
        .route("/demo/gift", web::post().to(gift::give))
        .route("/demo/renew", web::post().to(sandbox::renew))
        .route("/demo/decline", web::post().to(sandbox::decline))
        .route("/demo/console", web::post().to(open_console::open));
}

fn asset(media_type: &'static str, content: Bytes) -> Route {
    web::get().to(move || {
        let mut response = HttpResponse::Ok();
        response.insert_header((CONTENT_SECURITY_POLICY, PAGE_POLICY));
        std::future::ready(file(response, media_type, content.clone()))
    })
}

async fn issue_token(state: State, demo: Data<Demo>, body: Json<TokenRequest>) -> Result<Json<Token>, ApiError> {
    let account = AccountId::parse(body.account_id.as_deref().unwrap_or(DEMO_ACCOUNT))
        .map_err(|error| ApiError::field("accountId", "invalid_account", error.to_string()))?;
    let token = demo.token(&account, state.app.clock.now_ms()).map_err(|error| ApiError::internal(&error))?;
    Ok(Json(Token { token, account_id: account.as_str().to_owned() }))
}

/// In `topup dev`, refuses requests whose host is not loopback.
///
/// # Errors
/// Those of the request itself.
pub async fn refuse_foreign_hosts<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    if request.app_data::<Data<Demo>>().is_none() || is_loopback_host(request.headers()) {
        return next.call(request).await.map(ServiceResponse::map_into_left_body);
    }
    let detail = "topup dev answers on loopback only: use http://127.0.0.1 or http://localhost";
    let error = ApiError::new(StatusCode::MISDIRECTED_REQUEST, "host_not_loopback", detail);
    Ok(request.into_response(error.error_response()).map_into_right_body())
}
