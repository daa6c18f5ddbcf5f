//! The operator's requests to the API: refunds and adjustments, each with an idempotency key.

use std::collections::VecDeque;

use actix_web::test::TestRequest;
use serde_json::{Value, json};
use topup::domain::attempt::QUIET_MS;

use super::calls::{Outcome, Plan, Waiting};
use super::process::{Answer, Ended, Fate};
use super::spending::SETTLING;
use super::world::World;

/// A requested refund.
#[derive(Debug, Clone)]
pub struct AskedRefund {
    topup: String,
    body: Value,
    key: String,
    refund: Option<String>,
    pub(super) attempts: u32,
    /// Whether the latest answer was that the result is unknown, or there was no answer.
    is_unknown: bool,
    /// Whether the latest answer was that a process, which may have died, is working on it.
    is_in_use: bool,
}

/// A requested adjustment.
#[derive(Debug, Clone)]
pub struct AskedAdjustment {
    account: String,
    credits: i64,
    key: String,
    is_made: bool,
}

/// All requests of the operator.
#[derive(Debug, Default)]
pub struct Office {
    /// Oldest first.
    pub refunds: Vec<AskedRefund>,
    /// Oldest first.
    pub adjustments: Vec<AskedAdjustment>,
}

impl World {
    fn as_operator(&self, key: &str, request: TestRequest) -> TestRequest {
        self.with_token("operator", "admin", request).insert_header(("idempotency-key", key))
    }

    /// The operator refunds a top-up, or repeats a request.
    pub(super) fn refund_by_api(&mut self) -> Result<(), String> {
        let place = if !self.office.refunds.is_empty() && self.rng.percent(35) {
            self.rng.place(self.office.refunds.len())
        } else {
            let topups: Vec<(String, i64, i64)> = {
                let topups = self.books.topups.values();
                let topups = topups.filter(|topup| topup.state == "paid" || topup.id.ends_with('7'));
                topups.map(|topup| (topup.id.clone(), topup.credits, topup.total_amount)).collect()
            };
            if topups.is_empty() {
                self.note("idle", "nothing to refund");
                return Ok(());
            }
            let (topup, credits, total) = self.rng.pick(&topups).clone();
            let body = match self.rng.below(4) {
                0 if self.office.refunds.len() % 2 == 1 => json!({ "unspent": true }),
                0 => json!({}),
                1 => {
                    let some = self.rng.between(1, credits);
                    // Of three, two are whole units.
                    let odd = some % 3 == 0;
                    let whole = (some - 1) / self.unit_credits * self.unit_credits + self.unit_credits;
                    json!({ "credits": if odd { some } else { whole } })
                }
                2 => json!({ "amount": self.rng.between(1, total + 1) }),
                _ => json!({ "amount": self.rng.between(1, 40.min(total)), "reason": "duplicate" }),
            };
            let key = format!("refund-{}", self.office.refunds.len());
            self.office.refunds.push(AskedRefund {
                topup,
                body,
                key,
                refund: None,
                attempts: 0,
                is_unknown: false,
                is_in_use: false,
            });
            self.office.refunds.len() - 1
        };
        let plan = self.plan();
        self.ask_for_refund(place, plan)
    }

    fn ask_for_refund(&mut self, place: usize, plan: Plan) -> Result<(), String> {
        self.office.refunds[place].attempts += 1;
        let AskedRefund { topup, body, key, .. } = self.office.refunds[place].clone();
        let request = TestRequest::post().uri(&format!("/admin/topups/{topup}/refunds")).set_json(body);
        let request = self.as_operator(&key, request);
        let outcome = self.serve_with(request, plan);
        self.refunded(place, outcome)
    }

    /// Without further faults, every refund completes when it is repeated. If a process died before it saw a failure,
    /// the failure is seen only now, because Stripe replays it for the same key, and the quiet time starts then: this
    /// takes one more repetition.
    pub(super) fn finish_refunds(&mut self) -> Result<(), String> {
        for place in 0..self.office.refunds.len() {
            for is_again in [false, true] {
                if !self.office.refunds[place].is_unknown {
                    break;
                }
                if is_again {
                    self.clock.advance_ms(QUIET_MS);
                    self.stripe.tick();
                }
                self.ask_for_refund(place, (VecDeque::new(), Fate::Nothing))?;
                self.check()?;
            }
            if self.office.refunds[place].is_unknown {
                return Err(format!("{:?} comes to no end", self.office.refunds[place]));
            }
        }
        Ok(())
    }

