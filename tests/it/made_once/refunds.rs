//! One refund at Stripe and one set of credits taken.

use serde_json::{Value, json};
use topup::access::caller_key::CallerKey;
use topup::access::operator::Operator;
use topup::domain::ids::TopupId;
use topup::domain::refund::RefundAsk;
use topup::purchases::refund::refund_topup::{RefundTopup, refund_topup};

use super::{
    Death, LAG_SECONDS, LATE_SECONDS, Repetition, Sequence, clear, in_lanes, lag, pass, plan, repeat_until_done,
    repeat_until_open, start,
};
use crate::admin::{Purchase, pay, refund};
use crate::support::{Backend, TestApp, until};

/// After this many refunds the next top-up is used: longer lists would take most of the time.
const REFUNDS_OF_A_PURCHASE: i64 = 10;

/// Top-ups of one account, refunded one credit at a time.
struct Shop {
    app: TestApp,
    purchase: Purchase,
    refunded: i64,
    credits: i64,
    number: u64,
}

impl Shop {
    async fn open(backend: Backend) -> Self {
        let app = start(backend).await;
        let purchase = Self::buy(&app, 0).await;
        Self { app, purchase, refunded: 0, credits: 250, number: 0 }
    }

    /// Buys without list lag, so that the payment is found in a list.
    async fn buy(app: &TestApp, number: u64) -> Purchase {
        lag(app, 0).await;
        let session = repeat_until_open(app, "user_1", &format!("purchase-{number}"), "a purchase").await;
        let (purchase, event) = pay(app, session, "pm_card_visa").await;
        until("the purchase is credited", async || (app.deliver(&event).await.status == 200).then_some(())).await;
        lag(app, LAG_SECONDS).await;
        purchase
    }

    /// The key of the next refund. Buys a new top-up if the current one has no room left.
    async fn next(&mut self) -> String {
        if self.refunded == REFUNDS_OF_A_PURCHASE {
            self.purchase = Self::buy(&self.app, self.number).await;
            (self.refunded, self.credits) = (0, self.credits + 250);
        }
        self.number += 1;
        format!("key-{}", self.number)
    }

    fn command(&self, key: &str) -> RefundTopup {
        let topup = TopupId::parse(&self.purchase.topup).expect("an id");
        RefundTopup {
            key: CallerKey::of_refund(&topup, key.to_owned()),
            topup,
            ask: RefundAsk::Credits(1),
            payment: None,
            reason: "requested_by_customer".to_owned(),
            operator: Operator { name: "a test".to_owned(), account: None },
        }
    }

    /// Repeats a refund request until it succeeds.
    async fn repeat(&self, key: &str, about: &str) -> Value {
        repeat_until_done(&self.app, about, async || {
            let answer = refund(&self.app, &self.purchase, key, json!({ "credits": 1 })).await;
            match answer.status {
                200 => Repetition::Done(answer.body),
                // Not created or not known yet: each answer says to retry, or why not.
                409 | 422 | 502..=504 => Repetition::Again(answer),
                _ => Repetition::Wrong(answer),
            }
        })
        .await
    }

    /// There is one more refund and one credit less.
    async fn check(&mut self, about: &str) {
        clear(&self.app).await;
        // Wait until the late work at Stripe is done and listed.
        pass(&self.app, LATE_SECONDS + LAG_SECONDS + 2).await;
        (self.refunded, self.credits) = (self.refunded + 1, self.credits - 1);
        let list = format!("/v1/refunds?limit=100&payment_intent={}", self.purchase.payment);
        let at_stripe = self.app.stripe.get(&list).await["data"].as_array().expect("a list").len();
        assert_eq!(i64::try_from(at_stripe).expect("fits"), self.refunded, "{about}: refunds at Stripe");
        assert_eq!(self.app.credits("user_1").await, self.credits, "{about}: credits");
    }
}

async fn no_sequence_refunds_twice(backend: Backend, sequences: Vec<Sequence>) {
    let mut shop = Shop::open(backend).await;
    for sequence in sequences {
        let (key, about) = (shop.next().await, format!("{sequence:?}"));
        plan(&shop.app, "/v1/refunds", &sequence).await;
        shop.repeat(&key, &about).await;
        shop.check(&about).await;
    }
    shop.app.finish().await;
}

/// Runs each sequence with a process that dies at each checkpoint; the next process continues.
async fn no_death_refunds_twice(backend: Backend, sequences: Vec<Sequence>) {
    let mut shop = Shop::open(backend).await;
    for sequence in sequences {
        for place in 0.. {
            let (key, about) = (shop.next().await, format!("{sequence:?}, dead at {place}"));
            plan(&shop.app, "/v1/refunds", &sequence).await;
            let (inside, command) = (shop.app.app.clone(), shop.command(&key));
            let ended = Death::at(place).or(refund_topup(&inside, command)).await;
            shop.repeat(&key, &about).await;
            shop.check(&about).await;
            if ended.is_some() {
                break;
            }
        }
    }
    shop.app.finish().await;
}

#[test]
fn no_two_faults_refund_twice_on_postgres() {
    in_lanes(2, |sequences| no_sequence_refunds_twice(Backend::Postgres, sequences));
}

/// Known mistake 25.
#[test]
fn no_three_faults_refund_twice_on_sqlite() {
    in_lanes(3, |sequences| no_sequence_refunds_twice(Backend::Sqlite, sequences));
}

#[test]
fn no_death_between_two_faults_refunds_twice_on_sqlite() {
    in_lanes(2, |sequences| no_death_refunds_twice(Backend::Sqlite, sequences));
}

#[test]
fn no_death_after_a_fault_refunds_twice_on_postgres() {
    in_lanes(1, |sequences| no_death_refunds_twice(Backend::Postgres, sequences));
}
