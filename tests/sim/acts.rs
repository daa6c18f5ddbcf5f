//! Everything that happens at Stripe without the service: customers pay, fail and return late; banks and dashboard
//! users move refunds and disputes; other products sell on the same account.

use serde_json::{Value, json};

use super::books::{Books, Topup};
use super::rng::Rng;
use super::stripe::SharedStripe;
use super::truth::Session;

/// The payment methods of customers, with weights.
const METHODS: [(&str, u64); 12] = [
    ("pm_card_visa", 40),
    ("pm_card_visa_chargeDeclined", 8),
    ("pm_card_visa_chargeDeclinedInsufficientFunds", 5),
    ("pm_sandbox_delayed", 12),
    ("pm_card_authenticationRequired", 8),
    ("pm_card_authenticationRequiredChargeDeclinedInsufficientFunds", 2),
    ("pm_card_pendingRefund", 8),
    ("pm_card_refundFail", 6),
    ("pm_card_createDispute", 3),
    ("pm_card_createDisputeInquiry", 3),
    ("pm_card_createDisputeProductNotReceived", 2),
    ("pm_card_radarBlock", 1),
];

/// The kind of act, and its object.
pub type Done = (&'static str, String);

/// No act was possible.
fn idle(why: &str) -> Done {
    ("idle", why.to_owned())
}

/// Anyone who acts at Stripe.
pub struct Bystander<'w> {
    /// The source of randomness.
    pub rng: &'w mut Rng,
    /// The simulated Stripe.
    pub stripe: &'w SharedStripe,
    /// Our books, to tell the top-ups apart.
    pub books: &'w Books,
}

