//! Random histories, against the model, and against the same history without bulk statements.

use std::collections::BTreeMap;

use topup::books::spend::action::{Shortfall, SpendCommand};
use topup::domain::checkout::PurchaseReport;
use topup::domain::ids::TopupId;
use topup::domain::spend_limit::Period;

use super::ledger::{
    ACCOUNT, StoredGrant, adjust, at, capped, capture, debit, everything, extend, grants, hold, limit, release,
    run_alone, submit,
};
use super::model::{Model, Verdict};
use crate::conformance::groups::refund;
use crate::on_both_databases;
use crate::sim::rng::Rng;
use crate::support::books::{Books, NOW_MS, account_id, topup_of};

/// How many histories are run on each database, and how many steps each has.
const HISTORIES: u64 = 8;
const STEPS: u128 = 150;

/// A step of a history.
#[derive(Debug, Clone)]
enum Step {
    /// A purchase with this number.
    Buy(u128, i64),
    /// A refund with this number takes credits of a purchase back.
    Refund(u128, u128, i64),
    Adjust(u128, i64),
    Act(Box<SpendCommand>),
    /// A limit is set or removed.
    Limit(&'static str, Period, Option<i64>, i64),
}

fn act(command: SpendCommand) -> Step {
    Step::Act(Box::new(command))
}

/// Makes up a history. Time moves on, so that holds end; numbers are small, so that credits run out.
fn history(seed: u64) -> Vec<Step> {
    let mut rng = Rng::new(seed);
    let mut roll = move |below: u64| i64::try_from(rng.below(below)).expect("small");
    let (mut now_ms, mut steps) = (NOW_MS, Vec::new());
    let (mut bought, mut holds) = (Vec::<(u128, i64)>::new(), Vec::<u128>::new());
    for number in 1..=STEPS {
        now_ms += if roll(30) == 0 { 15 * 3_600_000 } else { roll(2_000) };
        let any_hold =
            |roll: i64| holds.get(usize::try_from(roll).expect("small") % holds.len().max(1)).copied().unwrap_or(999);
        let step = match roll(22) {
            0 | 1 => {
                bought.push((number, 1 + roll(250)));
                bought.last().map(|(number, credits)| Step::Buy(*number, *credits))
            }
            2 if !bought.is_empty() => {
                let index = usize::try_from(roll(1_000)).expect("small") % bought.len();
                let left = bought[index].1;
                let part = 1 + roll(250).min(left - 1);
                bought[index].1 -= part;
                let step = Step::Refund(number, bought[index].0, part);
                bought.retain(|(_, left)| *left > 0);
                Some(step)
            }
            3 => Some(Step::Adjust(number, roll(81) - 40)).filter(|step| !matches!(step, Step::Adjust(_, 0))),
            4..=8 => Some(act(at(now_ms, debit(number, 1 + roll(60))))),
            9 => Some(act(at(now_ms, capped(number, 1 + roll(120))))),
            10..=13 => {
                holds.push(number);
                let credits = 1 + roll(60);
                let minimum = if roll(2) == 0 { credits } else { 1 };
                Some(act(at(now_ms, hold(number, credits, minimum, now_ms + 1 + roll(20_000)))))
            }
            14..=16 => {
                let shortfall = if roll(4) == 0 { Shortfall::Reject } else { Shortfall::Cap };
                Some(act(at(now_ms, capture(number, any_hold(roll(1_000)), roll(70), shortfall))))
            }
            17 => Some(act(at(now_ms, release(number, any_hold(roll(1_000)))))),
            18 => {
                let (credits, until) = (Some(1 + roll(80)), Some(now_ms + roll(30_000)));
                Some(act(at(now_ms, extend(number, any_hold(roll(1_000)), credits, until))))
            }
            19 | 20 => {
                let subject = if roll(2) == 0 { "" } else { "team" };
                let period = [Period::Day, Period::Month, Period::Total][usize::try_from(roll(3)).expect("small")];
                let credits = if roll(3) == 0 { None } else { Some(roll(300)) };
                Some(Step::Limit(subject, period, credits, now_ms))
            }
            // The same request again.
            _ => steps.iter().rev().find_map(|step| match step {
                Step::Act(command) => Some(act(at(now_ms, *command.clone()))),
                _ => None,
            }),
        };
        steps.extend(step);
    }
    steps
}

/// The purchases of a history so far.
type Purchases = BTreeMap<u128, PurchaseReport>;

/// Does a step that is no command.
async fn prepare(books: &Books, purchases: &mut Purchases, step: &Step, now_ms: i64) -> bool {
    match step {
        Step::Buy(number, credits) => {
            let paid = books.opened_as(topup_of(*number, ACCOUNT, *credits)).await;
            books.apply(paid.clone()).await.expect("is credited");
            purchases.insert(*number, paid);
            true
        }
        Step::Refund(number, purchase, credits) => {
            let report = purchases.get(purchase).expect("was bought");
            books.db.apply_reversals(refund(*number, *credits, report)).await.expect("is applied");
            true
        }
        Step::Adjust(number, credits) => adjust(books, *number, *credits, now_ms).await,
        Step::Limit(subject, period, credits, now_ms) => {
            limit(books, ACCOUNT, subject, *period, *credits, *now_ms).await
        }
        Step::Act(_) => true,
    }
}

fn remaining(model: &Model) -> Vec<StoredGrant> {
    model.grants.iter().map(|grant| StoredGrant { id: grant.id.clone(), remaining: grant.remaining }).collect()
}

on_both_databases! {
    async fn every_command_is_decided_as_by_the_model(backend: Backend) {
        for seed in 0..HISTORIES {
            let books = Books::open(backend).await;
            let (mut model, mut purchases, mut now_ms) = (Model::default(), Purchases::new(), NOW_MS);
            for (index, step) in history(seed).into_iter().enumerate() {
                let at_step = format!("seed {seed}, step {index}: {step:?}");
                if let Step::Act(command) = &step {
                    now_ms = command.now_ms;
                    let expected = model.decide(command);
                    let outcome = submit(&books, *command.clone()).await;
                    assert_eq!(Verdict::of(&outcome), expected, "{at_step}");
                    // The command settled the account, unless there was nothing to decide.
                    if expected != Verdict::Known {
                        assert_eq!(grants(&books, ACCOUNT).await, remaining(&model), "{at_step}");
                    }
                } else if let Step::Adjust(number, credits) = step {
                    // As its use case does: what has ended is no part of the balance.
                    let _settled = submit(&books, at(now_ms, release(0, 0))).await;
                    model.decide(&at(now_ms, release(0, 0)));
                    let is_possible = match credits {
                        1.. => {
                            model.come(topup::domain::ids::AdjustmentId::from_bits(number).as_str(), credits, false);
                            true
                        }
                        _ => model.adjust_down(-credits),
                    };
                    assert_eq!(adjust(&books, number, credits, now_ms).await, is_possible, "{at_step}");
                } else {
                    match step {
                        Step::Buy(number, credits) => model.come(TopupId::from_bits(number).as_str(), credits, true),
                        Step::Refund(_, purchase, credits) => {
                            model.take_back(TopupId::from_bits(purchase).as_str(), credits);
                        }
                        Step::Limit(subject, period, credits, _) => {
                            let key = (subject.to_owned(), period);
                            match credits {
                                Some(credits) => model.limits.insert(key, credits),
                                None => model.limits.remove(&key),
                            };
                        }
                        _ => {}
                    }
                    prepare(&books, &mut purchases, &step, now_ms).await;
                }
                let balance = books.db.balance(&account_id(ACCOUNT)).await.expect("readable");
                let held = balance.held_credits;
                assert_eq!((balance.remaining_credits, balance.used_credits), (model.balance, model.used), "{at_step}");
                assert!(held >= model.funds().held, "{at_step}");
            }
            books.finish().await;
        }
    }

    async fn commands_are_decided_in_bulk_as_alone(backend: Backend) {
        for seed in 100..100 + HISTORIES {
            let (bulk, alone) = (Books::open(backend).await, Books::open(backend).await);
            let (mut of_bulk, mut of_alone, mut now_ms) = (Purchases::new(), Purchases::new(), NOW_MS);
            for (index, step) in history(seed).into_iter().enumerate() {
                let at_step = format!("seed {seed}, step {index}: {step:?}");
                if let Step::Act(command) = &step {
                    now_ms = command.now_ms;
                    let (one, other) = (submit(&bulk, *command.clone()).await, run_alone(&alone, *command.clone()).await);
                    assert_eq!(one, other, "{at_step}");
                } else {
                    prepare(&bulk, &mut of_bulk, &step, now_ms).await;
                    prepare(&alone, &mut of_alone, &step, now_ms).await;
                }
            }
            assert_eq!(everything(&bulk).await, everything(&alone).await, "seed {seed}");
            assert!(bulk.db.commit_counts().in_bulk > 20, "the bulk statement decides hardly anything, seed {seed}");
            bulk.finish().await;
            alone.finish().await;
        }
    }
}