    /// Checks the outcome of a refund request.
    pub(super) fn refunded(&mut self, place: usize, outcome: Outcome) -> Result<(), String> {
        let AskedRefund { topup, body, key, refund, attempts, .. } = self.office.refunds[place].clone();
        // A refund also finds out the result of earlier ones, which can change the books.
        let others_unknown = self.office.refunds.iter().any(|asked| asked.is_unknown || asked.is_in_use);
        self.office.refunds[place].is_unknown = match &outcome.ended {
            Ended::Answered(Answer { status, .. }) => *status >= 500,
            Ended::Suspended | Ended::Died { .. } => true,
        };
        if let Ended::Answered(Answer { body, .. }) = &outcome.ended {
            self.office.refunds[place].is_in_use = body["code"] == "idempotency_key_in_use";
        }
        let about = format!("{key} {topup} {body}");
        let is_unspent = body["unspent"] == true;
        let is_part_of_a_cent = body["credits"].as_i64().is_some_and(|credits| {
            self.books.topups.get(&topup).is_some_and(|topup| {
                i128::from(credits) * i128::from(topup.credit_unit_amount) % i128::from(topup.credit_unit_credits) != 0
            })
        });
        match outcome.ended {
            Ended::Suspended => {
                self.waiting = Some(Waiting::Refund(place));
                self.note("refund_by_api", &format!("{about} waits"));
            }
            Ended::Died { committed } => {
                self.note("refund_by_api", &format!("{about} dies, committed: {committed}"));
                if !committed {
                    self.unchanged(&outcome.before, &[], "a refund that died before any commit")?;
                }
            }
            Ended::Answered(Answer { status, body }) => {
                self.note("refund_by_api", &format!("{about} {status} {} {}", body["refundId"], body["code"]));
                let is_expected = match status {
                    200 | 409 => true,
                    400 => is_part_of_a_cent,
                    // Only a fault makes Stripe refuse with its own error.
                    422 => outcome.trouble,
                    500..=504 => outcome.trouble || attempts > 1,
                    _ => false,
                };
                if !is_expected {
                    return Err(format!("a refund without trouble was answered with {status}: {body}"));
                }
                if let Some(id) = body["refundId"].as_str() {
                    if refund.is_some_and(|known| known != id) {
                        return Err(format!("{key} has two refunds, one is {id}"));
                    }
                    self.office.refunds[place].refund = Some(id.to_owned());
                    self.promises.reversals.entry(id.to_owned()).or_default();
                } else if [400, 409].contains(&status) && !others_unknown {
                    // What is unspent is known once the account is settled.
                    let settling: &[&str] = if is_unspent {
                        &["ledger_entries", SETTLING[0], SETTLING[1], SETTLING[2], SETTLING[3]]
                    } else {
                        &[]
                    };
                    let except = [&["refund_requests"], settling].concat();
                    self.unchanged(&outcome.before, &except, "a refund that was refused")?;
                }
            }
        }
        Ok(())
    }

    /// The operator adds or removes credits, or repeats a request.
    pub(super) fn adjust(&mut self) -> Result<(), String> {
        if !self.settle_first() {
            return Ok(());
        }
        let place = if !self.office.adjustments.is_empty() && self.rng.percent(35) {
            self.rng.place(self.office.adjustments.len())
        } else {
            let account = self.rng.pick(&self.accounts.clone()).clone();
            let credits = *self.rng.pick(&[-1_000, -60, -1, 1, 40, 700]);
            let key = format!("adjustment-{}", self.office.adjustments.len());
            self.office.adjustments.push(AskedAdjustment { account, credits, key, is_made: false });
            self.office.adjustments.len() - 1
        };
        let AskedAdjustment { account, credits, key, is_made } = self.office.adjustments[place].clone();
        let body = json!({ "credits": credits, "reason": "the simulation", "create": true });
        let request = TestRequest::post().uri(&format!("/admin/accounts/{account}/adjustments")).set_json(body);
        let request = self.as_operator(&key, request);
        let fate = if self.rng.percent(20) { self.death() } else { Fate::Nothing };
        let (available, _) = self.available(&account);
        let outcome = self.serve_with(request, (VecDeque::new(), fate));
        let about = format!("{key} {account} {credits}");
        match outcome.ended {
            Ended::Answered(Answer { status, body }) => {
                self.note("adjust", &format!("{about} {status}"));
                if status >= 500 && self.process.has_bad_disk() {
                    return self.unchanged(&outcome.before, &SETTLING, "an adjustment that failed");
                }
                let has = available;
                let is_known = is_made || self.books.adjustments.contains_key(&key);
                let expected = if is_known || credits > 0 || has + credits >= 0 { 200 } else { 409 };
                self.office.adjustments[place].is_made |= status == 200;
                if status != expected {
                    return Err(format!("{about} with {has} there was answered with {status}: {body}"));
                }
                if is_known || status == 409 {
                    self.unchanged(&outcome.before, &SETTLING, "an adjustment that was made before or is refused")?;
                }
            }
            Ended::Died { committed } => {
                self.note("adjust", &format!("{about} dies, committed: {committed}"));
                if !committed {
                    self.unchanged(&outcome.before, &SETTLING, "an adjustment that died before its commit")?;
                }
            }
            Ended::Suspended => return Err("nothing was to be suspended".to_owned()),
        }
        Ok(())
    }

    /// Every confirmed adjustment is in the books, and no other.
    pub(super) fn check_office(&self) -> Result<(), String> {
        for asked in &self.office.adjustments {
            let stored = self.books.adjustments.get(&asked.key);
            let is_right = match stored {
                Some(stored) => (&stored.account_id, stored.credits) == (&asked.account, asked.credits),
                None => !asked.is_made,
            };
            if !is_right {
                return Err(format!("{asked:?} is stored as {stored:?}"));
            }
        }
        if self.books.adjustments.len() <= self.office.adjustments.len() {
            return Ok(());
        }
        Err("there are adjustments that nobody asked for".to_owned())
    }
}