impl Bystander<'_> {
    /// A customer pays or tries to pay.
    pub fn pay(&mut self) -> Done {
        let open: Vec<Session> =
            self.stripe.lock().truth.sessions.values().filter(|session| session.is_open).cloned().collect();
        if open.is_empty() {
            return idle("nobody has a page to pay on");
        }
        let session = self.rng.pick(&open).clone();
        let topup = session.topup.as_ref().and_then(|topup| self.books.topups.get(topup));
        let is_orphan = topup.is_some_and(|topup| topup.provider_session_id.as_ref() != Some(&session.id));
        // This session was never handed out, but a person with access to Stripe's dashboard can find it and pay a
        // second time.
        if is_orphan && self.rng.percent(70) {
            return idle("a page that nobody knows");
        }
        let mut choice = self.rng.below(METHODS.iter().map(|(_, weight)| weight).sum());
        let method = METHODS.iter().find(|(_, weight)| {
            let chosen = choice < *weight;
            choice = choice.saturating_sub(*weight);
            chosen
        });
        let method = method.map_or("pm_card_visa", |(name, _)| name);
        let form = format!("payment_method={method}&expected_amount={}", session.total);
        let answer = self.stripe.ask("POST", &format!("/v1/payment_pages/{}/confirm", session.id), &form);
        (if is_orphan { "pay_twice" } else { "pay" }, format!("{} {method} {}", session.id, answer.status))
    }

    /// Finishes a pending payment: 3-D Secure or a delayed method.
    pub fn finish_payment(&mut self) -> Done {
        let begun: Vec<(String, bool)> = {
            let stripe = self.stripe.lock();
            let intents = stripe.truth.intents.iter();
            let begun = intents.filter(|(_, intent)| ["requires_action", "processing"].contains(&&*intent.status));
            begun.map(|(id, intent)| (id.clone(), intent.status == "processing")).collect()
        };
        if begun.is_empty() {
            return idle("no payment is under way");
        }
        let (intent, is_delayed) = self.rng.pick(&begun).clone();
        let (action, good, bad) =
            if is_delayed { ("settle", "succeeded", "failed") } else { ("challenge", "passed", "failed") };
        let outcome = if self.rng.percent(70) { good } else { bad };
        let path = format!("/_sandbox/payment_intents/{intent}/{action}");
        let answer = self.stripe.control(&path, &json!({ "outcome": outcome }));
        (action, format!("{intent} {outcome} {}", answer.status))
    }

    /// A successful payment, if there is one; it may be another product's.
    fn paid_intent(&mut self) -> Option<(String, i64)> {
        let paid: Vec<(String, i64)> = {
            let stripe = self.stripe.lock();
            let paid = stripe.truth.sessions.values().filter(|session| session.is_paid);
            paid.filter_map(|session| Some((session.intent.clone()?, session.total))).collect()
        };
        if paid.is_empty() { None } else { Some(self.rng.pick(&paid).clone()) }
    }

    /// A dashboard user refunds a payment.
    pub fn refund(&mut self) -> Done {
        let Some((intent, total)) = self.paid_intent() else { return idle("nothing was paid") };
        let amount = match self.rng.below(4) {
            0 => None,
            1 => Some(self.rng.between(1, 5).min(total)),
            _ => Some(self.rng.between(1, total)),
        };
        let body = amount.map_or_else(|| json!({}), |amount| json!({ "amount": amount }));
        let answer = self.stripe.control(&format!("/_sandbox/payment_intents/{intent}/refund"), &body);
        ("refund", format!("{intent} {amount:?} {}", answer.status))
    }

    /// The refunds or disputes that can still change, with their possible next states.
    fn movable(&self, is_dispute: bool) -> Vec<(String, &'static [&'static str])> {
        let stripe = self.stripe.lock();
        let reversals = stripe.truth.reversals.iter().filter(|(_, reversal)| reversal.is_dispute == is_dispute);
        let next = reversals.map(|(id, reversal)| (id.clone(), next_states(&reversal.now().status)));
        next.filter(|(_, next)| !next.is_empty()).collect()
    }

    /// The bank pays out a refund, returns it, or waits for the customer.
    pub fn move_refund(&mut self) -> Done {
        let movable = self.movable(false);
        if movable.is_empty() {
            return idle("no refund is under way");
        }
        let (id, next) = self.rng.pick(&movable).clone();
        let status = *self.rng.pick(next);
        let answer = self.stripe.control(&format!("/_sandbox/refunds/{id}"), &json!({ "status": status }));
        ("refund_moves", format!("{id} {status} {}", answer.status))
    }

    /// A customer disputes a payment.
    pub fn dispute(&mut self) -> Done {
        let Some((intent, total)) = self.paid_intent() else { return idle("nothing was paid") };
        let mut body = json!({ "inquiry": self.rng.percent(30) });
        if self.rng.percent(40) {
            body["amount"] = Value::from(self.rng.between(1, total));
        }
        let answer = self.stripe.control(&format!("/_sandbox/payment_intents/{intent}/dispute"), &body);
        ("dispute", format!("{intent} {body} {}", answer.status))
    }

    /// A dispute proceeds, ends (possibly won in part), is appealed, or is corrected, even long after its end.
    pub fn move_dispute(&mut self) -> Done {
        if self.rng.percent(25) {
            return self.correct_dispute();
        }
        let movable = self.movable(true);
        if movable.is_empty() {
            return idle("no dispute is under way");
        }
        let (id, next) = self.rng.pick(&movable).clone();
        let to = *self.rng.pick(next);
        let mut body = json!({ "to": to });
        if to == "won" && self.rng.percent(40) {
            body["reinstated"] = json!(self.rng.between(1, self.out_of(&id).max(1)));
        }
        let answer = self.stripe.control(&format!("/_sandbox/disputes/{id}"), &body);
        ("dispute_moves", format!("{id} {body} {}", answer.status))
    }

    /// How much of a dispute's money the bank has.
    fn out_of(&self, dispute: &str) -> i64 {
        self.stripe.lock().truth.reversals.get(dispute).map_or(0, |reversal| reversal.now().out)
    }

    /// Known mistake 34: Stripe moves some of the money once more, mostly little, whatever the dispute came to.
    fn correct_dispute(&mut self) -> Done {
        let disputes: Vec<(String, i64)> = {
            let stripe = self.stripe.lock();
            let moved = stripe.truth.reversals.iter().filter(|(_, reversal)| reversal.is_dispute);
            moved.map(|(id, reversal)| (id.clone(), reversal.now().out)).filter(|(_, out)| *out > 1).collect()
        };
        if disputes.is_empty() {
            return idle("no bank has money");
        }
        let (id, out) = self.rng.pick(&disputes).clone();
        let amount =
            if self.rng.percent(70) { self.rng.between(1, 3.min(out - 1)) } else { self.rng.between(1, out - 1) };
        let answer = self.stripe.control(&format!("/_sandbox/disputes/{id}/movement"), &json!({ "amount": amount }));
        ("dispute_corrected", format!("{id} {amount} {}", answer.status))
    }

    /// A sale of another product or environment on the same Stripe account, or a wrong copy of one of our top-ups.
    pub fn something_else_is_sold(&mut self) -> Done {
        let ours: Vec<(String, String, i64, i64)> = {
            // Prefer a top-up whose session is unknown because the process died: any session could be its own.
            let topups = self.books.topups.values();
            let is_lost = |topup: &&Topup| topup.provider_session_id.is_none();
            let has_lost = topups.clone().any(|topup| is_lost(&topup));
            let topups = topups.filter(|topup| !has_lost || is_lost(topup));
            topups
                .map(|topup| (topup.id.clone(), topup.account_id.clone(), topup.credits, topup.total_amount))
                .collect()
        };
        let (kind, metadata, total) = match self.rng.below(3) {
            0 => ("other_product", "metadata[order]=7".to_owned(), self.rng.between(100, 900)),
            1 => {
                let topup = format!("topup_{:032x}", u128::from(self.rng.next()));
                ("other_environment", marks(&topup, "user_1", 250), 289)
            }
            _ if ours.is_empty() => return idle("no purchase to copy"),
            _ => {
                let (topup, account, credits, total) = self.rng.pick(&ours).clone();
                ("wrong_copy", marks(&topup, &account, credits), total + 1)
            }
        };
        let form = format!(
            "mode=payment&success_url=https://shop.test/&line_items[0][quantity]=1\
             &line_items[0][price_data][currency]=usd&line_items[0][price_data][unit_amount]={total}\
             &line_items[0][price_data][product_data][name]=Thing&{metadata}"
        );
        let answer = self.stripe.ask("POST", "/v1/checkout/sessions", &form);
        (kind, format!("{} {total}", answer.status))
    }
}

fn marks(topup: &str, account: &str, credits: i64) -> String {
    let credits = credits.to_string();
    let marks = [("purpose", "credits_topup"), ("topupId", topup), ("accountId", account), ("credits", &credits)];
    let marks =
        marks.map(|(name, value)| format!("&metadata[{name}]={value}&payment_intent_data[metadata][{name}]={value}"));
    format!("client_reference_id={account}{}", marks.concat())
}

/// The possible next states of a refund or dispute, as the sandbox's controls name them.
fn next_states(status: &str) -> &'static [&'static str] {
    match status {
        "pending" => &["succeeded", "failed", "requires_action"],
        "requires_action" => &["succeeded", "failed", "canceled"],
        "succeeded" => &["failed"],
        "warning_needs_response" => &["under_review", "warning_closed", "needs_response"],
        "warning_under_review" => &["warning_closed", "needs_response"],
        "needs_response" => &["under_review", "won", "lost"],
        "under_review" | "appeal_under_review" => &["won", "lost"],
        "won" => &["withdrawn"],
        _ => &[],
    }
}
