//! The product's server: it spends credits, reserves them, captures and frees them, repeats requests whose answers it
//! did not get, and gives credits back.

use std::collections::{BTreeMap, VecDeque};

use actix_web::test::TestRequest;
use serde_json::{Value, json};
use topup::domain::spend_limit::{Period, Windows};
use topup::ports::Clock;

use super::process::{Answer, Ended, Fate};
use super::world::World;

/// What settling an account may change. No answer depends on when it happens.
pub const SETTLING: [&str; 5] = ["accounts", "grants", "grant_moves", "holds", "spend_limits"];

/// A request of the server, with the spend or hold that an answer confirmed.
#[derive(Debug, Clone)]
pub struct AskedSpend {
    account: String,
    path: String,
    body: Value,
    key: String,
    is_hold: bool,
    confirmed: Option<(String, i64)>,
}

/// The server's requests.
#[derive(Debug)]
pub struct Server {
    api_key: String,
    asked: Vec<AskedSpend>,
    /// Limits by account, subject and period.
    limits: BTreeMap<(String, String, Period), i64>,
}

impl Server {
    /// A server with this API key.
    pub const fn new(api_key: String) -> Self {
        Self { api_key, asked: Vec::new(), limits: BTreeMap::new() }
    }
}

impl World {
    /// The credits that can be spent now, and those that are in the balance.
    pub(super) fn available(&self, account: &str) -> (i64, i64) {
        let now_ms = self.clock.now_ms();
        let balance = self.books.balances.get(account).copied().unwrap_or(0);
        let open = self.books.holds.values().filter(|hold| hold.state == "open" && hold.expires_at > now_ms);
        let held: i64 = open.filter(|hold| hold.account_id == account).map(|hold| hold.credits).sum();
        ((balance - held).max(0), balance)
    }

    /// What the limits leave that a subject meets.
    fn room(&self, account: &str, subject: &str) -> i64 {
        let now_ms = self.clock.now_ms();
        let meets = |whose: &str, other: &str| whose.is_empty() || whose == other;
        let mut room = i64::MAX;
        for ((of, whose, period), credits) in &self.server.limits {
            if of != account || !meets(whose, subject) {
                continue;
            }
            let start = Windows::at(now_ms).start_ms(*period);
            let spends = self.books.spends.values().filter(|spend| spend.account_id == account);
            let spends = spends.filter(|spend| meets(whose, &spend.subject) && spend.created_at >= start);
            let used: i64 = spends.map(|spend| spend.credits - spend.refunded_credits).sum();
            let open = self.books.holds.values().filter(|hold| hold.state == "open" && hold.expires_at > now_ms);
            let open = open.filter(|hold| hold.account_id == account && meets(whose, &hold.subject));
            let held: i64 = open.map(|hold| hold.credits).sum();
            room = room.min((credits - used - held).max(0));
        }
        room
    }

    /// The server sets a limit, or removes one.
    fn limit(&mut self) -> Result<(), String> {
        let account = self.rng.pick(&self.accounts.clone()).clone();
        let subject = *self.rng.pick(&["", "a member"]);
        let period = *self.rng.pick(&[Period::Day, Period::Month, Period::Total]);
        let credits = self.rng.percent(60).then(|| self.rng.between(0, 400));
        let query = if subject.is_empty() { "" } else { "?subject=a%20member" };
        let path = format!("/accounts/{account}/credits/limits/{}{query}", period.as_str());
        let request = match credits {
            Some(credits) => TestRequest::put().uri(&path).set_json(json!({ "credits": credits })),
            None => TestRequest::delete().uri(&path),
        };
        let request = self.as_server("-", request);
        let fate = if self.rng.percent(20) { self.death() } else { Fate::Nothing };
        let outcome = self.serve_with(request, (VecDeque::new(), fate));
        let about = format!("{path} {credits:?}");
        let is_set = match outcome.ended {
            Ended::Answered(Answer { status: 200 | 204, .. }) => true,
            Ended::Answered(Answer { status, body }) => {
                self.note("limit", &format!("{about} {status}"));
                if status < 500 || !self.process.has_bad_disk() {
                    return Err(format!("{about} was answered with {status}: {body}"));
                }
                false
            }
            Ended::Died { committed } => committed,
            Ended::Suspended => return Err("nothing was to be suspended".to_owned()),
        };
        self.note("limit", &format!("{about}: {is_set}"));
        if !is_set {
            return self.unchanged(&outcome.before, &[], "a limit that was not set");
        }
        let key = (account, subject.to_owned(), period);
        match credits {
            Some(credits) => self.server.limits.insert(key, credits),
            None => self.server.limits.remove(&key),
        };
        Ok(())
    }

    fn as_server(&self, key: &str, request: TestRequest) -> TestRequest {
        request.insert_header(("x-api-key", self.server.api_key.clone())).insert_header(("idempotency-key", key))
    }

