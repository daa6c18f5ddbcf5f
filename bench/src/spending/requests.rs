//! Requests of a server that spends, as the bytes of HTTP requests.

use std::fmt::Write;

use crate::http::find;
use crate::load::{FollowUp, Request};
use crate::purchase::{Buyers, HOT_ACCOUNT, Purchase};

/// The debits of one batch: the most that are permitted.
pub const BATCH: u64 = 100;
/// How long a hold lives: longer than any measurement.
const HOLD_SECONDS: u64 = 86_400;

/// Whose credits are spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payers {
    /// Each of the 10,000 accounts in turn, in scattered order.
    Many,
    /// One account.
    One(&'static str),
}

impl Payers {
    /// The hot account.
    pub const HOT: Self = Self::One(HOT_ACCOUNT);

    /// The account that pays for the work with this number.
    pub fn account(self, number: u64) -> String {
        match self {
            Self::Many => Purchase { number, buyers: Buyers::Many }.account(),
            Self::One(account) => account.to_owned(),
        }
    }
}

/// A debit of one credit. The number names the work.
pub fn debit(api_key: &str, payers: Payers, number: u64) -> Request {
    let path = format!("/accounts/{}/credits/debits", payers.account(number));
    post(&path, api_key, &format!("idempotency-key: work-{number}\r\n"), "{\"credits\":1,\"operation\":\"image\"}")
}

/// A hold of two credits.
pub fn hold(api_key: &str, payers: Payers, number: u64) -> Request {
    let path = format!("/accounts/{}/credits/holds", payers.account(number));
    let body = format!("{{\"credits\":2,\"operation\":\"chat\",\"expiresInSeconds\":{HOLD_SECONDS}}}");
    post(&path, api_key, &format!("idempotency-key: work-{number}\r\n"), &body)
}

/// The capture of one credit of the hold before it.
pub fn capture(api_key: &str) -> FollowUp {
    const ID: &[u8] = b"~id~";
    let request = post("/credits/holds/~id~/capture", api_key, "", "{\"credits\":1}");
    let place = find(&request.bytes, ID).unwrap_or_default();
    let (before, rest) = request.bytes.split_at(place);
    let after = rest.get(ID.len()..).unwrap_or_default();
    FollowUp { before_id: before.into(), after_id: after.into(), expected: request.expected }
}

/// Debits of one credit each in one request, numbered from `first` on.
pub fn batch(api_key: &str, payers: Payers, first: u64) -> Request {
    let mut body = String::from("{\"items\":[");
    for number in first..first.saturating_add(BATCH) {
        let comma = if number == first { "" } else { "," };
        let account = payers.account(number);
        // Writing to a string cannot fail.
        write!(body, "{comma}{{\"key\":\"work-{number}\",\"accountId\":\"{account}\",\"credits\":1}}").ok();
    }
    body.push_str("]}");
    post("/credits/debits/batch", api_key, "", &body)
}

/// Whether each debit of a batch was done.
pub fn is_batch_done(body: &[u8]) -> bool {
    const DONE: &[u8] = b"\"status\":200";
    let done = body.windows(DONE.len()).filter(|window| *window == DONE).count();
    u64::try_from(done).is_ok_and(|done| done == BATCH)
}

/// Credits given to an account by an operator.
pub fn grant(admin_key: &str, account: &str, credits: u64, number: u64) -> Request {
    let path = format!("/admin/accounts/{account}/grants");
    let body = format!("{{\"credits\":{credits},\"reason\":\"Bench\",\"create\":true}}");
    post(&path, admin_key, &format!("idempotency-key: grant-{number}\r\n"), &body)
}

fn post(path: &str, api_key: &str, headers: &str, body: &str) -> Request {
    let text = format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nx-api-key: {api_key}\r\ncontent-type: application/json\r\n{headers}\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    Request { bytes: text.into_bytes().into(), expected: 200 }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn body(request: &Request) -> serde_json::Value {
        let text = std::str::from_utf8(&request.bytes).unwrap();
        let (header, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(header.contains(&format!("content-length: {}", body.len())));
        serde_json::from_str(body).unwrap()
    }

    #[test]
    fn a_batch_has_a_hundred_debits_with_a_key_each() {
        let batch = body(&batch("topup_sk_1", Payers::Many, 500));
        let items = batch["items"].as_array().unwrap();
        let keys: BTreeSet<&str> = items.iter().map(|item| item["key"].as_str().unwrap()).collect();
        assert_eq!((items.len(), keys.len()), (100, 100));
        assert_eq!(items[0]["accountId"], Payers::Many.account(500));
    }

    #[test]
    fn one_debit_of_a_batch_that_was_not_done_is_noticed() {
        let result = |status| format!("{{\"key\":\"work-1\",\"status\":{status}}},");
        assert!(is_batch_done(result(200).repeat(100).as_bytes()));
        assert!(!is_batch_done((result(200).repeat(99) + &result(503)).as_bytes()));
    }

    #[test]
    fn a_capture_has_room_for_the_hold() {
        let capture = capture("topup_sk_1");
        assert!(capture.before_id.starts_with(b"POST /credits/holds/"));
        assert!(capture.after_id.starts_with(b"/capture HTTP/1.1\r\n"));
    }
}
