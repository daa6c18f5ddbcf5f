//! Acme's deliveries. Header: `at=<seconds>; seal=<hex>`, where the seal is HMAC-SHA256 over the body, a line break and the
//! seconds.

use hmac::{Hmac, Mac};
use serde::Deserialize;
use serde_json::Value;
use sha2::Sha256;
use topup::domain::checkout::{PurchaseProgress, PurchaseReport};
use topup::domain::ids::{EventId, PaymentId, RefundId, SessionId, TopupId};
use topup::domain::reversal::{RefundReport, RefundStatus, amount};
use topup::providers::event::{EventSubject, ProviderEvent, WebhookError, WebhookReader};

use super::NAME;

const TOLERANCE_SECONDS: i64 = 120;

/// Reads Acme's deliveries.
pub struct AcmeWebhooks {
    pub secret: &'static str,
}

/// The header of a delivery.
pub fn sign(secret: &str, body: &str, at_seconds: i64) -> String {
    let seal = hex::encode(mac(secret, body.as_bytes(), &at_seconds.to_string()).finalize().into_bytes());
    format!("at={at_seconds}; seal={seal}")
}

fn mac(secret: &str, body: &[u8], at: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::new_from_slice(secret.as_bytes()).expect("any length");
    for part in [body, b"\n", at.as_bytes()] {
        mac.update(part);
    }
    mac
}

struct Header<'h> {
    at: &'h str,
    at_seconds: i64,
    seal: Vec<u8>,
}

fn header(header: Option<&str>) -> Result<Header<'_>, WebhookError> {
    let header = header.ok_or(WebhookError::Signature("Acme's header is missing"))?;
    let malformed = || WebhookError::Signature("Acme's header is malformed");
    let (at, seal) = header.split_once("; ").ok_or_else(malformed)?;
    let (at, seal) = at.strip_prefix("at=").zip(seal.strip_prefix("seal=")).ok_or_else(malformed)?;
    let at_seconds = at.parse().map_err(|_| malformed())?;
    Ok(Header { at, at_seconds, seal: hex::decode(seal).map_err(|_| malformed())? })
}

impl AcmeWebhooks {
    fn verify(&self, Header { at, seal, .. }: &Header<'_>, body: &[u8]) -> Result<(), WebhookError> {
        let verified = mac(self.secret, body, at).verify_slice(seal);
        verified.map_err(|_| WebhookError::Signature("Acme's seal does not match"))
    }
}

impl WebhookReader for AcmeWebhooks {
    fn check_header(&self, text: Option<&str>, now_ms: i64) -> Result<(), WebhookError> {
        let ahead_seconds = header(text)?.at_seconds.saturating_sub(now_ms.div_euclid(1_000));
        if ahead_seconds.saturating_abs() > TOLERANCE_SECONDS {
            return Err(WebhookError::Untimely { ahead_seconds, tolerance_seconds: TOLERANCE_SECONDS });
        }
        Ok(())
    }

    fn read(&self, text: Option<&str>, body: &[u8], now_ms: i64) -> Result<ProviderEvent, WebhookError> {
        self.check_header(text, now_ms)?;
        self.read_untimely(text, body)
    }

    fn read_untimely(&self, text: Option<&str>, body: &[u8]) -> Result<ProviderEvent, WebhookError> {
        self.verify(&header(text)?, body)?;
        self.read_verified(body)
    }

    fn read_verified(&self, body: &[u8]) -> Result<ProviderEvent, WebhookError> {
        let Envelope { news, about, real, rest } = serde_json::from_slice(body).map_err(WebhookError::NotAnEvent)?;
        let rest = || Value::Object(rest.clone());
        let unreadable = |reason: String, subject| WebhookError::Unreadable {
            event_id: news.clone(),
            event_type: about.clone(),
            reason,
            subject,
        };
        let event = EventId::parse(NAME, news.as_str()).map_err(|error| unreadable(error.to_string(), None))?;
        let event = (event, about.clone());
        match about.as_str() {
            "order" => {
                let subject = TopupId::parse(rest()["order"]["for"].as_str().unwrap_or_default()).ok();
                let subject = subject.map(EventSubject::Topup);
                let order: About<OrderNews> =
                    serde_json::from_value(rest()).map_err(|error| unreadable(error.to_string(), subject.clone()))?;
                let report = order.about.report().map_err(|reason| unreadable(reason, subject))?;
                Ok(ProviderEvent::purchase(PurchaseReport { event: Some(event), livemode: real, ..report }))
            }
            "return" => {
                let made: About<ReturnNews> =
                    serde_json::from_value(rest()).map_err(|error| unreadable(error.to_string(), None))?;
                let refund = made.about.report().map_err(|reason| unreadable(reason, None))?;
                Ok(ProviderEvent::RefundChanged { event, livemode: real, refund })
            }
            _ => Ok(ProviderEvent::Foreign { reason: "nothing that concerns us" }),
        }
    }
}

#[derive(Deserialize)]
struct Envelope {
    news: String,
    about: String,
    real: bool,
    #[serde(flatten)]
    rest: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
struct About<T> {
    #[serde(alias = "order", alias = "return")]
    about: T,
}

#[derive(Deserialize)]
struct OrderNews {
    number: String,
    status: String,
    r#for: String,
    buyer: String,
    credits: i64,
    bonus: Option<i64>,
    days: Option<i64>,
    currency: String,
    total: i64,
    money: Option<String>,
}

impl OrderNews {
    fn report(self) -> Result<PurchaseReport, String> {
        let progress = match self.status.as_str() {
            "waiting" => PurchaseProgress::Nothing,
            "paid" => PurchaseProgress::Paid,
            "lapsed" => PurchaseProgress::Expired,
            other => return Err(format!("the order is {other}")),
        };
        let payment = self.money.map(|money| PaymentId::parse(NAME, money)).transpose();
        Ok(PurchaseReport {
            event_created_ms: None,
            event: None,
            livemode: false,
            session: SessionId::parse(NAME, self.number).map_err(|error| error.to_string())?,
            topup: TopupId::parse(&self.r#for).map_err(|error| error.to_string())?,
            progress,
            account: Some(self.buyer.clone()),
            client_reference: Some(self.buyer),
            credits: Some(self.credits.to_string()),
            bonus: self.bonus.map(|credits| credits.to_string()),
            expire_days: self.days.map(|days| days.to_string()),
            mode: Some("payment".to_owned()),
            currency: Some(self.currency),
            amount_subtotal_minor: Some(self.total),
            amount_total_minor: Some(self.total),
            amount_tax_minor: None,
            payment: payment.map_err(|error| error.to_string())?,
            seal: None,
        })
    }
}

#[derive(Deserialize)]
struct ReturnNews {
    number: String,
    money: String,
    amount: i64,
    currency: String,
    note: Option<String>,
}

impl ReturnNews {
    fn report(self) -> Result<RefundReport, String> {
        Ok(RefundReport {
            stranger: None,
            id: RefundId::parse(NAME, self.number).map_err(|error| error.to_string())?,
            payment: Some(PaymentId::parse(NAME, self.money).map_err(|error| error.to_string())?),
            amount_minor: amount(self.amount).ok_or("the amount is out of range")?,
            currency: self.currency,
            status: RefundStatus::Succeeded,
            reason: None,
            request: self.note,
        })
    }
}
