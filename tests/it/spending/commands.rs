//! Single commands at the borders of the rules.

use futures_util::future::join_all;
use topup::books::spend::action::{Refusal, Shortfall, SpendOutcome};
use topup::domain::ids::AdjustmentId;
use topup::domain::ledger::Funds;
use topup::domain::spend_limit::{Period, Windows};

use super::ledger::{
    ACCOUNT, adjust, at, buy, capped, capture, debit, everything, extend, grants, hold, limit, of, release, submit,
};
use super::model::Verdict;
use crate::on_both_databases;
use crate::support::books::{Books, NOW_MS, account_id};

const MINUTE_MS: i64 = 60_000;

async fn verdict(books: &Books, command: topup::books::spend::action::SpendCommand) -> Verdict {
    Verdict::of(&submit(books, command).await)
}

on_both_databases! {
    async fn what_is_not_there_cannot_be_spent(backend: Backend) {
        let books = Books::open(backend).await;
        assert_eq!(verdict(&books, debit(1, 1)).await, Verdict::TooFew, "an account that never had credits");
        buy(&books, 1, ACCOUNT, 100).await;
        assert_eq!(verdict(&books, debit(2, 101)).await, Verdict::TooFew);
        assert_eq!(verdict(&books, debit(3, 100)).await, Verdict::Spent(100));
        assert_eq!(verdict(&books, debit(4, 1)).await, Verdict::TooFew);
        assert_eq!(verdict(&books, capped(5, 1)).await, Verdict::Spent(0), "the loss is recorded");
        books.finish().await;
    }

    /// Rule 13 of the design: a refusal leaves no trace.
    async fn a_refused_command_changes_no_table(backend: Backend) {
        let books = Books::open(backend).await;
        buy(&books, 1, ACCOUNT, 100).await;
        assert_eq!(verdict(&books, hold(1, 60, 60, NOW_MS + MINUTE_MS)).await, Verdict::Held(60));
        let before = everything(&books).await;
        let refused = [
            debit(2, 41),
            debit(3, 500),
            hold(4, 41, 41, NOW_MS + MINUTE_MS),
            hold(5, 500, 41, NOW_MS + MINUTE_MS),
            capture(6, 1, 101, Shortfall::Reject),
            capture(7, 99, 1, Shortfall::Cap),
            release(8, 99),
            extend(9, 1, Some(101), None),
        ];
        for command in refused {
            let outcome = submit(&books, command.clone()).await;
            assert!(matches!(outcome, SpendOutcome::Refused(_)), "{command:?}: {outcome:?}");
            assert_eq!(everything(&books).await, before, "{command:?}");
        }
        books.finish().await;
    }

    /// The answer tells credits that are reserved from credits that are missing.
    async fn what_is_held_is_another_refusal_than_what_is_missing(backend: Backend) {
        let books = Books::open(backend).await;
        buy(&books, 1, ACCOUNT, 100).await;
        submit(&books, hold(1, 60, 60, NOW_MS + MINUTE_MS)).await;
        let funds = Funds { remaining: 100, held: 60 };
        let outcome = submit(&books, debit(2, 41)).await;
        assert_eq!(outcome, SpendOutcome::Refused(Refusal::CreditsHeld { required: 41, funds }));
        let outcome = submit(&books, debit(3, 101)).await;
        assert_eq!(outcome, SpendOutcome::Refused(Refusal::Insufficient { required: 101, funds }));
        assert_eq!(verdict(&books, debit(4, 40)).await, Verdict::Spent(40));
        books.finish().await;
    }

    /// Known mistake 33: a refusal never says that there is enough, although others free credits in the same exchange.
    async fn a_refusal_tells_what_it_was_judged_by(backend: Backend) {
        let books = Books::open(backend).await;
        buy(&books, 1, ACCOUNT, 250).await;
        for round in 0..5_u128 {
            let number = |index: u128| 100 * (round + 1) + index;
            for index in 0..10 {
                submit(&books, hold(number(index), 20, 20, NOW_MS + MINUTE_MS)).await;
            }
            let commands = (0..30).map(|index| match index % 3 {
                0 => debit(number(10 + index), 60),
                1 => release(number(10 + index), number(index / 3)),
                _ => debit(number(10 + index), 1),
            });
            for outcome in join_all(commands.map(|command| submit(&books, command))).await {
                if let SpendOutcome::Refused(
                    Refusal::CreditsHeld { required, funds } | Refusal::Insufficient { required, funds },
                ) = outcome
                {
                    assert!(funds.available() < required, "{required} of {funds:?}");
                }
            }
        }
        books.finish().await;
    }

    /// A hold ends at its instant, whether or not anything noticed.
    async fn a_hold_ends_at_its_instant_and_can_be_captured_late(backend: Backend) {
        let books = Books::open(backend).await;
        buy(&books, 1, ACCOUNT, 100).await;
        let ends = NOW_MS + MINUTE_MS;
        submit(&books, hold(1, 70, 70, ends)).await;
        submit(&books, hold(2, 30, 30, ends + MINUTE_MS)).await;
        assert_eq!(verdict(&books, at(ends - 1, debit(3, 1))).await, Verdict::Reserved);
        assert_eq!(verdict(&books, at(ends, debit(4, 60))).await, Verdict::Spent(60));
        assert_eq!(verdict(&books, at(ends, extend(5, 1, None, Some(ends + 1)))).await, Verdict::Other(Refusal::HoldExpired));
        // The work was done, so it is charged as far as nobody else has reserved the credits.
        assert_eq!(verdict(&books, at(ends, capture(6, 1, 70, Shortfall::Cap))).await, Verdict::Spent(10));
        assert_eq!(verdict(&books, at(ends, capture(7, 1, 70, Shortfall::Cap))).await, Verdict::Known);
        assert_eq!(verdict(&books, at(ends, capture(8, 2, 30, Shortfall::Cap))).await, Verdict::Spent(30));
        assert_eq!(books.balance(ACCOUNT).await, 0);
        books.finish().await;
    }

    async fn a_hold_is_resolved_once(backend: Backend) {
        let books = Books::open(backend).await;
        buy(&books, 1, ACCOUNT, 100).await;
        let ends = NOW_MS + MINUTE_MS;
        submit(&books, hold(1, 40, 40, ends)).await;
        assert_eq!(verdict(&books, capture(2, 1, 25, Shortfall::Cap)).await, Verdict::Spent(25));
        assert_eq!(verdict(&books, capture(3, 1, 25, Shortfall::Cap)).await, Verdict::Known);
        assert_eq!(verdict(&books, capture(4, 1, 26, Shortfall::Cap)).await, Verdict::Other(Refusal::HoldCaptured));
        assert_eq!(verdict(&books, release(5, 1)).await, Verdict::Other(Refusal::HoldCaptured));
        submit(&books, hold(6, 40, 40, ends)).await;
        assert_eq!(verdict(&books, release(7, 6)).await, Verdict::Held(40));
        assert_eq!(verdict(&books, release(8, 6)).await, Verdict::Held(40));
        assert_eq!(verdict(&books, capture(9, 6, 1, Shortfall::Cap)).await, Verdict::Other(Refusal::HoldReleased));
        let balance = books.db.balance(&account_id(ACCOUNT)).await.expect("readable");
        assert_eq!((balance.remaining_credits, balance.held_credits, balance.used_credits), (75, 0, 25));
        books.finish().await;
    }

    /// Free credits are taken before bought ones, and the oldest first.
    async fn credits_are_taken_in_burn_order(backend: Backend) {
        let books = Books::open(backend).await;
        buy(&books, 1, ACCOUNT, 100).await;
        buy(&books, 2, ACCOUNT, 50).await;
        assert!(adjust(&books, 3, 20, NOW_MS).await);
        assert_eq!(verdict(&books, debit(4, 130)).await, Verdict::Spent(130));
        let stored = grants(&books, ACCOUNT).await;
        let remaining: Vec<(&str, i64)> = stored.iter().map(|grant| (grant.id.as_str(), grant.remaining)).collect();
        let adjustment = AdjustmentId::from_bits(3);
        assert_eq!(remaining[2], (adjustment.as_str(), 0));
        assert_eq!((remaining[0].1, remaining[1].1), (0, 40));
        let spend = books.db.spend(&topup::domain::ids::SpendId::from_bits(4)).await.expect("readable").expect("a spend");
        let parts = books.db.spend_parts(&spend).await.expect("readable");
        let parts: Vec<(&str, i64)> =
            parts.iter().map(|part| (part.grant_id.as_deref().unwrap_or("-"), part.credits)).collect();
        assert_eq!(parts, [(adjustment.as_str(), -20), (remaining[0].0, -100), (remaining[1].0, -10)]);
        books.finish().await;
    }

    /// The first spend of an account with a long past adopts it in several transactions.
    async fn a_long_past_is_adopted_in_parts(backend: Backend) {
        let books = Books::open(backend).await;
        for number in 1..=450 {
            assert!(adjust(&books, number, 2, NOW_MS).await);
        }
        assert!(adjust(&books, 451, -300, NOW_MS).await);
        assert_eq!(verdict(&books, debit(1, 500)).await, Verdict::Spent(500));
        assert_eq!(verdict(&books, debit(2, 101)).await, Verdict::TooFew);
        assert_eq!(verdict(&books, debit(3, 100)).await, Verdict::Spent(100));
        books.finish().await;
    }

    /// Known mistake 30: requests that arrive at once do not all see the same credits.
    async fn debits_at_once_never_take_more_than_there_is(backend: Backend) {
        let books = Books::open(backend).await;
        for (number, account) in [(1, "a"), (2, "b"), (3, "c")] {
            buy(&books, number, account, 250).await;
        }
        let debits = (0..300_u128).map(|number| {
            let account = ["a", "b", "c"][usize::try_from(number % 3).expect("small")];
            submit(&books, of(account, debit(number, 1 + i64::try_from(number % 7).expect("small"))))
        });
        let outcomes = join_all(debits).await;
        let taken: i64 = outcomes
            .iter()
            .filter_map(|outcome| match outcome {
                SpendOutcome::Spent(spend, _) => Some(spend.credits),
                _ => None,
            })
            .sum();
        let mut left = 0;
        for account in ["a", "b", "c"] {
            let balance = books.balance(account).await;
            assert!((0..7).contains(&balance), "{account} has {balance}");
            left += balance;
        }
        assert_eq!(taken + left, 750);
        books.finish().await;
    }

    /// The first spends after a purchase do not all wait for the account's row, each in a transaction of its own.
    async fn many_debits_of_an_unsettled_account_share_commits(backend: Backend) {
        let books = Books::open(backend).await;
        buy(&books, 1, ACCOUNT, 250).await;
        let outcomes = join_all((0..100).map(|number| submit(&books, debit(number, 1)))).await;
        assert!(outcomes.iter().all(|outcome| matches!(outcome, SpendOutcome::Spent(..))), "{outcomes:?}");
        let counts = books.db.commit_counts();
        assert!(counts.alone < 30 && counts.in_bulk > 60, "{counts:?}");
        books.finish().await;
    }

    /// Work that cost nothing is recorded, and the commands beside it share its commit.
    async fn a_capture_of_nothing_breaks_no_group(backend: Backend) {
        let books = Books::open(backend).await;
        buy(&books, 1, ACCOUNT, 250).await;
        submit(&books, hold(1, 40, 40, NOW_MS + MINUTE_MS)).await;
        let group = [debit(2, 1), debit(3, 5), capture(4, 1, 0, Shortfall::Cap), debit(5, 5)];
        let outcomes = join_all(group.map(|command| submit(&books, command))).await;
        let spent: Vec<Verdict> = outcomes.iter().map(Verdict::of).collect();
        assert_eq!(spent, [1, 5, 0, 5].map(Verdict::Spent));
        let counts = books.db.commit_counts();
        assert_eq!((counts.failed_groups, books.balance(ACCOUNT).await), (0, 239), "{counts:?}");
        books.finish().await;
    }

    /// Who has nothing, or owes, does not keep the others waiting.
    async fn accounts_without_credits_are_decided_in_bulk(backend: Backend) {
        let books = Books::open(backend).await;
        let paid = books.opened_as(crate::support::books::topup_of(1, ACCOUNT, 100)).await;
        books.apply(paid.clone()).await.expect("is credited");
        assert_eq!(verdict(&books, debit(1, 100)).await, Verdict::Spent(100));
        let in_bulk = || books.db.commit_counts().in_bulk;
        let before = in_bulk();
        let outcomes = join_all((100..150).map(|number| submit(&books, capped(number, 9)))).await;
        assert!(outcomes.iter().all(|outcome| Verdict::of(outcome) == Verdict::Spent(0)), "{outcomes:?}");
        assert_eq!(in_bulk(), before + 50, "an empty account");
        books.db.apply_reversals(crate::conformance::groups::refund(1, 60, &paid)).await.expect("is applied");
        assert_eq!(verdict(&books, debit(2, 1)).await, Verdict::TooFew, "and settles the account");
        let before = in_bulk();
        let outcomes = join_all((200..250).map(|number| submit(&books, debit(number, 9)))).await;
        assert!(outcomes.iter().all(|outcome| Verdict::of(outcome) == Verdict::TooFew), "{outcomes:?}");
        assert_eq!(in_bulk(), before + 50, "an account that owes");
        assert_eq!(books.balance(ACCOUNT).await, -60);
        books.finish().await;
    }

    /// An operator blocks an account that is hammered. It does not keep the others waiting either.
    async fn a_blocked_account_is_decided_in_bulk(backend: Backend) {
        let books = Books::open(backend).await;
        buy(&books, 1, ACCOUNT, 1_000).await;
        assert_eq!(verdict(&books, debit(1, 1)).await, Verdict::Spent(1));
        assert_eq!(verdict(&books, hold(2, 5, 5, NOW_MS + MINUTE_MS)).await, Verdict::Held(5));
        let block = "UPDATE accounts SET blocked_at = 1, revision = revision + 1";
        books.db.execute_raw(block).await.expect("is written");
        let before = books.db.commit_counts();
        for round in 0..2_u128 {
            let commands = (100..150).map(|number| match round {
                0 => debit(number, 3),
                _ => hold(number, 3, 3, NOW_MS + MINUTE_MS),
            });
            let outcomes = join_all(commands.map(|command| submit(&books, command))).await;
            let blocked = Verdict::Other(Refusal::Blocked);
            assert!(outcomes.iter().all(|outcome| Verdict::of(outcome) == blocked), "{outcomes:?}");
        }
        let after = books.db.commit_counts();
        assert_eq!((after.in_bulk, after.alone), (before.in_bulk + 100, before.alone));
        // What was done before is still known, and what was begun comes to its end.
        assert_eq!(verdict(&books, debit(1, 1)).await, Verdict::Known);
        assert_eq!(verdict(&books, capture(3, 2, 4, Shortfall::Cap)).await, Verdict::Spent(4));
        books.finish().await;
    }

    /// Who has reached a limit does not keep the others waiting, and many at once never go beyond it.
    async fn limits_are_decided_in_bulk(backend: Backend) {
        let books = Books::open(backend).await;
        buy(&books, 1, ACCOUNT, 10_000).await;
        assert_eq!(verdict(&books, debit(1, 1)).await, Verdict::Spent(1));
        limit(&books, ACCOUNT, "team", Period::Day, Some(101), NOW_MS).await;
        limit(&books, ACCOUNT, "", Period::Total, Some(9_000), NOW_MS).await;
        let outcomes = join_all((100..200).map(|number| submit(&books, debit(number, 3)))).await;
        let spent = outcomes.iter().filter(|outcome| matches!(outcome, SpendOutcome::Spent(..))).count();
        assert_eq!(spent, 33, "33 times 3 of the 100 that are left");
        let before = books.db.commit_counts();
        let outcomes = join_all((200..250).map(|number| submit(&books, debit(number, 2)))).await;
        let refused = Verdict::Limited("team".to_owned(), Period::Day, 1);
        assert!(outcomes.iter().all(|outcome| Verdict::of(outcome) == refused), "{outcomes:?}");
        let capped = join_all((250..300).map(|number| submit(&books, capped(number, 1)))).await;
        let spent = capped.iter().filter(|outcome| Verdict::of(outcome) == Verdict::Spent(1)).count();
        assert_eq!(spent, 1);
        let after = books.db.commit_counts();
        assert!(after.in_bulk >= before.in_bulk + 100, "{before:?} {after:?}");
        books.finish().await;
    }

    /// Another server's clock is ahead: what is spent counts in the later day, and its time is in that day.
    async fn a_clock_that_is_behind_spends_nothing_beside_a_limit(backend: Backend) {
        let books = Books::open(backend).await;
        buy(&books, 1, ACCOUNT, 1_000).await;
        let midnight = Windows::at(NOW_MS).day_ms + 86_400_000;
        assert_eq!(verdict(&books, at(midnight - 5_000, debit(1, 9))).await, Verdict::Spent(9));
        limit(&books, ACCOUNT, "", Period::Day, Some(10), midnight - 4_000).await;
        assert_eq!(verdict(&books, at(midnight + 1, debit(2, 8))).await, Verdict::Spent(8));
        let limited = Verdict::Limited(String::new(), Period::Day, 2);
        assert_eq!(verdict(&books, at(midnight - 1_000, debit(3, 3))).await, limited);
        assert_eq!(verdict(&books, at(midnight - 1_000, debit(4, 2))).await, Verdict::Spent(2));
        assert_eq!(verdict(&books, at(midnight + 2, debit(5, 1))).await, Verdict::Limited(String::new(), Period::Day, 0));
        books.finish().await;
    }

    /// Known mistake 32: a request that is repeated, or sent twice at once, charges once.
    async fn the_same_key_spends_once(backend: Backend) {
        let books = Books::open(backend).await;
        buy(&books, 1, ACCOUNT, 200).await;
        for round in 0..3_u128 {
            let outcomes = join_all((0..20).map(|_| submit(&books, debit(round, 10)))).await;
            let spent = outcomes.iter().filter(|outcome| matches!(outcome, SpendOutcome::Spent(..))).count();
            assert_eq!(spent, 1);
            assert!(outcomes.iter().all(|outcome| matches!(outcome, SpendOutcome::Spent(..) | SpendOutcome::Known)));
        }
        assert_eq!(books.balance(ACCOUNT).await, 170);
        books.finish().await;
    }

    /// A capture within its hold succeeds although a refund has taken the credits: the work was done.
    async fn a_capture_after_a_refund_deepens_what_is_owed(backend: Backend) {
        let books = Books::open(backend).await;
        let paid = books.opened_as(crate::support::books::topup_of(1, ACCOUNT, 100)).await;
        books.apply(paid.clone()).await.expect("is credited");
        submit(&books, hold(1, 60, 60, NOW_MS + MINUTE_MS)).await;
        books.db.apply_reversals(crate::conformance::groups::refund(1, 100, &paid)).await.expect("is applied");
        assert_eq!(verdict(&books, debit(2, 1)).await, Verdict::TooFew);
        assert_eq!(verdict(&books, capture(3, 1, 60, Shortfall::Cap)).await, Verdict::Spent(60));
        assert_eq!(books.balance(ACCOUNT).await, -60);
        // The next credits repay it first.
        assert!(adjust(&books, 4, 100, NOW_MS).await);
        assert_eq!(verdict(&books, debit(5, 41)).await, Verdict::TooFew);
        assert_eq!(verdict(&books, debit(6, 40)).await, Verdict::Spent(40));
        books.finish().await;
    }
}
