//! Accounts to spend from, and their stored state.

use futures_util::FutureExt;
use topup::access::caller_key::CallerKey;
use topup::books::adjustments::{self, NewAdjustment};
use topup::books::limit::set_limit::{ChangeLimit, LimitKey};
use topup::books::spend::action::{
    Action, CaptureHold, Debit, ExtendHold, PlaceHold, Shortfall, SpendCommand, SpendOutcome,
};
use topup::books::spend::spends::Purpose;
use topup::db::{Command, Db, Statement, StoreError, args};
use topup::domain::ids::{AdjustmentId, HoldId, LedgerEntryId, SpendId};
use topup::domain::spend_limit::Period;

use crate::support::books::{Books, NOW_MS, account_id, topup_of};
use crate::support::closure;

/// The account that the tests spend from.
pub const ACCOUNT: &str = "user_1";

/// Commands with ids of their own.
pub fn debit(number: u128, credits: i64) -> SpendCommand {
    command(number, Action::Debit(debit_of(number, credits, Shortfall::Reject)))
}

/// A debit that takes what there is.
pub fn capped(number: u128, credits: i64) -> SpendCommand {
    command(number, Action::Debit(debit_of(number, credits, Shortfall::Cap)))
}

fn debit_of(number: u128, credits: i64, on_shortfall: Shortfall) -> Debit {
    Debit {
        id: SpendId::from_bits(number),
        credits,
        on_shortfall,
        minimum_credits: 0,
        purpose: Purpose { operation: "chat".to_owned(), subject: "team".to_owned(), metadata: None },
        key: CallerKey::of_debit(&account_id(ACCOUNT), number.to_string()),
        request_hash: format!("debit {credits}"),
    }
}

/// A hold of at least `minimum` credits.
pub fn hold(number: u128, credits: i64, minimum: i64, expires_at_ms: i64) -> SpendCommand {
    command(
        number,
        Action::Hold(PlaceHold {
            id: HoldId::from_bits(number),
            credits,
            minimum_credits: minimum,
            expires_at_ms,
            purpose: Purpose { operation: "stream".to_owned(), subject: String::new(), metadata: None },
            key: CallerKey::of_hold(&account_id(ACCOUNT), number.to_string()),
            request_hash: format!("hold {credits}"),
        }),
    )
}

/// A capture of the hold with this number.
pub fn capture(number: u128, hold: u128, credits: i64, on_shortfall: Shortfall) -> SpendCommand {
    let (hold, spend) = (HoldId::from_bits(hold), SpendId::from_bits(number));
    command(number, Action::Capture(CaptureHold { hold, spend, credits, on_shortfall, metadata: None }))
}

/// A release of the hold with this number.
pub fn release(number: u128, hold: u128) -> SpendCommand {
    command(number, Action::Release(HoldId::from_bits(hold)))
}

/// An extension of the hold with this number.
pub fn extend(number: u128, hold: u128, credits: Option<i64>, expires_at_ms: Option<i64>) -> SpendCommand {
    command(number, Action::Extend(ExtendHold { hold: HoldId::from_bits(hold), credits, expires_at_ms }))
}

fn command(number: u128, action: Action) -> SpendCommand {
    SpendCommand {
        account: account_id(ACCOUNT),
        action,
        entry: LedgerEntryId::from_bits(1_000_000 + number),
        now_ms: NOW_MS,
        with_limits: false,
    }
}

/// The same command at another time.
pub fn at(now_ms: i64, command: SpendCommand) -> SpendCommand {
    SpendCommand { now_ms, ..command }
}

/// The same command for another account.
pub fn of(account: &str, mut command: SpendCommand) -> SpendCommand {
    command.account = account_id(account);
    match &mut command.action {
        Action::Debit(debit) => debit.key = CallerKey::of_debit(&command.account, debit.key.key.clone()),
        Action::Hold(hold) => hold.key = CallerKey::of_hold(&command.account, hold.key.key.clone()),
        _ => {}
    }
    command
}

/// Buys credits for the account.
pub async fn buy(books: &Books, number: u128, account: &str, credits: i64) {
    let paid = books.opened_as(topup_of(number, account, credits)).await;
    books.apply(paid).await.expect("is credited");
}

/// Adjusts the account by hand. Whether it had enough credits.
pub async fn adjust(books: &Books, number: u128, credits: i64, now_ms: i64) -> bool {
    let new = NewAdjustment {
        id: AdjustmentId::from_bits(number),
        entry: LedgerEntryId::from_bits(2_000_000 + number),
        account: account_id(ACCOUNT),
        credits,
        reason: "a test".to_owned(),
        made_by: "a test".to_owned(),
        scope: format!("adjustment:{ACCOUNT}"),
        key: number.to_string(),
        request_hash: String::new(),
        now_ms,
    };
    let booked = books.db.write(closure(move |tx| {
        let new = new.clone();
        async move { adjustments::book(tx, &new).await }.boxed()
    }));
    booked.await.expect("is written").is_some()
}

