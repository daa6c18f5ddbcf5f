//! The job that learns Stripe's fee of each payment. It runs at times, Stripe fails it in every way (also with a
//! balance transaction that does not exist yet), and it may die or be suspended in the middle. It changes only the
//! payments' own rows.

use std::collections::VecDeque;

use topup::ports::Clock;

use super::books::{Books, Payment};
use super::calls::{Outcome, Plan, Waiting};
use super::process::{Answer, Ended, Fate};
use super::stripe::{FAULTS, Fault, SharedStripe};
use super::world::World;

/// After this many requests a fee is left to the reconciliation.
const MOST_QUESTIONS: i64 = 10;
/// The longest pause of the job after Stripe failed.
const LONGEST_PAUSE_MS: i64 = 900_000;

impl World {
    /// Runs the job.
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

    /// Checks the outcome of a run.
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

    /// Without further faults, every fee with a known balance transaction is learned, or was requested too often.
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

/// The invariants of fees: none is forgotten, and each known fee is that of its balance transaction.
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
