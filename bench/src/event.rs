//! Webhook deliveries as Stripe sends them: a signed event of about 3.6 KB, as the bytes of an HTTP request.

use crate::load::Request;
use crate::purchase::{Buyers, Purchase};
use crate::template::Template;

/// The endpoint's signing secret, made up for the benchmark.
pub const SECRET: &str = "whsec_3f9c1b7a5d2e8c4460f1a9b8d7e6c5f4";
const TEMPLATE: &str = include_str!("checkout_session_completed.json");

/// The mix of deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Mix {
    /// Distinct events for many accounts.
    ManyAccounts,
    /// Distinct events for one account.
    OneAccount,
    /// Many accounts; every fifth delivery repeats an earlier one.
    Duplicates,
    /// Many accounts; every twentieth delivery has an invalid signature.
    BadSignatures,
}

impl Mix {
    pub const ALL: [Self; 4] = [Self::ManyAccounts, Self::OneAccount, Self::Duplicates, Self::BadSignatures];

    pub fn name(self) -> &'static str {
        match self {
            Self::ManyAccounts => "10,000 accounts",
            Self::OneAccount => "one hot account",
            Self::Duplicates => "20 % duplicates",
            Self::BadSignatures => "5 % bad signatures",
        }
    }

    pub fn buyers(self) -> Buyers {
        if self == Self::OneAccount { Buyers::One } else { Buyers::Many }
    }

    fn kind(self, index: u64) -> Kind {
        match self {
            Self::Duplicates if index % 5 == 4 => Kind::Repeats,
            Self::BadSignatures if index % 20 == 19 => Kind::NotSigned,
            _ => Kind::Credits,
        }
    }

    /// How many top-ups are paid after this many deliveries of the mix.
    pub fn credited(self, deliveries: u64) -> u64 {
        let others = match self {
            Self::ManyAccounts | Self::OneAccount => 0,
            Self::Duplicates => deliveries / 5,
            Self::BadSignatures => deliveries / 20,
        };
        deliveries.saturating_sub(others)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Credits,
    Repeats,
    NotSigned,
}

/// Builds `count` deliveries for the top-ups from `first` on, signed at `now_seconds`.
pub fn deliveries(mix: Mix, first: u64, count: u64, now_seconds: i64) -> Vec<Request> {
    let template = completed();
    let mut requests = Vec::new();
    for index in 0..count {
        let kind = mix.kind(index);
        // The repeated delivery is only a few back, so it may still be in flight.
        let index = if kind == Kind::Repeats { index.saturating_sub(1 + index / 5 % 4) } else { index };
        let purchase = Purchase { number: first.saturating_add(index), buyers: mix.buyers() };
        let body = template.fill(purchase, &purchase.event(0), now_seconds);
        requests.push(if kind == Kind::NotSigned {
            Request { expected: 400, ..delivery(&body, "whsec_of_somebody_else", now_seconds) }
        } else {
            delivery(&body, SECRET, now_seconds)
        });
    }
    requests
}

/// The event that credits a top-up.
pub fn completed() -> Template {
    Template::new(TEMPLATE)
}

/// The webhook request of an event.
pub fn delivery(body: &str, secret: &str, now_seconds: i64) -> Request {
    let signature = stripe_sandbox::sign(secret, now_seconds, body.as_bytes());
    let request = format!(
        "POST /webhooks/stripe HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)\r\n\
         accept: */*; q=0.5, application/xml\r\ncache-control: no-cache\r\ncontent-type: application/json; charset=utf-8\r\n\
         stripe-signature: {signature}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len(),
    );
    Request { bytes: request.into_bytes().into(), expected: 200 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(request: &Request) -> (String, serde_json::Value) {
        let text = std::str::from_utf8(&request.bytes).unwrap();
        let (header, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(header.contains(&format!("content-length: {}", body.len())));
        (header.to_owned(), serde_json::from_str(body).unwrap())
    }

    #[test]
    fn an_event_is_as_large_as_stripes_and_names_its_purchase() {
        let requests = deliveries(Mix::ManyAccounts, 12, 2, 1_800_000_000);
        let (_, event) = parsed(&requests[1]);
        let purchase = Purchase { number: 13, buyers: Buyers::Many };
        assert_eq!(event["data"]["object"]["metadata"]["topupId"], purchase.topup());
        assert_eq!(event["data"]["object"]["id"], purchase.session());
        assert_eq!(event["data"]["object"]["payment_intent"], purchase.payment());
        assert_eq!(event["data"]["object"]["client_reference_id"], purchase.account());
        assert_eq!(event["id"], purchase.event(0));
        assert!(!event.to_string().contains('~'));
        let request = &requests[1].bytes;
        let event_bytes = request.len() - crate::http::find(request, b"\r\n\r\n").unwrap() - 4;
        assert!((3_500..3_700).contains(&event_bytes), "{event_bytes}");
    }

    #[test]
    fn a_mix_credits_what_its_distinct_and_signed_events_say() {
        for mix in Mix::ALL {
            for count in [1, 4, 5, 6, 19, 20, 21, 100] {
                let requests = deliveries(mix, 0, count, 1_800_000_000);
                let signed = requests.iter().filter(|request| request.expected == 200);
                let distinct: std::collections::BTreeSet<String> =
                    signed.map(|request| parsed(request).1["id"].to_string()).collect();
                assert_eq!(u64::try_from(distinct.len()).unwrap(), mix.credited(count), "{mix:?}, {count}");
            }
        }
    }
}
