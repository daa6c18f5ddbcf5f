//! Payments and other writes that share a commit: each has its own outcome and does not affect the others.

use std::collections::BTreeMap;

use futures_util::FutureExt;
use futures_util::future::{join, join_all};
use topup::db::{Statement, StoreError, args};
use topup::domain::checkout::{PurchaseProgress, PurchaseReport, TopupState};
use topup::domain::ids::{LedgerEntryId, RefundId};
use topup::domain::judge::Applied;
use topup::domain::payment::PaymentRole;
use topup::domain::reversal::{RefundReport, RefundStatus};
use topup::providers::stripe::name::NAME as STRIPE;
use topup::purchases::payment::apply::ApplyPayment;
use topup::purchases::payment::payments::touch;
use topup::purchases::reversal::reversals::{ApplyReversals, ReversalNews};
use topup::purchases::reversal::take_back::AppliedReversal;

use crate::on_both_databases;
use crate::support::books::{Books, NOW_MS, Rows, account_id, event, news, topup_of};
use crate::support::{Backend as Databases, closure, until};

/// Commands with entries that nobody else has.
pub(super) fn commands(reports: Vec<PurchaseReport>) -> Vec<ApplyPayment> {
    let entry = |number: u128| LedgerEntryId::from_bits(number);
    (1_000_u128..)
        .step_by(2)
        .zip(reports)
        .map(|(number, report)| ApplyPayment {
            report,
            entry: entry(number),
            reversal_entry: entry(number + 1),
            now_ms: NOW_MS,
        })
        .collect()
}

pub(super) fn is_credited(outcome: &Result<Applied, StoreError>) -> bool {
    matches!(outcome, Ok(Applied::Credited { .. }))
}

pub(crate) fn refund(number: u128, amount_minor: i64, report: &PurchaseReport) -> ApplyReversals {
    let payment = report.payment.clone().expect("a payment");
    let refund = RefundReport {
        stranger: None,
        id: RefundId::parse(STRIPE, format!("re_{number}")).expect("an id"),
        payment: Some(payment.clone()),
        amount_minor,
        currency: "usd".to_owned(),
        status: RefundStatus::Succeeded,
        reason: None,
        request: None,
    };
    ApplyReversals {
        event: Some(event(&format!("evt_refund_{number}"))),
        topup: report.topup.clone(),
        payment,
        livemode: false,
        news: ReversalNews::Refunds(vec![refund]),
        entry: LedgerEntryId::from_bits(500_000 + number),
        now_ms: NOW_MS,
    }
}

static TOUCH: Statement = Statement::new("UPDATE topups SET checked_at = checked_at + 1 WHERE id = :id");

