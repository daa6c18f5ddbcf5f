//! What only a sandbox can do: a customer's time moves, and a bank changes its mind. Live, one would wait.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Json};
use reqwest::Client;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Demo;
use crate::access::api_keys::Scope;
use crate::app::with_causes;
use crate::customers::ensure_customer::known_customer;
use crate::domain::account::AccountId;
use crate::domain::ids::CustomerId;
use crate::http::auth::Caller;
use crate::http::demo::product::NoClient;
use crate::http::kit::problem::ApiError;
use crate::http::state::State;
use crate::outgoing;

/// The time limit of one call. Moving a customer's time does what is due until then.
const CALL_TIMEOUT: Duration = Duration::from_secs(20);

/// The sandbox's controls.
#[derive(Debug, Clone)]
pub struct Controls {
    client: Client,
    url: String,
}

impl Controls {
    /// The controls of the sandbox at this URL, which has no slash at the end.
    ///
    /// # Errors
    /// When the HTTP client cannot be created.
    pub fn new(url: String) -> Result<Self, NoClient> {
        let client = outgoing::client().no_proxy().timeout(CALL_TIMEOUT).build().map_err(NoClient)?;
        Ok(Self { client, url })
    }

    async fn set(&self, path: &str, body: &Value) -> Result<(), ApiError> {
        let request = self.client.post(format!("{}/_sandbox/{path}", self.url));
        let answer = request.header("content-type", "application/json").body(body.to_string()).send().await;
        let refused = |detail: String| {
            tracing::warn!(path, detail, "the sandbox does not do what the demo asks for");
            ApiError::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "provider_unavailable",
                "the sandbox did not do it; try again",
            )
        };
        let answer = answer.map_err(|error| refused(with_causes(&error)))?;
        if answer.status().is_success() { Ok(()) } else { Err(refused(answer.status().to_string())) }
    }
}

/// What was done.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Done {
    account_id: String,
}

/// What the bank says from now on.
#[derive(Deserialize)]
pub(super) struct Bank {
    declines: bool,
}

/// Moves the customer's time past the next renewal.
pub(super) async fn renew(request: HttpRequest, state: State, demo: Data<Demo>) -> Result<Json<Done>, ApiError> {
    let (account, customer) = customer_of(&request, &state).await?;
    let path = format!("customers/{}/advance", customer.as_str());
    demo.controls.set(&path, &json!({ "to_renewal": true })).await?;
    Ok(done(&account))
}

/// Lets the bank decline all further charges of the customer's cards, or accept them again.
pub(super) async fn decline(
    request: HttpRequest,
    state: State,
    demo: Data<Demo>,
    body: Json<Bank>,
) -> Result<Json<Done>, ApiError> {
    let (account, customer) = customer_of(&request, &state).await?;
    let app = state.app.clone();
    let cards = state.run(async move { app.provider.cards.list_cards(&customer).await }).await?;
    let cards = cards.map_err(|error| ApiError::not_told(&error))?;
    if cards.is_empty() {
        return Err(nobody());
    }
    let code = body.declines.then_some("insufficient_funds");
    for card in cards {
        let path = format!("payment_methods/{}/charges", card.id.as_str());
        demo.controls.set(&path, &json!({ "decline": code })).await?;
    }
    Ok(done(&account))
}

fn done(account: &AccountId) -> Json<Done> {
    Json(Done { account_id: account.as_str().to_owned() })
}

async fn customer_of(request: &HttpRequest, state: &State) -> Result<(AccountId, CustomerId), ApiError> {
    let account = Caller::of(request, state).await?.account(None, Scope::Read)?;
    let (app, id) = (state.app.clone(), account.clone());
    let customer = state.run(async move { known_customer(&app, &id).await }).await??;
    Ok((account, customer.ok_or_else(nobody)?))
}

fn nobody() -> ApiError {
    ApiError::new(StatusCode::CONFLICT, "no_customer", "there is no saved card and no plan yet")
}
