//! The job that learns what Stripe kept of each payment: it runs now and then, Stripe fails it in every way, also by not
//! knowing the movement yet, and it may die or wait in the middle. It touches nothing but the payments' own rows.

use std::collections::VecDeque;

use topup::ports::Clock;

use super::books::{Books, Payment};
use super::calls::{Outcome, Plan, Waiting};
use super::process::{Answer, Ended, Fate};
use super::stripe::{FAULTS, Fault, SharedStripe};
use super::world::World;

/// After how many questions a fee is left to the comparison of the books.
const MOST_QUESTIONS: i64 = 10;
/// The longest time in which the job asks nothing because Stripe fails.
const LONGEST_PAUSE_MS: i64 = 900_000;

impl World {
    /// The job runs.
    pub(super) fn learn_fees(&mut self) -> Result<(), String> {
        let (mut faults, fate) = self.plan();
        if self.rng.percent(30) {
            let count = self.rng.between(1, 4);
            let mut fault = || if self.rng.percent(40) { Fault::NotYet } else { *self.rng.pick(&FAULTS) };
            faults = (0..count).map(|_| Some(fault())).collect();
        }
        self.learn_fees_with((faults, fate))
    }

    fn learn_fees_with(&mut self, plan: Plan) -> Result<(), String> {
        let (fate, before, met) = self.begin(plan);
        let ended = self.process.learn_fees(fate);
        let outcome = self.outcome(ended, before, met);
        self.fees_learned(outcome)
    }

    /// What came of a run.
    pub(super) fn fees_learned(&mut self, outcome: Outcome) -> Result<(), String> {
        match outcome.ended {
            Ended::Suspended => {
                self.waiting = Some(Waiting::Fees);
                self.note("fees", "wait");
                Ok(())
            }
            Ended::Died { committed } => {
                self.note("fees", &format!("die, committed: {committed}"));
                let may_change: &[&str] = if committed { &["payments"] } else { &[] };
                self.unchanged(&outcome.before, may_change, "a job for fees that died")
            }
            Ended::Answered(Answer { status, body }) => {
                self.note("fees", &format!("{status} {body}"));
                for _ in 0..body.as_u64().unwrap_or(0) {
                    self.count("fees_learned");
                }
                if status != 200 && !self.process.has_bad_disk() {
                    return Err(format!("the job for fees failed although the database works: {body}"));
                }
                self.unchanged(&outcome.before, &["payments"], "a job for fees")
            }
        }
    }

    /// When nothing goes wrong any more, every fee whose movement was heard of is learned, or was asked for too often.
    pub(super) fn finish_fees(&mut self) -> Result<(), String> {
        self.look();
        let Some(last_ms) = self.books.payments.values().filter_map(|payment| payment.fee_due_at).max() else {
            return Ok(());
        };
        self.step += 1;
        self.clock.advance_ms((last_ms - self.clock.now_ms()).max(LONGEST_PAUSE_MS));
        self.stripe.tick();
        self.learn_fees_with((VecDeque::new(), Fate::Nothing))?;
        self.check()?;
        match self.books.payments.values().find(|payment| payment.fee_due_at.is_some()) {
            Some(left) => Err(format!("nothing is wrong, and a fee is not learned: {left:?}")),
            None => Ok(()),
        }
    }
}

/// What holds of fees at any time: none is forgotten, and each that is known is the one of its movement.
pub fn verify_fees(books: &Books, stripe: &SharedStripe) -> Result<(), String> {
    for payment in books.payments.values() {
        verify_fee(payment, stripe)?;
    }
    Ok(())
}

fn verify_fee(payment: &Payment, stripe: &SharedStripe) -> Result<(), String> {
    let Some(movement) = &payment.provider_fee_id else {
        let is_nothing = payment.real_fee.is_none() && payment.fee_due_at.is_none();
        return if is_nothing { Ok(()) } else { Err(format!("a fee without a movement: {payment:?}")) };
    };
    let Some(fee) = payment.real_fee else {
        let is_forgotten = payment.fee_due_at.is_none() && payment.fee_tries < MOST_QUESTIONS;
        return if is_forgotten { Err(format!("a fee is forgotten: {payment:?}")) } else { Ok(()) };
    };
    let real = stripe.ask("GET", &format!("/v1/balance_transactions/{movement}"), "").body;
    if real["fee"].as_i64() == Some(fee) { Ok(()) } else { Err(format!("{payment:?} is {real} at Stripe")) }
}
