//! Looks at accounts and tells when their available credits cross a threshold.
//!
//! Invariants: low is told once when the threshold is crossed downwards, and again only after the account recovered. An
//! account that is low or empty is noted for attention by each change, any other only when it falls below the threshold
//! (`accounts.alert_at`), so that spending costs nothing more. An account that was low before it is looked at for the
//! first time crosses nothing.

use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use serde_json::json;

use crate::app::App;
use crate::books::locked_account::LockedAccount;
use crate::books::rounds::until_settled;
use crate::books::settle::{Settled, settle};
use crate::db::{Db, StoreError, Tx, Write, args, statements};
use crate::domain::account::AccountId;
use crate::domain::ids::LedgerEntryId;
use crate::messages::attention;
use crate::messages::event_type::EventType;
use crate::messages::message::{self, NewMessage};
use crate::outbox::balance_alerts::{self, AlertRow};
use crate::outbox::switch;

/// How many accounts are read at once.
const PAGE: i64 = 200;
/// Each change of the account is noted.
const EVERY_CHANGE: i64 = i64::MAX;
/// No change is noted.
const NO_CHANGE: i64 = -i64::MAX;

statements! {
    /// A new account is looked at within moments, so its first entries are all that there are.
    HIGHEST = "SELECT MAX(balance_after) AS highest FROM (SELECT balance_after FROM ledger_entries \
        WHERE account_id = :account ORDER BY sequence LIMIT 200) AS first_entries";
    ACCOUNTS_AFTER = "SELECT id FROM accounts WHERE id > :after ORDER BY id LIMIT :limit";
}

#[derive(sqlx::FromRow)]
struct HighestRow {
    highest: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct IdRow {
    id: String,
}

/// Looks at one account, and settles it first.
struct LookAt {
    account: AccountId,
    entry: LedgerEntryId,
    /// The threshold of the settings; 0: none.
    low_credits: i64,
    now_ms: i64,
}

impl Write for LookAt {
    /// `None` while the account is being settled.
    type Output = Option<()>;

    async fn run(&self, tx: &mut Tx) -> Result<Option<()>, StoreError> {
        let locked = LockedAccount::lock(tx, &self.account, &self.entry, self.now_ms).await?;
        let Some(mut account) = locked else {
            attention::forget(tx, self.account.as_str()).await?;
            return Ok(Some(()));
        };
        let settled = settle(tx, &mut account).await?;
        if account.is_changed() {
            account.store(tx).await?;
        }
        if settled == Settled::Partly {
            return Ok(None);
        }
        self.tell(tx, &mut account).await?;
        // Last: storing the account may have noted it again.
        attention::forget(tx, self.account.as_str()).await?;
        Ok(Some(()))
    }
}

impl LookAt {
    async fn tell(&self, tx: &mut Tx, account: &mut LockedAccount) -> Result<(), StoreError> {
        let stored = balance_alerts::find(tx, &self.account).await?;
        let before = stored.unwrap_or_default();
        if !balance_alerts::is_on(tx).await? {
            if before.is_low() || before.is_depleted() {
                balance_alerts::store(tx, &self.account, &before.became(false, false), self.now_ms).await?;
            }
            return account.set_alert_at(tx, NO_CHANGE).await;
        }
        let threshold = before.low_credits.unwrap_or(self.low_credits);
        let available = account.funds().available();
        let after = before.became(available < threshold, available == 0);
        let had = self.had(tx, account, &before).await?;
        let events = [
            (!before.is_low() && after.is_low() && had >= threshold, EventType::BalanceLow),
            (before.is_low() && !after.is_low(), EventType::BalanceRecovered),
            (!before.is_depleted() && after.is_depleted() && had > 0, EventType::BalanceDepleted),
        ];
        let events: Vec<EventType> = events.into_iter().filter_map(|(is_so, event)| is_so.then_some(event)).collect();
        if after != before {
            balance_alerts::store(tx, &self.account, &after, self.now_ms).await?;
        }
        let is_quiet = !after.is_low() && !after.is_depleted();
        let alert_at = if is_quiet { threshold.max(1) } else { EVERY_CHANGE };
        if alert_at != account.alert_at() {
            account.set_alert_at(tx, alert_at).await?;
        }
        for event in events {
            self.write(tx, event, threshold, after.changes).await?;
        }
        Ok(())
    }