on_both_databases! {
    async fn a_crowd_is_served_by_few_commits_and_the_books_hold(backend: Backend) {
        let books = Books::open(backend).await;
        let mut reports = Vec::new();
        for number in 1..=300_u128 {
            // One hot account and many others.
            let account = if number % 2 == 0 { "hot".to_owned() } else { format!("user_{number}") };
            reports.push(books.opened_as(topup_of(number, &account, 250)).await);
        }
        let before = books.db.commit_counts();
        let outcomes = books.db.apply(commands(reports)).await;
        assert!(outcomes.iter().all(is_credited), "{outcomes:?}");
        assert_eq!(books.balance("hot").await, 150 * 250);
        let entries = books.db.entries(&account_id("hot"), i64::MAX, 200).await.expect("readable");
        for (entry, number) in entries.iter().rev().zip(1_i64..) {
            assert_eq!((entry.sequence, entry.balance_after), (number, number * 250), "numbered and summed in order");
        }
        let counts = books.db.commit_counts();
        assert!(counts.groups - before.groups < 100 && counts.largest > 10, "{counts:?}");
        assert_eq!(counts.alone, 0, "{counts:?}");
        books.finish().await;
    }

    async fn each_of_a_group_gets_what_it_would_get_alone(backend: Backend) {
        use PurchaseProgress::{Expired, Failed, Nothing, Paid, Processing};
        let books = Books::open(backend).await;
        let mut reports = Vec::new();
        for number in 1..=9_u128 {
            reports.push(books.opened_as(topup_of(number, &format!("user_{}", number % 3), 250)).await);
        }
        let before = |at: usize, progress| news(&reports[at], &format!("evt_other_{at}"), progress);
        let foreign = PurchaseReport { topup: topup::domain::ids::TopupId::from_bits(99), ..before(0, Paid) };
        let wrong = PurchaseReport { amount_total_minor: Some(1), ..before(1, Paid) };
        let mixed = vec![
            reports[0].clone(),
            foreign,
            wrong,
            before(2, Processing),
            before(3, Expired),
            before(4, Failed),
            before(5, Nothing),
            reports[6].clone(),
            PurchaseReport { payment: None, ..reports[7].clone() },
            PurchaseReport { event: None, ..reports[8].clone() },
        ];
        let outcomes = books.db.apply(commands(mixed)).await;
        let words: Vec<&str> = outcomes.iter().map(|outcome| outcome.as_ref().map_or("error", Applied::as_str)).collect();
        let expected = [
            "credited", "foreign", "rejected", "processing", "expired", "failed", "nothing_to_do", "credited", "credited",
            "credited",
        ];
        assert_eq!(words, expected);
        assert_eq!(books.state(&reports[1].topup).await, TopupState::Open);
        assert_eq!(books.rows().await, Rows { events: 7, failed: 0, entries: 4, accounts: 3, paid: 4 });
        books.finish().await;
    }

    /// Known mistakes 5 and 6.
    async fn of_the_same_event_and_of_the_same_payment_many_times_in_a_group_one_credits(backend: Backend) {
        let books = Books::open(backend).await;
        let report = books.opened(1).await;
        let mut same = vec![report.clone(); 20];
        same.extend((1..=20).map(|number| news(&report, &format!("evt_other_{number}"), PurchaseProgress::Paid)));
        let outcomes = books.db.apply(commands(same)).await;
        let mut words = BTreeMap::<&str, usize>::new();
        for outcome in &outcomes {
            *words.entry(outcome.as_ref().map_or("error", Applied::as_str)).or_default() += 1;
        }
        assert_eq!(words, BTreeMap::from([("credited", 1), ("duplicate", 19), ("already_paid", 20)]));
        assert_eq!(books.balance("user_1").await, 250);
        assert_eq!(books.rows().await, Rows { events: 21, failed: 0, entries: 1, accounts: 1, paid: 1 });
        books.finish().await;
    }

    async fn what_was_decided_before_is_no_trouble_for_the_others(backend: Backend) {
        let books = Books::open_patiently(backend).await;
        let (paid, decided) = (books.opened(1).await, books.opened(5).await);
        assert!(matches!(books.apply(paid.clone()).await, Ok(Applied::Credited { .. })));
        let again = news(&paid, "evt_other", PurchaseProgress::Paid);
        // The same event says something else than it did.
        let waiting = PurchaseReport { progress: PurchaseProgress::Processing, ..decided.clone() };
        assert_eq!(books.apply(waiting).await.expect("applied"), Applied::Moved(TopupState::Processing));
        let reports = vec![books.opened(2).await, again, decided, books.opened(3).await, books.opened(4).await];
        let mut commands = commands(reports);
        let (held, before) = (books.database.hold_writes().await, books.db.commit_counts().groups);
        // The others queue up while the first is blocked.
        let first = books.db.apply(vec![commands.remove(0)]);
        let others = async {
            until("a group", async || (books.db.commit_counts().groups > before).then_some(())).await;
            join(books.db.apply(commands), held.release()).await.0
        };
        let (first, others) = join(first, others).await;
        assert!(is_credited(&first[0]) && others[2..].iter().all(is_credited), "{first:?}, {others:?}");
        assert!(matches!(others[..2], [Ok(Applied::AlreadyPaid), Ok(Applied::Duplicate)]), "{others:?}");
        assert_eq!(books.db.commit_counts().alone, 1, "the group did not fail because of it");
        books.finish().await;
    }

    async fn an_event_that_comes_again_and_says_something_else_is_no_repetition(backend: Backend) {
        let books = Books::open(backend).await;
        let (now, before) = (books.opened(1).await, books.opened(2).await);
        let wrong = |report: &PurchaseReport| PurchaseReport { amount_total_minor: Some(1), ..report.clone() };
        books.apply(before.clone()).await.expect("applied");
        let reports = [wrong(&before), now.clone(), wrong(&now), before, now];
        let outcomes = books.db.apply(commands(reports.to_vec())).await;
        let words: Vec<&str> = outcomes.iter().map(|outcome| outcome.as_ref().map_or("error", Applied::as_str)).collect();
        assert_eq!(words, ["rejected", "credited", "rejected", "duplicate", "duplicate"]);
        books.finish().await;
    }

    async fn one_that_the_database_refuses_does_not_harm_the_others(backend: Backend) {
        let books = Books::open(backend).await;
        let mut reports = Vec::new();
        for number in 1..=40_u128 {
            reports.push(books.opened_as(topup_of(number, &format!("user_{number}"), 250)).await);
        }
        let mut commands = commands(reports.clone());
        // An entry id that is already used.
        commands[20].entry = commands[3].entry.clone();
        let outcomes = books.db.apply(commands).await;
        // Of the two with the same id, either one is credited.
        assert_eq!(outcomes.iter().filter(|outcome| is_credited(outcome)).count(), 39, "{outcomes:?}");
        assert!(is_credited(&outcomes[3]) != is_credited(&outcomes[20]), "{outcomes:?}");
        assert_eq!(books.rows().await, Rows { events: 39, failed: 0, entries: 39, accounts: 39, paid: 39 });
        assert!(books.db.commit_counts().alone > 0);
        books.finish().await;
    }

    async fn an_account_whose_balance_is_full_does_not_harm_the_others_of_its_group(backend: Backend) {
        let books = Books::open(backend).await;
        let mut reports = vec![books.opened_as(topup_of(1, "rich", i64::MAX)).await];
        reports.push(books.opened_as(topup_of(2, "rich", 1)).await);
        for number in 3..=20_u128 {
            reports.push(books.opened_as(topup_of(number, &format!("user_{number}"), 250)).await);
        }
        let outcomes = books.db.apply(commands(reports)).await;
        assert_eq!(outcomes.iter().filter(|outcome| is_credited(outcome)).count(), 19, "{outcomes:?}");
        assert_ne!(is_credited(&outcomes[0]), is_credited(&outcomes[1]), "{outcomes:?}");
        books.finish().await;
    }

    /// Known mistake 23: a refund that is there before its payment.
    async fn a_refund_that_waits_is_settled_in_the_group_of_its_payment(backend: Backend) {
        let books = Books::open(backend).await;
        let mut reports = Vec::new();
        for number in 1..=20_u128 {
            reports.push(books.opened_as(topup_of(number, "user_1", 250)).await);
        }
        for (number, at) in [(1_u128, 4_usize), (2, 9)] {
            let waiting = books.db.apply_reversals(refund(number, 100, &reports[at])).await.expect("stored");
            assert_eq!(waiting, AppliedReversal::Waiting);
        }
        let outcomes = books.db.apply(commands(reports)).await;
        assert!(outcomes.iter().all(is_credited), "{outcomes:?}");
        assert_eq!(books.balance("user_1").await, 20 * 250 - 200);
        books.finish().await;
    }

    /// Stripe often reports the charge before the checkout.
    async fn a_payment_that_was_heard_of_before_is_credited_with_the_others(backend: Backend) {
        let books = Books::open(backend).await;
        let mut reports = Vec::new();
        for number in 1..=10_u128 {
            let report = books.opened_as(topup_of(number, "user_1", 250)).await;
            let (payment, topup) = (report.payment.clone().expect("a payment"), report.topup.clone());
            let heard = books.db.write(closure(move |tx| {
                let (payment, topup) = (payment.clone(), topup.clone());
                async move { touch(tx, &payment, &topup, PaymentRole::Waiting, None, None, NOW_MS).await }.boxed()
            }));
            heard.await.expect("written");
            reports.push(report);
        }
        let outcomes = books.db.apply(commands(reports.clone())).await;
        assert!(outcomes.iter().all(is_credited), "{outcomes:?}");
        assert_eq!(books.db.commit_counts().alone, 0);
        for report in &reports {
            let payments = books.db.payments_of(&report.topup).await.expect("readable");
            assert!(matches!(payments.as_slice(), [one] if one.state == "credited" && one.provider_session_id.is_some()));
        }
        books.finish().await;
    }

    async fn a_payment_that_another_purchase_has_is_not_credited_twice(backend: Backend) {
        let books = Books::open(backend).await;
        let (first, second) = (books.opened(1).await, books.opened(2).await);
        let stolen = PurchaseReport { payment: first.payment.clone(), ..second.clone() };
        let outcomes = books.db.apply(commands(vec![first, stolen.clone(), books.opened(3).await])).await;
        assert!(is_credited(&outcomes[0]) && is_credited(&outcomes[2]), "{outcomes:?}");
        assert!(matches!(&outcomes[1], Err(StoreError::Corrupt(_))), "{outcomes:?}");
        // And once more, after the first has long been applied.
        let alone = books.db.apply(commands(vec![stolen])).await;
        assert!(matches!(&alone[0], Err(StoreError::Corrupt(_))), "{alone:?}");
        assert_eq!(books.state(&second.topup).await, TopupState::Open);
        books.finish().await;
    }

    async fn a_payment_that_was_heard_of_for_another_purchase_is_not_credited(backend: Backend) {
        let books = Books::open(backend).await;
        let (first, second) = (books.opened(1).await, books.opened(2).await);
        let payment = first.payment.clone().expect("a payment");
        let stolen = PurchaseReport { payment: Some(payment.clone()), ..second.clone() };
        let topup = first.topup.clone();
        let heard = books.db.write(closure(move |tx| {
            let (payment, topup) = (payment.clone(), topup.clone());
            async move { touch(tx, &payment, &topup, PaymentRole::Waiting, None, None, NOW_MS).await }.boxed()
        }));
        heard.await.expect("written");
        let outcomes = books.db.apply(commands(vec![stolen])).await;
        assert!(matches!(&outcomes[0], Err(StoreError::Corrupt(_))), "{outcomes:?}");
        assert_eq!(books.state(&second.topup).await, TopupState::Open);
        assert!(is_credited(&books.db.apply(commands(vec![first])).await[0]));
        books.finish().await;
    }

    async fn what_failed_before_is_put_right_by_the_group_that_decides_it(backend: Backend) {
        use topup::inbox::failed_events::{FailureKind, FailureRecord, record};
        let books = Books::open(backend).await;
        let reports = [books.opened(1).await, books.opened(2).await];
        let (failed, _) = reports[1].event.clone().expect("an event");
        let row = FailureRecord {
            provider: STRIPE,
 event_id: failed.as_str().to_owned(),
            event_type: "checkout.session.completed".to_owned(),
            kind: FailureKind::Transient,
            error: "once".to_owned(),
            topup: None,
            payment: None,
            payload: Some("{}".to_owned()),
            now_ms: NOW_MS,
        };
        let write = books.db.write(closure(move |tx| {
            let row = row.clone();
            async move { record(tx, &row).await }.boxed()
        }));
        write.await.expect("recorded");
        assert!(books.db.has_open_failure(STRIPE, failed.as_str()).await.expect("readable"));
        books.db.apply(commands(reports.to_vec())).await;
        assert!(!books.db.has_open_failure(STRIPE, failed.as_str()).await.expect("readable"));
        books.finish().await;
    }

    async fn closures_and_payments_stand_side_by_side_and_one_that_fails_fails_alone(backend: Backend) {
        let books = Books::open(backend).await;
        let mut reports = Vec::new();
        for number in 1..=30_u128 {
            reports.push(books.opened_as(topup_of(number, &format!("user_{number}"), 250)).await);
        }
        let ids: Vec<String> = reports.iter().map(|report| report.topup.as_str().to_owned()).collect();
        let closures = join_all(ids.into_iter().enumerate().map(|(number, id)| {
            books.db.write(closure(move |tx| {
                let id = id.clone();
                async move {
                    tx.execute(&TOUCH, &args![id = id.as_str()]).await?;
                    match number % 10 {
                        3 => Err(StoreError::Corrupt("on purpose".to_owned())),
                        7 => panic!("on purpose"),
                        _ => Ok(number),
                    }
                }
                .boxed()
            }))
        }));
        let (outcomes, written) = join(books.db.apply(commands(reports.clone())), closures).await;
        assert!(outcomes.iter().all(is_credited), "{outcomes:?}");
        for (number, result) in written.into_iter().enumerate() {
            match (number % 10, result) {
                (3, Err(StoreError::Corrupt(_))) | (7, Err(StoreError::Panicked)) => {}
                (_, Ok(given)) if given == number => {}
                (_, other) => panic!("{number}: {other:?}"),
            }
            let is_touched = books.topup(&reports[number].topup).await.checked_at_ms == 1;
            assert_eq!(is_touched, !matches!(number % 10, 3 | 7), "{number}");
        }
        books.finish().await;
    }

    async fn when_too_many_wait_the_next_is_told_at_once_and_nobody_is_lost(backend: Backend) {
        const MANY: u128 = 2_000;
        let books = Books::open_patiently(backend).await;
        let mut reports = Vec::new();
        for first in (1..=MANY).step_by(200) {
            let some = (first..first + 200).map(|number| books.opened_as(topup_of(number, "user_1", 250)));
            reports.extend(join_all(some).await);
        }
        let held = books.database.hold_writes().await;
        let apply = books.db.apply(commands(reports));
        let release = async {
            until("refusals", async || (books.db.commit_counts().refused > 0).then_some(())).await;
            held.release().await;
        };
        let (outcomes, ()) = join(apply, release).await;
        let busy = outcomes.iter().filter(|outcome| matches!(outcome, Err(StoreError::Busy))).count();
        let credited = outcomes.iter().filter(|outcome| is_credited(outcome)).count();
        assert_eq!(busy + credited, outcomes.len());
        assert!((500..1_000).contains(&busy), "{busy}");
        assert_eq!(books.db.commit_counts().largest, 128, "a group is bounded as well");
        assert_eq!(books.rows().await.paid, i64::try_from(credited).expect("small"));
        books.finish().await;
    }
}

