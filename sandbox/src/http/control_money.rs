//! `/_sandbox/…` for money that comes back: what banks, customers and people in the dashboard do. JSON, without a key,
//! from this machine only. What happens is the model's business, through the same functions as the API's.

use actix_web::{HttpResponse, http::StatusCode, web};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    DEFAULT_API_VERSION,
    engine::Engine,
    model::{
        Context, State, confirm, dispute,
        dispute::{DisputeStatus, Opening},
        dispute_json,
        error::ApiError,
        intent, payment_json, refund,
        refund::{RefundStatus, Wanted},
    },
};

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/_sandbox/refunds/{id}", web::post().to(move_refund))
        .route("/_sandbox/disputes/{id}", web::post().to(move_dispute))
        .route("/_sandbox/payment_intents/{id}/settle", web::post().to(settle))
        .route("/_sandbox/payment_intents/{id}/challenge", web::post().to(challenge))
        .route("/_sandbox/payment_intents/{id}/refund", web::post().to(refund_payment))
        .route("/_sandbox/payment_intents/{id}/dispute", web::post().to(dispute_payment));
}

/// Reads the body, runs a command and answers with what it gives. An empty body is an empty object.
async fn run<T: DeserializeOwned>(
    engine: &Engine,
    body: &[u8],
    command: impl FnOnce(&mut State, &mut Context<'_>, T) -> Result<Value, ApiError>,
) -> HttpResponse {
    let body: &[u8] = if body.is_empty() { b"{}" } else { body };
    let wanted: T = match serde_json::from_slice(body) {
        Ok(wanted) => wanted,
        Err(mistake) => return refused(400, &mistake.to_string()),
    };
    let (result, version) = engine.run(None, DEFAULT_API_VERSION, |state, context| command(state, context, wanted));
    engine.saved(version).await;
    match result {
        Ok(object) => HttpResponse::Ok().json(object),
        Err(error) => refused(error.status, &error.message),
    }
}

fn refused(status: u16, message: &str) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    HttpResponse::build(status).json(json!({ "error": { "message": message } }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settle {
    outcome: Settled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Settled {
    Succeeded,
    Failed,
}

/// The delayed payment of an intent arrives or fails, with or without a session.
async fn settle(engine: web::Data<Engine>, id: web::Path<String>, body: web::Bytes) -> HttpResponse {
    run(&engine, &body, |state, context, wanted: Settle| {
        intent::find(state, &id)?;
        confirm::settle_intent(state, context, &id, wanted.outcome == Settled::Succeeded)?;
        show_intent(state, context, &id)
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Challenge {
    outcome: Challenged,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Challenged {
    Passed,
    Failed,
}

/// The customer passes or fails 3-D Secure. A decline is what was asked for, or what the card does.
async fn challenge(engine: web::Data<Engine>, id: web::Path<String>, body: web::Bytes) -> HttpResponse {
    run(&engine, &body, |state, context, wanted: Challenge| {
        intent::find(state, &id)?;
        let answered = confirm::answer_challenge(state, context, &id, wanted.outcome == Challenged::Passed);
        match answered {
            Err(error) if error.code == Some("payment_intent_unexpected_state") => Err(error),
            _ => show_intent(state, context, &id),
        }
    })
    .await
}

fn show_intent(state: &State, context: &Context<'_>, id: &str) -> Result<Value, ApiError> {
    intent::find(state, id).map(|found| payment_json::payment_intent(state, found, context.base_url))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RefundTo {
    status: RefundStatus,
    failure_reason: Option<String>,
}

/// The next state of a refund: the bank paid it out, sent it back, or waits for something.
async fn move_refund(engine: web::Data<Engine>, id: web::Path<String>, body: web::Bytes) -> HttpResponse {
    run(&engine, &body, |state, context, wanted: RefundTo| {
        refund::move_to(state, context, &id, wanted.status, wanted.failure_reason.as_deref())?;
        refund::find(state, &id).map(|found| refund::to_json(state, found))
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DisputeTo {
    to: Next,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Next {
    Won,
    Lost,
    UnderReview,
    NeedsResponse,
    WarningClosed,
    Withdrawn,
}

/// What the bank decides. `needs_response` escalates an inquiry, `withdrawn` takes a won dispute's money back.
async fn move_dispute(engine: web::Data<Engine>, id: web::Path<String>, body: web::Bytes) -> HttpResponse {
    run(&engine, &body, |state, context, wanted: DisputeTo| {
        let inquiry = dispute::find(state, &id)?.status.is_inquiry();
        let to = match wanted.to {
            Next::Won => DisputeStatus::Won,
            Next::Lost => DisputeStatus::Lost,
            Next::UnderReview if inquiry => DisputeStatus::WarningUnderReview,
            Next::UnderReview => DisputeStatus::UnderReview,
            Next::NeedsResponse => DisputeStatus::NeedsResponse,
            Next::WarningClosed => DisputeStatus::WarningClosed,
            Next::Withdrawn => DisputeStatus::AppealUnderReview,
        };
        dispute::move_to(state, context, &id, to)?;
        dispute::find(state, &id).map(|found| dispute_json::dispute(state, found))
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RefundPayment {
    amount: Option<i64>,
}

/// A person refunds in the dashboard: no API key, no idempotency key.
async fn refund_payment(engine: web::Data<Engine>, id: web::Path<String>, body: web::Bytes) -> HttpResponse {
    run(&engine, &body, |state, context, wanted: RefundPayment| {
        let charge = refund::charge_of_intent(state, &id)?;
        let wanted =
            Wanted { amount: wanted.amount, reason: Some("requested_by_customer".to_owned()), ..Wanted::default() };
        let refund_id = refund::create(state, context, &charge, wanted)?;
        refund::find(state, &refund_id).map(|found| refund::to_json(state, found))
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DisputePayment {
    amount: Option<i64>,
    #[serde(default)]
    inquiry: bool,
    reason: Option<Reason>,
}

/// Why a customer objects, in Stripe's words.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reason {
    CreditNotProcessed,
    Duplicate,
    Fraudulent,
    General,
    ProductNotReceived,
    ProductUnacceptable,
    SubscriptionCanceled,
    Unrecognized,
}

impl Reason {
    fn as_str(self) -> &'static str {
        match self {
            Self::CreditNotProcessed => "credit_not_processed",
            Self::Duplicate => "duplicate",
            Self::Fraudulent => "fraudulent",
            Self::General => "general",
            Self::ProductNotReceived => "product_not_received",
            Self::ProductUnacceptable => "product_unacceptable",
            Self::SubscriptionCanceled => "subscription_canceled",
            Self::Unrecognized => "unrecognized",
        }
    }
}

/// The customer goes to the bank.
async fn dispute_payment(engine: web::Data<Engine>, id: web::Path<String>, body: web::Bytes) -> HttpResponse {
    run(&engine, &body, |state, context, wanted: DisputePayment| {
        let charge = refund::charge_of_intent(state, &id)?;
        let reason = wanted.reason.unwrap_or(Reason::Fraudulent).as_str();
        let opening = Opening { amount: wanted.amount, inquiry: wanted.inquiry, reason };
        let dispute_id = dispute::open(state, context, &charge, &opening)?;
        dispute::find(state, &dispute_id).map(|found| dispute_json::dispute(state, found))
    })
    .await
}