    /// How many credits the account is known to have had: nothing at the first look, unless it is new and had more
    /// since; enough at each further look, because what it was then is stored.
    async fn had(&self, tx: &mut Tx, account: &LockedAccount, before: &AlertRow) -> Result<i64, StoreError> {
        if account.alert_at() == NO_CHANGE {
            return Ok(0);
        }
        let is_new = account.alert_at() == EVERY_CHANGE && !before.is_low() && !before.is_depleted();
        if !is_new {
            return Ok(i64::MAX);
        }
        let highest: Option<HighestRow> = tx.fetch_optional(&HIGHEST, &args![account = self.account.as_str()]).await?;
        Ok(highest.and_then(|row| row.highest).unwrap_or_default())
    }

    async fn write(&self, tx: &mut Tx, event: EventType, threshold: i64, changes: i64) -> Result<(), StoreError> {
        // Account ids have characters that ids of messages do not have.
        let digest = hex::encode(Sha256::digest(self.account.as_str()));
        let distinction = format!("{}_{changes}", digest.get(..32).unwrap_or_default());
        let facts = match event {
            EventType::BalanceDepleted => None,
            _ => Some(json!({ "thresholdCredits": Some(threshold).filter(|threshold| *threshold > 0) })),
        };
        let (account, now_ms) = (self.account.as_str(), self.now_ms);
        let message = NewMessage { event, distinction: &distinction, account, cause: account, facts, now_ms };
        message::write(tx, &message).await
    }
}

/// Looks at an account.
///
/// # Errors
/// When the database fails.
async fn look_at(app: &App, account: &str) -> Result<(), StoreError> {
    let account = AccountId::parse(account).map_err(|error| StoreError::corrupt("account", error))?;
    until_settled(|| async {
        let write = LookAt {
            account: account.clone(),
            entry: LedgerEntryId::from_bits(app.ids.id_bits()),
            low_credits: app.outbox.low_balance_credits.unwrap_or_default(),
            now_ms: app.clock.now_ms(),
        };
        app.db.write(write).await
    })
    .await
}

/// Looks at a page of accounts. One that cannot be looked at is logged and left for later.
async fn look_at_all(app: &App, accounts: &[String], stop: &CancellationToken) {
    for account in accounts {
        if stop.is_cancelled() {
            return;
        }
        if let Err(error) = look_at(app, account).await {
            tracing::warn!(error = error.in_words(), "the balance of an account cannot be looked at");
        }
    }
}

/// Looks at the accounts that were noted for attention. Returns their number.
///
/// # Errors
/// When they cannot be read.
pub async fn look_at_noted(app: &App, stop: &CancellationToken) -> Result<usize, StoreError> {
    let (mut after, mut count) = (String::new(), 0_usize);
    loop {
        let page = app.db.attention(&after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(count) };
        look_at_all(app, &page, stop).await;
        if stop.is_cancelled() {
            return Ok(count);
        }
        count = count.saturating_add(page.len());
        after.clone_from(last);
    }
}

/// Looks at the next accounts of all, if they were not looked at since messages are written, or with another threshold
/// of the settings. Returns whether that is done.
///
/// # Errors
/// When they cannot be read.
pub async fn look_at_others(app: &App, stop: &CancellationToken) -> Result<bool, StoreError> {
    let low_credits = app.outbox.low_balance_credits.unwrap_or_default();
    let switch = app.db.outbox_switch().await?;
    if !switch.is_on() {
        return Ok(true);
    }
    if switch.low_credits != Some(low_credits) {
        app.db.write(BeginLooking { low_credits }).await?;
        return Ok(false);
    }
    let Some(from) = switch.looked_up_to else { return Ok(true) };
    let page = app.db.accounts_after(&from).await?;
    look_at_all(app, &page, stop).await;
    if !stop.is_cancelled() {
        app.db.write(Looked { low_credits, from, up_to: page.last().cloned() }).await?;
    }
    Ok(page.is_empty())
}

struct BeginLooking {
    low_credits: i64,
}

impl Write for BeginLooking {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        switch::begin_looking(tx, self.low_credits).await
    }
}

struct Looked {
    low_credits: i64,
    from: String,
    up_to: Option<String>,
}

impl Write for Looked {
    type Output = ();

    async fn run(&self, tx: &mut Tx) -> Result<(), StoreError> {
        switch::looked(tx, self.low_credits, &self.from, self.up_to.as_deref()).await
    }
}

impl Db {
    async fn accounts_after(&self, after: &str) -> Result<Vec<String>, StoreError> {
        let rows: Vec<IdRow> = self.read_all(&ACCOUNTS_AFTER, &args![after, limit = PAGE]).await?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }
}
