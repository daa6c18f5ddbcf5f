//! An operator blocks an account: nothing new is spent or reserved. What began before comes to its end, and credits can
//! still be bought and given.
//!
//! Each change is kept with its reason and its author.

use crate::access::operator::Operator;
use crate::app::App;
use crate::books::locked_account::LockedAccount;
use crate::db::{Db, StoreError, Tx, Write, args, statements};
use crate::domain::account::AccountId;
use crate::domain::ids::LedgerEntryId;

/// An operator's request to block or unblock an account.
#[derive(Debug, Clone)]
pub struct BlockAccount {
    /// The account.
    pub account: AccountId,
    /// Whether it shall be blocked from now on.
    pub is_blocked: bool,
    /// The reason.
    pub reason: String,
    /// The operator.
    pub operator: Operator,
}

/// The latest change of whether an account is blocked.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct AccountBlock {
    /// The account.
    pub account_id: String,
    /// 1 if it was blocked, 0 if it was unblocked.
    pub is_blocked: i64,
    /// The reason.
    pub reason: String,
    /// The operator.
    pub made_by: String,
    /// When, in milliseconds since 1970.
    pub created_at: i64,
}

/// Why an account was not blocked or unblocked.
#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    /// The operator may not act for the account.
    #[error("these credentials are not for that account")]
    Forbidden,
    /// The account never had credits.
    #[error("there is no account {0} yet")]
    UnknownAccount(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

statements! {
    INSERT = "INSERT INTO account_blocks (account_id, number, is_blocked, reason, made_by, created_at) \
        SELECT :account, COALESCE(MAX(number), 0) + 1, :is_blocked, :reason, :made_by, :now_ms FROM account_blocks \
        WHERE account_id = :account";
    LATEST = "SELECT account_id, is_blocked, reason, made_by, created_at FROM account_blocks \
        WHERE account_id = :account ORDER BY number DESC LIMIT 1";
    EXISTS = "SELECT id FROM accounts WHERE id = :account";
}

#[derive(sqlx::FromRow)]
struct Account {}

/// Blocks or unblocks an account. If it is so already, nothing is changed, and the first reason stays.
///
/// # Errors
/// See [`BlockError`].
pub async fn block_account(app: &App, request: BlockAccount) -> Result<Option<AccountBlock>, BlockError> {
    if !request.operator.may_act_for(&request.account) {
        return Err(BlockError::Forbidden);
    }
    let account = request.account.clone();
    let (is_blocked, made_by) = (request.is_blocked, request.operator.name.clone());
    let entry = LedgerEntryId::from_bits(app.ids.id_bits());
    match app.db.write(SetBlock { request, entry, now_ms: app.clock.now_ms() }).await? {
        Outcome::UnknownAccount => return Err(BlockError::UnknownAccount(account.to_string())),
        Outcome::Changed => tracing::info!(%account, is_blocked, made_by, "account blocked or unblocked by hand"),
        Outcome::Unchanged => {}
    }
    Ok(app.db.account_block(&account).await?)
}

/// The latest change of whether an account is blocked; `None` if there was none.
///
/// # Errors
/// When the operator may not act for the account, it never had credits, or the database fails.
pub async fn read_block(
    app: &App,
    account: &AccountId,
    operator: &Operator,
) -> Result<Option<AccountBlock>, BlockError> {
    if !operator.may_act_for(account) {
        return Err(BlockError::Forbidden);
    }
    let found: Option<Account> = app.db.read_optional(&EXISTS, &args![account = account.as_str()]).await?;
    if found.is_none() {
        return Err(BlockError::UnknownAccount(account.to_string()));
    }
    Ok(app.db.account_block(account).await?)
}

/// What became of a change.
pub(crate) enum Outcome {
    Changed,
    Unchanged,
    UnknownAccount,
}

/// A change of whether an account is blocked.
pub(crate) struct BlockChange<'c> {
    pub(crate) account: &'c AccountId,
    pub(crate) is_blocked: bool,
    pub(crate) reason: &'c str,
    pub(crate) made_by: &'c str,
    pub(crate) entry: &'c LedgerEntryId,
    pub(crate) now_ms: i64,
}

/// Blocks or unblocks an account within a transaction.
pub(crate) async fn set_block(tx: &mut Tx, change: &BlockChange<'_>) -> Result<Outcome, StoreError> {
    let BlockChange { account, is_blocked, reason, made_by, entry, now_ms } = *change;
    let locked = LockedAccount::lock(tx, account, entry, now_ms).await?;
    let Some(mut locked) = locked else { return Ok(Outcome::UnknownAccount) };
    if locked.is_blocked() == is_blocked {
        return Ok(Outcome::Unchanged);
    }
    locked.set_blocked(is_blocked);
    locked.store(tx).await?;
    tx.execute(&INSERT, &args![account = account.as_str(), is_blocked, reason, made_by, now_ms]).await?;
    Ok(Outcome::Changed)
}

struct SetBlock {
    request: BlockAccount,
    entry: LedgerEntryId,
    now_ms: i64,
}

impl Write for SetBlock {
    type Output = Outcome;

    async fn run(&self, tx: &mut Tx) -> Result<Outcome, StoreError> {
        let BlockAccount { account, is_blocked, reason, operator } = &self.request;
        let (entry, now_ms) = (&self.entry, self.now_ms);
        let change = BlockChange { account, is_blocked: *is_blocked, reason, made_by: &operator.name, entry, now_ms };
        set_block(tx, &change).await
    }
}

impl Db {
    async fn account_block(&self, account: &AccountId) -> Result<Option<AccountBlock>, StoreError> {
        self.read_optional(&LATEST, &args![account = account.as_str()]).await
    }
}