/// PostgreSQL reports a serialization failure for a whole group, and the group is repeated.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_that_the_database_cannot_serialise_is_done_again() {
    let books = Books::open(Databases::Postgres).await;
    // A sequence is not rolled back: the first three inserts of entries fail, in whichever transaction.
    books
        .db
        .execute_raw(
            "CREATE SEQUENCE failures; CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
            IF nextval('failures') <= 3 THEN RAISE EXCEPTION 'try again' USING ERRCODE = '40001'; END IF; RETURN NEW; \
            END $$; CREATE TRIGGER fail BEFORE INSERT ON ledger_entries FOR EACH STATEMENT EXECUTE FUNCTION fail()",
        )
        .await
        .expect("done");
    let mut reports = Vec::new();
    for number in 1..=50_u128 {
        reports.push(books.opened_as(topup_of(number, "user_1", 250)).await);
    }
    let outcomes = books.db.apply(commands(reports)).await;
    assert!(outcomes.iter().all(is_credited), "{outcomes:?}");
    assert_eq!(books.db.commit_counts().alone, 0, "the group as a whole, not one by one");
    assert_eq!(books.balance("user_1").await, 50 * 250);
    books.finish().await;
}

on_both_databases! {
    /// A group fails permanently because of one member: the others are done alone, and the connection stays usable.
    async fn a_group_that_cannot_be_done_is_done_one_by_one(backend: Backend) {
        let books = Books::open(backend).await;
        let fail = match backend {
            Databases::Sqlite => {
                "CREATE TRIGGER fail BEFORE INSERT ON ledger_entries WHEN NEW.account_id = 'user_7' \
                BEGIN SELECT RAISE(ABORT, 'on purpose'); END"
            }
            Databases::Postgres => {
                "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                IF NEW.account_id = 'user_7' THEN RAISE EXCEPTION 'on purpose'; END IF; RETURN NEW; END $$; \
                CREATE TRIGGER fail BEFORE INSERT ON ledger_entries FOR EACH ROW EXECUTE FUNCTION fail()"
            }
        };
        books.db.execute_raw(fail).await.expect("done");
        let mut reports = Vec::new();
        for number in 1..=50_u128 {
            reports.push(books.opened_as(topup_of(number, &format!("user_{number}"), 250)).await);
        }
        let outcomes = books.db.apply(commands(reports)).await;
        for (number, outcome) in (1..).zip(&outcomes) {
            assert_eq!(is_credited(outcome), number != 7, "{number}: {outcome:?}");
        }
        assert_eq!(books.rows().await, Rows { events: 49, failed: 0, entries: 49, accounts: 49, paid: 49 });
        books.finish().await;
    }

    /// A web worker ends while its thread commits for others, whose clients may have disconnected.
    async fn a_group_whose_thread_ends_is_brought_to_its_end(backend: Backend) {
        let books = Books::open_patiently(backend).await;
        let mut reports = Vec::new();
        for number in 1..=4_u128 {
            reports.push(books.opened_as(topup_of(number, "user_1", 250)).await);
        }
        let mut commands = commands(reports).into_iter();
        let mut next = || vec![commands.next().expect("there are four")];
        // From now on there is a connection, so none has to be opened.
        assert!(is_credited(&books.db.apply(next()).await[0]));
        let held = books.database.hold_writes().await;
        let groups = books.db.commit_counts().groups;
        tokio::task::block_in_place(|| {
            let worker = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            worker.block_on(async {
                let begun = until("a group", async || (books.db.commit_counts().groups > groups).then_some(()));
                tokio::select! {
                    outcomes = books.db.apply([next(), next()].concat()) => panic!("not while writes are held: {outcomes:?}"),
                    () = begun => {}
                }
            });
        });
        let (outcomes, ()) = join(books.db.apply(next()), held.release()).await;
        assert!(is_credited(&outcomes[0]), "{outcomes:?}");
        until("all credits", async || (books.balance("user_1").await == 4 * 250).then_some(())).await;
        books.finish().await;
    }
}
