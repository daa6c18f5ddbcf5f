//! Deliveries in the mix that Stripe sends. Each top-up has a charge, the charge's fee and a session; a tenth of the
//! sessions expire instead, and a hundredth of the top-ups are refunded a little later.

use crate::event::{SECRET, completed, delivery};
use crate::load::Request;
use crate::purchase::{Buyers, Purchase};
use crate::recording::Recording;
use crate::template::Template;

/// How many top-ups come between a payment and its refund.
const REFUND_AFTER: u64 = 300;

/// The effect of a delivery on the books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// No credits move.
    None,
    /// A top-up is paid.
    Credits,
    /// A top-up's credits are taken back.
    TakesBack,
}

/// Deliveries in order, each with its effect.
#[derive(Default)]
pub struct AsSent {
    pub requests: Vec<Request>,
    effects: Vec<Effect>,
}

impl AsSent {
    /// The deliveries of `count` top-ups from `first` on, signed at `now_seconds`.
    pub fn new(recording: &Recording, first: u64, count: u64, now_seconds: i64) -> Self {
        let (credits, mut sent) = (completed(), Self::default());
        for index in 0..count {
            let purchase = Purchase { number: first.saturating_add(index), buyers: Buyers::Many };
            if expires(index) {
                sent.push(&recording.expired, purchase, 1, now_seconds, Effect::None);
                continue;
            }
            for (which, template) in recording.charge.iter().enumerate() {
                sent.push(template, purchase, which.saturating_add(2), now_seconds, Effect::None);
            }
            sent.push(&credits, purchase, 0, now_seconds, Effect::Credits);
            let Some(refunded) = index.checked_sub(REFUND_AFTER).filter(|index| is_refunded(*index)) else { continue };
            let purchase = Purchase { number: first.saturating_add(refunded), buyers: Buyers::Many };
            for (which, template) in recording.refund.iter().enumerate() {
                let effect = if which == 0 { Effect::TakesBack } else { Effect::None };
                sent.push(template, purchase, which.saturating_add(16), now_seconds, effect);
            }
        }
        sent
    }

    fn push(&mut self, template: &Template, purchase: Purchase, which: usize, now_seconds: i64, effect: Effect) {
        let body = template.fill(purchase, &purchase.event(which), now_seconds);
        self.requests.push(delivery(&body, SECRET, now_seconds));
        self.effects.push(effect);
    }

    /// How many top-ups these deliveries pay, and how many they refund.
    pub fn effects(effects: &[Effect]) -> (u64, u64) {
        let count = |wanted| effects.iter().filter(|effect| **effect == wanted).count();
        let number = |count| u64::try_from(count).unwrap_or(u64::MAX);
        (number(count(Effect::Credits)), number(count(Effect::TakesBack)))
    }

    /// Separates the requests from their effects.
    pub fn split(self) -> (Vec<Request>, Vec<Effect>) {
        (self.requests, self.effects)
    }
}

const fn expires(index: u64) -> bool {
    index % 10 == 9
}

/// Never true for a top-up whose session expires.
const fn is_refunded(index: u64) -> bool {
    index % 100 == 50
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_expires_a_hundredth_is_refunded_and_each_payment_has_three_events() {
        let recording = Recording::make(1_800_000_000_000).unwrap();
        let sent = AsSent::new(&recording, 5, 1_000, 1_800_000_000);
        let mut kinds = std::collections::BTreeMap::<String, usize>::new();
        let mut ids = std::collections::BTreeSet::new();
        for request in &sent.requests {
            let text = std::str::from_utf8(&request.bytes).unwrap();
            let body = text.split_once("\r\n\r\n").unwrap().1;
            let event: serde_json::Value = serde_json::from_str(body).unwrap();
            *kinds.entry(event["type"].as_str().unwrap().to_owned()).or_default() += 1;
            assert!(ids.insert(event["id"].as_str().unwrap().to_owned()), "{}", event["id"]);
        }
        for kind in ["charge.succeeded", "charge.updated", "checkout.session.completed"] {
            assert_eq!(kinds[kind], 900, "{kinds:?}");
        }
        assert_eq!(kinds["checkout.session.expired"], 100);
        assert_eq!(kinds["refund.created"], 7);
        let (requests, effects) = sent.split();
        assert_eq!(requests.len(), effects.len());
        assert_eq!(AsSent::effects(&effects), (900, 7));
        assert_eq!(AsSent::effects(&effects[..3]), (1, 0));
    }
}