/// Sets a limit, or removes it. Returns whether there was one.
pub async fn limit(
    books: &Books,
    account: &str,
    subject: &str,
    period: Period,
    credits: Option<i64>,
    now_ms: i64,
) -> bool {
    let key = LimitKey { account: account_id(account), subject: subject.to_owned(), period };
    let entry = LedgerEntryId::from_bits(3_000_000);
    books.db.write(ChangeLimit { key, credits, entry, now_ms }).await.expect("is written")
}

/// Submits a command, as a server does.
pub async fn submit(books: &Books, command: SpendCommand) -> SpendOutcome {
    submit_to(&books.db, command).await
}

/// Submits a command to a service of several.
pub async fn submit_to(db: &Db, mut command: SpendCommand) -> SpendOutcome {
    loop {
        let outcome = db.submit(command.clone()).await.expect("is decided");
        match outcome {
            SpendOutcome::Again => {}
            SpendOutcome::HasLimits => command.with_limits = true,
            outcome => return outcome,
        }
    }
}

/// Runs a command in a transaction of its own, without the bulk statement.
pub async fn run_alone(books: &Books, command: SpendCommand) -> SpendOutcome {
    loop {
        let command = command.clone();
        let outcome: Result<SpendOutcome, StoreError> =
            books.db.write(closure(move |tx| command.clone().run(tx))).await;
        match outcome.expect("is decided") {
            SpendOutcome::Again => {}
            outcome => return outcome,
        }
    }
}

/// A stored grant, as far as spending changes it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredGrant {
    /// Its id.
    pub id: String,
    /// What remains of it.
    pub remaining: i64,
}

/// A row of text, to compare two databases.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Line {
    /// The row.
    pub line: String,
}

static GRANTS: Statement =
    Statement::new("SELECT id, remaining FROM grants WHERE account_id = :account ORDER BY sequence, id");
static ACCOUNTS: Statement = Statement::new(
    "SELECT id || ' ' || balance || ' ' || used_credits || ' ' || held_credits || ' ' || entries || ' ' || due_at \
    || ' ' || COALESCE(limits_from, -1) AS line \
    FROM accounts ORDER BY id",
);
static ENTRIES: Statement = Statement::new(
    "SELECT account_id || ' ' || sequence || ' ' || CASE kind WHEN 'topup' THEN '' ELSE id END || ' ' || kind || ' ' || credits || ' ' || balance_after || ' ' \
    || source || ' ' || COALESCE(grant_id, '-') AS line FROM ledger_entries ORDER BY account_id, sequence",
);
static SPENDS: Statement = Statement::new(
    "SELECT id || ' ' || credits || ' ' || asked_credits || ' ' || first_sequence || ' ' || parts || ' ' || balance_after \
    || ' ' || operation || ' ' || subject || ' ' || COALESCE(hold_id, '-') AS line FROM spends ORDER BY id",
);
static HOLDS: Statement = Statement::new(
    "SELECT id || ' ' || credits || ' ' || asked_credits || ' ' || state || ' ' || COALESCE(captured_credits, -1) || ' ' \
    || COALESCE(spend_id, '-') || ' ' || expires_at AS line FROM holds ORDER BY id",
);
static ALL_GRANTS: Statement =
    Statement::new("SELECT id || ' ' || remaining || ' ' || is_open AS line FROM grants ORDER BY id");

static LIMITS: Statement = Statement::new(
    "SELECT account_id || ' ' || subject || ' ' || period || ' ' || credits || ' ' || window_start || ' ' || used || ' ' || held \
    AS line FROM spend_limits ORDER BY account_id, subject, period",
);

/// The grants of an account, oldest first.
pub async fn grants(books: &Books, account: &str) -> Vec<StoredGrant> {
    books.db.read_all(&GRANTS, &args![account = account]).await.expect("readable")
}

/// Everything that spending writes, row by row.
pub async fn everything(books: &Books) -> Vec<String> {
    let mut all = Vec::new();
    for statement in [&ACCOUNTS, &ENTRIES, &SPENDS, &HOLDS, &ALL_GRANTS, &LIMITS] {
        let lines: Vec<Line> = books.db.read_all(statement, &[]).await.expect("readable");
        all.extend(lines.into_iter().map(|row| row.line));
    }
    all
}