    /// Writes down what has ended, so that the books say what can be spent now. Whether that worked.
    pub(super) fn settle_first(&mut self) -> bool {
        if !self.credits_end {
            return true;
        }
        if self.process.has_bad_disk() {
            self.note("idle", "what has ended cannot be written down");
            return false;
        }
        let settled = matches!(self.process.settle(), Ended::Answered(Answer { status: 200, .. }));
        self.look();
        settled
    }

    /// The server does one of the things it can do.
    pub(super) fn spend(&mut self) -> Result<(), String> {
        if !self.settle_first() {
            return Ok(());
        }
        match self.rng.below(11) {
            10 => self.limit(),
            0..=2 if !self.server.asked.is_empty() => {
                let place = self.rng.place(self.server.asked.len());
                self.ask_to_spend(place)
            }
            3..=5 => self.end_hold(),
            6 => self.give_back(),
            _ => {
                let account = self.rng.pick(&self.accounts.clone()).clone();
                let (is_hold, number) = (self.rng.percent(45), self.server.asked.len());
                let credits = *self.rng.pick(&[1, 7, 40, 150, 2_000]);
                let body = match self.rng.below(3) {
                    0 if is_hold => json!({ "credits": credits, "minimumCredits": 1, "expiresInSeconds": 60 }),
                    0 => json!({ "credits": credits, "onShortfall": "cap" }),
                    1 if is_hold => json!({ "credits": credits, "subject": "a member" }),
                    _ if is_hold => json!({ "credits": credits, "expiresInSeconds": self.rng.between(1, 7_200) }),
                    _ => json!({ "credits": credits, "subject": "a member" }),
                };
                let kind = if is_hold { "holds" } else { "debits" };
                let path = format!("/accounts/{account}/credits/{kind}");
                let key = format!("spend-{number}");
                self.server.asked.push(AskedSpend { account, path, body, key, is_hold, confirmed: None });
                self.ask_to_spend(number)
            }
        }
    }

    fn ask_to_spend(&mut self, place: usize) -> Result<(), String> {
        let AskedSpend { account, path, body, key, is_hold, confirmed } = self.server.asked[place].clone();
        let request = self.as_server(&key, TestRequest::post().uri(&path).set_json(&body));
        let fate = if self.rng.percent(20) { self.death() } else { Fate::Nothing };
        let (available, balance) = self.available(&account);
        let room = self.room(&account, body["subject"].as_str().unwrap_or_default());
        let known = if is_hold {
            self.books.holds.values().find(|hold| hold.idempotency_key == key).map(|hold| hold.credits)
        } else {
            self.books.spends.values().find(|spend| spend.idempotency_key == key).map(|spend| spend.credits)
        };
        let outcome = self.serve_with(request, (VecDeque::new(), fate));
        let about = format!("{key} {path} {body}");
        let (status, answer) = match outcome.ended {
            Ended::Answered(Answer { status, body }) => (status, body),
            Ended::Died { committed } => {
                self.note("spend", &format!("{about} dies, committed: {committed}"));
                return if committed { Ok(()) } else { self.unchanged(&outcome.before, &[], "a spend that died") };
            }
            Ended::Suspended => return Err("nothing was to be suspended".to_owned()),
        };
        self.note("spend", &format!("{about} {status} {}", answer["credits"]));
        if status >= 500 && self.process.has_bad_disk() {
            return self.unchanged(&outcome.before, &[], "a spend that failed");
        }
        let asked = body["credits"].as_i64().unwrap_or_default();
        let least = match (&body["onShortfall"], &body["minimumCredits"]) {
            (Value::String(_), _) => 0,
            (_, Value::Number(least)) => least.as_i64().unwrap_or_default(),
            _ => asked,
        };
        let has_account = self.books.balances.contains_key(&account);
        let expected = match known {
            Some(credits) => (200, Some(credits)),
            None if least > room => (402, None),
            None if has_account && least <= available => (200, Some(asked.min(available).min(room))),
            None if balance >= least.max(1) => (409, None),
            None => (402, None),
        };
        if (status, answer["credits"].as_i64().filter(|_| status == 200)) != expected {
            return Err(format!(
                "{about} with {available} of {balance} and room for {room} was answered with {status}: {answer}"
            ));
        }
        if status != 200 || known.is_some() {
            self.unchanged(&outcome.before, &SETTLING, "a spend that was made before or is refused")?;
        }
        if let (Some(id), Some(credits)) = (answer["id"].as_str(), expected.1) {
            let promise = (id.to_owned(), credits);
            if confirmed.is_some_and(|confirmed| confirmed.0 != promise.0) {
                return Err(format!("{key} has two ids, one is {id}"));
            }
            self.server.asked[place].confirmed = Some(promise);
        }
        Ok(())
    }

