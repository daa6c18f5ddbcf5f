//! What happens to plans without the service: customers pay on pages or fail, their time passes, banks change their
//! answers and dispute, and operators refund, void and give up at Stripe.

use serde_json::{Value, json};

use super::acts::Done;
use super::rng::Rng;
use super::stripe::SharedStripe;

/// The cards that are entered on a page or in the portal, with weights.
const CARDS: [(&str, u64); 8] = [
    ("pm_card_visa", 60),
    ("pm_card_chargeCustomerFail", 8),
    ("pm_card_visa_chargeDeclined", 8),
    ("pm_card_authenticationRequired", 6),
    ("pm_card_pendingRefund", 6),
    ("pm_card_refundFail", 6),
    ("pm_card_createDispute", 4),
    ("pm_card_createDisputeInquiry", 2),
];

/// What banks answer to further charges.
const ANSWERS: [Option<&str>; 7] = [
    None,
    None,
    None,
    Some("insufficient_funds"),
    Some("processing_error"),
    Some("lost_card"),
    Some("authentication_required"),
];

/// Customers' own time passes by at most so many steps in a run.
pub const MOST_RENEWALS: u32 = 120;

/// Anyone who acts at Stripe upon plans and saved cards.
pub struct Payer<'w> {
    /// The source of randomness.
    pub rng: &'w mut Rng,
    /// The simulated Stripe.
    pub stripe: &'w SharedStripe,
}

/// One of these, if there are any.
pub fn one_of<T: Clone>(rng: &mut Rng, of: &[T]) -> Option<T> {
    if of.is_empty() { None } else { Some(rng.pick(of).clone()) }
}

fn idle(why: &str) -> Done {
    ("idle", why.to_owned())
}

