//! The part of a product's server that spends credits. It calls Topup's public API with an API key, as yours would.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, RETRY_AFTER};
use actix_web::{HttpResponse, HttpResponseBuilder};
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::with_causes;
use crate::domain::account::AccountId;
use crate::http::kit::problem::PROBLEM_JSON;
use crate::outgoing::{self, bounded_body};

/// The time limit of one call.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a call is sent whose answer is lost, and the pause in between.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(200);
/// The largest answer.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// How long a hold lives. Much longer than an answer takes: if this server dies, the credits are free again after it.
const HOLD_SECONDS: i64 = 120;

/// Topup's API, as a product's server uses it.
#[derive(Debug, Clone)]
pub struct Topup {
    client: Client,
    url: String,
    key: SecretString,
}

/// An account's credits at the end of a request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Balance {
    #[serde(rename = "remainingCredits")]
    remaining: i64,
    #[serde(rename = "heldCredits")]
    held: i64,
    #[serde(rename = "availableCredits")]
    available: i64,
    #[serde(rename = "owedCredits")]
    owed: i64,
}

/// Credits that are reserved.
#[derive(Debug, Deserialize)]
pub struct Hold {
    /// Its id.
    pub id: String,
    /// How many credits it reserves: less than asked for, if there were fewer.
    pub credits: i64,
    /// The account's credits.
    pub balance: Balance,
}

/// Credits that were taken.
#[derive(Debug, Deserialize)]
pub struct Spend {
    /// How many.
    pub credits: i64,
    /// The account's credits.
    pub balance: Balance,
}

/// The HTTP client cannot be created.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client of the demo's server cannot be created")]
pub struct NoClient(#[source] pub(super) reqwest::Error);

/// Topup did not do what it was asked for.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    retry_after: Option<String>,
    /// Stable; empty if the answer was not a problem of Topup's.
    pub code: String,
    /// For problems about credits: how many can be spent or reserved now.
    pub available_credits: Option<i64>,
    problem: Value,
}

impl Topup {
    /// The API at this URL, which has no slash at the end, for a server with this key.
    ///
    /// # Errors
    /// When the HTTP client cannot be created.
    pub fn new(url: String, key: SecretString) -> Result<Self, NoClient> {
        let client = outgoing::client().no_proxy().timeout(CALL_TIMEOUT).build().map_err(NoClient)?;
        Ok(Self { client, url, key })
    }

    /// Reserves credits, at least `minimum` of them. `work` names what they are for: sent twice, it is held once.
    ///
    /// # Errors
    /// 402 or 409 when there are too few.
    pub async fn hold(&self, account: &AccountId, work: &str, credits: i64, minimum: i64) -> Result<Hold, Refusal> {
        let path = format!("/accounts/{}/credits/holds", percent_encoded(account.as_str()));
        let body = json!({
            "credits": credits, "minimumCredits": minimum, "expiresInSeconds": HOLD_SECONDS, "operation": "answer",
        });
        self.post(&path, Some(work), &body).await
    }

    /// Reserves more, up to this total.
    ///
    /// # Errors
    /// 402 or 409 when there are too few; the hold is as before.
    pub async fn extend(&self, hold: &str, credits: i64) -> Result<Hold, Refusal> {
        self.post(&format!("/credits/holds/{hold}/extend"), None, &json!({ "credits": credits })).await
    }

    /// Takes what the work came to, and frees the rest.
    ///
    /// # Errors
    /// When Topup cannot be reached.
    pub async fn capture(&self, hold: &str, credits: i64) -> Result<Spend, Refusal> {
        self.post(&format!("/credits/holds/{hold}/capture"), None, &json!({ "credits": credits })).await
    }

    /// Sends a request, again if its answer is lost. Each of them may be repeated: a hold has its key, and extensions
    /// and captures name totals.
    async fn post<T: DeserializeOwned>(&self, path: &str, key: Option<&str>, body: &Value) -> Result<T, Refusal> {
        let mut answer = self.try_post(path, key, body).await;
        for _ in 1..TRIES {
            if answer.as_ref().is_ok_and(|(status, _, _)| *status < StatusCode::INTERNAL_SERVER_ERROR) {
                break;
            }
            tokio::time::sleep(PAUSE).await;
            answer = self.try_post(path, key, body).await;
        }
        let (status, retry_after, answer) = answer.map_err(|error| {
            tracing::warn!(error, "the demo cannot reach the service");
            Refusal::unanswered()
        })?;
        if status.is_success() {
            return serde_json::from_slice(&answer).map_err(|_| Refusal::unanswered());
        }
        let problem: Value = serde_json::from_slice(&answer).unwrap_or_default();
        let code = problem.get("code").and_then(Value::as_str).unwrap_or_default().to_owned();
        let available_credits = problem.get("availableCredits").and_then(Value::as_i64);
        Err(Refusal { status, retry_after, code, available_credits, problem })
    }

    async fn try_post(
        &self,
        path: &str,
        key: Option<&str>,
        body: &Value,
    ) -> Result<(StatusCode, Option<String>, Vec<u8>), String> {
        let mut request = self.client.post(format!("{}{path}", self.url));
        request =
            request.header("x-api-key", self.key.expose_secret()).header(CONTENT_TYPE.as_str(), "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let answer = request.body(body.to_string()).send().await.map_err(|error| with_causes(&error))?;
        let status = StatusCode::from_u16(answer.status().as_u16()).map_err(|error| error.to_string())?;
        let retry_after = answer.headers().get(RETRY_AFTER.as_str()).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.map(str::to_owned);
        let body = bounded_body(answer, MAX_ANSWER_BYTES).await.map_err(|error| with_causes(&error))?;
        Ok((status, retry_after, body))
    }
}

impl Refusal {
    fn unanswered() -> Self {
        let (status, code) = (StatusCode::SERVICE_UNAVAILABLE, "too_busy".to_owned());
        Self { status, retry_after: None, available_credits: None, problem: json!({ "code": code }), code }
    }

    /// The same refusal for the page. It knows the codes and has words for them.
    #[must_use]
    pub fn to_page(&self) -> HttpResponse {
        let mut response = HttpResponseBuilder::new(self.status);
        if let Some(seconds) = &self.retry_after {
            response.insert_header((RETRY_AFTER, seconds.as_str()));
        }
        response.content_type(PROBLEM_JSON).body(self.problem.to_string())
    }
}

fn percent_encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}