    /// The server captures, frees or extends one of its holds, perhaps a second time or late.
    fn end_hold(&mut self) -> Result<(), String> {
        let holds: Vec<String> = self.books.holds.keys().cloned().collect();
        if holds.is_empty() {
            self.note("idle", "no holds");
            return Ok(());
        }
        let id = self.rng.pick(&holds).clone();
        let hold = self.books.holds[&id].clone();
        let (action, body) = match self.rng.below(5) {
            0 => ("release", json!({})),
            1 => ("extend", json!({ "credits": hold.credits + 5 })),
            2 => ("capture", json!({ "credits": hold.credits })),
            3 => ("capture", json!({ "credits": hold.credits + 30 })),
            _ => ("capture", json!({ "credits": hold.credits / 2 })),
        };
        let (available, _) = self.available(&hold.account_id);
        let room = self.room(&hold.account_id, &hold.subject);
        let is_open = hold.state == "open" && hold.expires_at > self.clock.now_ms();
        let request = TestRequest::post().uri(&format!("/credits/holds/{id}/{action}")).set_json(&body);
        let request = self.as_server("-", request);
        let fate = if self.rng.percent(20) { self.death() } else { Fate::Nothing };
        let outcome = self.serve_with(request, (VecDeque::new(), fate));
        let about = format!("{action} {id} {body}");
        let (status, answer) = match outcome.ended {
            Ended::Answered(Answer { status, body }) => (status, body),
            Ended::Died { committed } => {
                self.note("end_hold", &format!("{about} dies, committed: {committed}"));
                return if committed { Ok(()) } else { self.unchanged(&outcome.before, &[], "a capture that died") };
            }
            Ended::Suspended => return Err("nothing was to be suspended".to_owned()),
        };
        self.note("end_hold", &format!("{about} {status} {}", answer["credits"]));
        if status >= 500 && self.process.has_bad_disk() {
            return self.unchanged(&outcome.before, &[], "a capture that failed");
        }
        let wanted = body["credits"].as_i64().unwrap_or_default();
        let expected = match (hold.state.as_str(), action) {
            // The same amount again is the same answer.
            ("captured", "capture") if hold.asked_to_capture == Some(wanted) => (200, hold.captured_credits),
            ("captured", _) | ("released", "capture" | "extend") => (409, None),
            (_, "release") => (200, Some(hold.credits)),
            (_, "extend") if !is_open => (409, None),
            (_, "extend") if room < 5 => (402, None),
            (_, "extend") if available >= 5 => (200, Some(hold.credits + 5)),
            (_, "extend") => (if self.available(&hold.account_id).1 >= 5 { 409 } else { 402 }, None),
            _ if is_open => {
                (200, Some(wanted.min(hold.credits) + (wanted - hold.credits).clamp(0, available.min(room))))
            }
            _ => (200, Some(wanted.min(available).min(room))),
        };
        if (status, answer["credits"].as_i64().filter(|_| status == 200)) != expected {
            return Err(format!(
                "{about} of {hold:?} with {available} and room for {room} was answered with {status}: {answer}"
            ));
        }
        Ok(())
    }

    /// The server gives credits of a spend back.
    fn give_back(&mut self) -> Result<(), String> {
        let spends: Vec<String> = self.books.spends.keys().cloned().collect();
        if spends.is_empty() {
            self.note("idle", "no spends");
            return Ok(());
        }
        let id = self.rng.pick(&spends).clone();
        let spend = self.books.spends[&id].clone();
        let credits = self.rng.between(1, 50);
        let key = format!("back-{}", self.step);
        let request = TestRequest::post().uri(&format!("/credits/debits/{id}/refunds"));
        let request = self.as_server(&key, request.set_json(json!({ "credits": credits })));
        let fate = if self.rng.percent(20) { self.death() } else { Fate::Nothing };
        let outcome = self.serve_with(request, (VecDeque::new(), fate));
        let Ended::Answered(Answer { status, body }) = outcome.ended else {
            self.note("give_back", &format!("{id} {credits} dies"));
            return Ok(());
        };
        self.note("give_back", &format!("{id} {credits} {status}"));
        if status >= 500 && self.process.has_bad_disk() {
            return self.unchanged(&outcome.before, &[], "a refund of a spend that failed");
        }
        let expected = if credits <= spend.credits - spend.refunded_credits { 200 } else { 409 };
        if status == expected { Ok(()) } else { Err(format!("{credits} of {spend:?}: {status} {body}")) }
    }

    /// Everything that was confirmed is in the books, and nothing that was not asked for.
    pub(super) fn check_spending(&self) -> Result<(), String> {
        for asked in &self.server.asked {
            let Some((id, credits)) = &asked.confirmed else { continue };
            let stored = if asked.is_hold {
                self.books.holds.get(id).map(|hold| hold.credits >= *credits)
            } else {
                self.books.spends.get(id).map(|spend| spend.credits == *credits)
            };
            if stored != Some(true) {
                return Err(format!("{asked:?} is not in the books"));
            }
        }
        let debits = self.books.spends.values().filter(|spend| spend.hold_id.is_none()).count();
        if debits + self.books.holds.len() <= self.server.asked.len() {
            return Ok(());
        }
        Err("there are spends or holds that nobody asked for".to_owned())
    }
}