impl Payer<'_> {
    fn a_card(&mut self) -> &'static str {
        let mut choice = self.rng.below(CARDS.iter().map(|(_, weight)| weight).sum());
        let card = CARDS.iter().find(|(_, weight)| {
            let is_chosen = choice < *weight;
            choice = choice.saturating_sub(*weight);
            is_chosen
        });
        card.map_or("pm_card_visa", |(name, _)| name)
    }

    /// A customer pays on a page that is not of a purchase, or saves a card there.
    pub fn pay(&mut self) -> Done {
        let pages: Vec<(String, i64)> = {
            let stripe = self.stripe.lock();
            let open = stripe.truth.sessions.values().filter(|session| session.is_open && session.is_recurring);
            open.map(|session| (session.id.clone(), session.total)).collect()
        };
        let Some((page, total)) = one_of(self.rng, &pages) else {
            return idle("no page of a plan");
        };
        let card = self.a_card();
        let form = format!("payment_method={card}&expected_amount={total}");
        let answer = self.stripe.ask("POST", &format!("/v1/payment_pages/{page}/confirm"), &form);
        ("pay_plan", format!("{page} {card} {}", answer.status))
    }

    /// The time of a customer passes, mostly until a renewal.
    pub fn time_passes(&mut self) -> Done {
        let statuses = ["trialing", "active", "past_due", "unpaid", "paused"];
        let running = self.stripe.lock().truth.subscriptions_that_are(&statuses);
        let Some((id, customer)) = one_of(self.rng, &running) else { return idle("nobody has a plan") };
        let body = match self.rng.below(12) {
            // The renewal is a draft, and charged in an hour.
            0..=1 => {
                let subscription = self.stripe.ask("GET", &format!("/v1/subscriptions/{id}"), "").body;
                let end = subscription["items"]["data"][0]["current_period_end"].as_i64().expect("a time");
                json!({ "to": end + 60 })
            }
            2..=6 => json!({ "to_renewal": true }),
            7 => json!({ "seconds": self.rng.between(1, 7_200) }),
            _ => json!({ "seconds": self.rng.between(86_400, 16 * 86_400) }),
        };
        let answer = self.stripe.control(&format!("/_sandbox/customers/{customer}/advance"), &body);
        ("renew", format!("{customer} {body} {}", answer.status))
    }

    /// A bank decides about further charges of a customer's card.
    pub fn bank_decides(&mut self) -> Done {
        let customers: Vec<String> = self.stripe.lock().truth.customers.keys().cloned().collect();
        let Some(customer) = one_of(self.rng, &customers) else {
            return idle("nobody has a card");
        };
        let cards = self.stripe.ask("GET", "/v1/payment_methods", &format!("customer={customer}&type=card")).body;
        let cards: Vec<String> = cards["data"].as_array().into_iter().flatten().filter_map(id_of).collect();
        let Some(card) = one_of(self.rng, &cards) else {
            return idle("nobody has a card");
        };
        let decline = *self.rng.pick(&ANSWERS);
        let path = format!("/_sandbox/payment_methods/{card}/charges");
        let answer = self.stripe.control(&path, &json!({ "decline": decline }));
        ("bank", format!("{card} {decline:?} {}", answer.status))
    }

    /// A customer pays or confirms an open invoice, or somebody at Stripe gives it up.
    pub fn settle_invoice(&mut self) -> Done {
        let open: Vec<String> = {
            let stripe = self.stripe.lock();
            let open =
                stripe.truth.invoices.iter().filter(|(_, status)| ["open", "uncollectible"].contains(&&***status));
            open.map(|(id, _)| id.clone()).collect()
        };
        let Some(invoice) = one_of(self.rng, &open) else {
            return idle("no invoice is open");
        };
        let choice = self.rng.below(10);
        let (what, answer) = match choice {
            0..=4 => ("pay", self.stripe.ask("POST", &format!("/v1/invoices/{invoice}/pay"), "")),
            5..=7 => {
                let outcome = if choice == 5 { "failed" } else { "passed" };
                let path = format!("/_sandbox/invoices/{invoice}/challenge");
                (outcome, self.stripe.control(&path, &json!({ "outcome": outcome })))
            }
            8 => ("void", self.stripe.ask("POST", &format!("/v1/invoices/{invoice}/void"), "")),
            _ => {
                let path = format!("/v1/invoices/{invoice}/mark_uncollectible");
                ("give_up", self.stripe.ask("POST", &path, ""))
            }
        };
        ("invoice", format!("{invoice} {what} {}", answer.status))
    }

    /// A payment that no page of a purchase was for: of an invoice, or of a saved card.
    fn a_recurring_payment(&mut self) -> Option<(String, i64)> {
        let paid: Vec<(String, i64)> = {
            let stripe = self.stripe.lock();
            let truth = &stripe.truth;
            let pages: Vec<&String> = truth.sessions.values().filter_map(|session| session.intent.as_ref()).collect();
            let paid = truth.intents.iter().filter(|(_, intent)| intent.status == "succeeded" && intent.amount > 0);
            let paid = paid.filter(|(id, _)| !pages.contains(id));
            paid.map(|(id, intent)| (id.clone(), intent.amount)).collect()
        };
        one_of(self.rng, &paid)
    }

    /// An operator refunds such a payment in Stripe's dashboard.
    pub fn refund(&mut self) -> Done {
        let Some((payment, total)) = self.a_recurring_payment() else {
            return idle("no invoice is paid");
        };
        let body = if self.rng.percent(35) { json!({}) } else { json!({ "amount": self.rng.between(1, total) }) };
        let answer = self.stripe.control(&format!("/_sandbox/payment_intents/{payment}/refund"), &body);
        ("refund_invoice", format!("{payment} {body} {}", answer.status))
    }

    /// A customer disputes such a payment.
    pub fn dispute(&mut self) -> Done {
        let Some((payment, total)) = self.a_recurring_payment() else {
            return idle("no invoice is paid");
        };
        let mut body = json!({ "inquiry": self.rng.percent(30) });
        if self.rng.percent(40) {
            body["amount"] = Value::from(self.rng.between(1, total));
        }
        let answer = self.stripe.control(&format!("/_sandbox/payment_intents/{payment}/dispute"), &body);
        ("dispute_invoice", format!("{payment} {body} {}", answer.status))
    }

    /// An operator changes in Stripe's dashboard what happens to renewals that are not paid.
    pub fn dunning_changes(&mut self) -> Done {
        let after = *self.rng.pick(&["cancel", "unpaid", "past_due"]);
        let answer = self.stripe.control("/_sandbox/billing", &json!({ "after_retries": after }));
        ("dunning", format!("{after} {}", answer.status))
    }
}

fn id_of(object: &Value) -> Option<String> {
    object["id"].as_str().map(str::to_owned)
}
