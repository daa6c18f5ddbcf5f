//! Different ways that must come to the same: a hold and its capture or a debit, a history adopted at once or entry by
//! entry, a group cut anywhere, one service or two.

use futures_util::future::join_all;
use topup::books::spend::action::{Shortfall, SpendCommand};

use super::ledger::{
    ACCOUNT, adjust, at, buy, capture, debit, everything, grants, hold, of, release, submit, submit_to,
};
use super::model::Verdict;
use crate::conformance::groups::refund;
use crate::on_both_databases;
use crate::sim::rng::Rng;
use crate::support::books::{Books, NOW_MS, topup_of};

const HOUR_MS: i64 = 3_600_000;

/// What remains where, and what was used and is held.
async fn result(books: &Books) -> (Vec<i64>, i64, i64, i64) {
    let remaining = grants(books, ACCOUNT).await.into_iter().map(|grant| grant.remaining).collect();
    let balance = books.db.balance(&crate::support::books::account_id(ACCOUNT)).await.expect("readable");
    (remaining, balance.remaining_credits, balance.used_credits, balance.held_credits)
}

on_both_databases! {
    async fn a_hold_and_its_capture_come_to_what_a_debit_comes_to(backend: Backend) {
        for seed in 0..4 {
            let (debits, holds) = (Books::open(backend).await, Books::open(backend).await);
            let mut rng = Rng::new(seed);
            for number in 1..=40_u128 {
                if rng.below(3) == 0 {
                    let credits = 1 + i64::try_from(rng.below(90)).expect("small");
                    buy(&debits, number, ACCOUNT, credits).await;
                    buy(&holds, number, ACCOUNT, credits).await;
                }
                let credits = 1 + i64::try_from(rng.below(40)).expect("small");
                let one = Verdict::of(&submit(&debits, debit(number, credits)).await);
                let held = submit(&holds, hold(number, credits, credits, NOW_MS + HOUR_MS)).await;
                let captured = submit(&holds, capture(number, number, credits, Shortfall::Reject)).await;
                match Verdict::of(&held) {
                    Verdict::Held(_) => assert_eq!(Verdict::of(&captured), one),
                    refused => assert_eq!(refused, one),
                }
                assert_eq!(result(&debits).await, result(&holds).await, "seed {seed}, number {number}");
            }
            debits.finish().await;
            holds.finish().await;
        }
    }

    async fn a_history_is_adopted_at_once_as_entry_by_entry(backend: Backend) {
        for seed in 0..4 {
            let (at_once, one_by_one) = (Books::open(backend).await, Books::open(backend).await);
            let mut rng = Rng::new(seed);
            let mut bought = Vec::new();
            for number in 1..=30_u128 {
                let credits = 1 + i64::try_from(rng.below(90)).expect("small");
                let (kind, place) = (rng.below(4), rng.place(bought.len().max(1)));
                let mut reports = Vec::new();
                for books in [&at_once, &one_by_one] {
                    match kind {
                        0 if !bought.is_empty() => {
                            let (purchase, credits): &(Vec<_>, i64) = &bought[place];
                            let report = &purchase[0];
                            books.db.apply_reversals(refund(number, *credits, report)).await.expect("is applied");
                        }
                        1 => {
                            adjust(books, number, credits - 60, NOW_MS).await;
                        }
                        _ => {
                            let report = books.opened_as(topup_of(number, ACCOUNT, credits)).await;
                            books.apply(report.clone()).await.expect("is credited");
                            reports.push(report);
                        }
                    }
                }
                if kind == 0 && !bought.is_empty() {
                    bought.remove(place);
                }
                if !reports.is_empty() {
                    bought.push((reports, credits));
                }
                // Settles the account, and does nothing else.
                submit(&one_by_one, release(number, 999_999)).await;
            }
            submit(&at_once, release(1, 999_999)).await;
            assert_eq!(everything(&at_once).await, everything(&one_by_one).await, "seed {seed}");
            at_once.finish().await;
            one_by_one.finish().await;
        }
    }

    async fn a_group_may_be_cut_anywhere(backend: Backend) {
        let accounts = ["user_1", "user_2", "user_3"];
        let commands: Vec<SpendCommand> = (0..12_u128)
            .map(|number| {
                let account = accounts[usize::try_from(number % 3).expect("small")];
                of(account, match number {
                    0..6 => debit(100 + number, 7),
                    6..9 => hold(100 + number, 9, 9, NOW_MS + HOUR_MS),
                    _ => at(NOW_MS + 5, debit(100 + number, 11)),
                })
            })
            .collect();
        let run = async |cut: usize| {
            let books = Books::open(backend).await;
            for (number, account) in (1..).zip(accounts) {
                buy(&books, number, account, 100).await;
                submit(&books, of(account, debit(number, 1))).await;
            }
            for part in [&commands[..cut], &commands[cut..]] {
                join_all(part.iter().map(|command| submit(&books, command.clone()))).await;
            }
            let everything = everything(&books).await;
            books.finish().await;
            everything
        };
        let whole = run(0).await;
        for cut in 1..commands.len() {
            assert_eq!(run(cut).await, whole, "cut after {cut}");
        }
    }

    /// Each service has its own groups.
    async fn two_services_come_to_what_one_comes_to(backend: Backend) {
        let (one, two) = (Books::open(backend).await, Books::open(backend).await);
        let other = two.database.connect().await;
        for books in [&one, &two] {
            buy(books, 1, ACCOUNT, 50).await;
            buy(books, 2, ACCOUNT, 50).await;
        }
        for number in 10..40_u128 {
            let command = if number % 3 == 0 {
                hold(number, 4, 4, NOW_MS + HOUR_MS)
            } else if number % 3 == 1 && number > 12 {
                capture(number, number - 1, 3, Shortfall::Cap)
            } else {
                debit(number, 2)
            };
            let alone = submit(&one, command.clone()).await;
            let db = if number % 2 == 0 { &two.db } else { &other };
            assert_eq!(submit_to(db, command).await, alone, "number {number}");
        }
        assert_eq!(everything(&one).await, everything(&two).await);
        other.close().await;
        one.finish().await;
        two.finish().await;
    }
}
