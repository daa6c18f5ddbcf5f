//! `topup accounts`: finds accounts, and erases personal data. Works beside a running service.

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;
use serde_json::json;
use topup::books::account_list::ListedAccount;
use topup::console::payers::erase_account;
use topup::domain::account::AccountId;
use topup::domain::timestamp::{rfc3339, to_the_second};
use topup::ports::Clock;
use topup::system::SystemClock;

use super::text::{print_json, printable};
use super::{Failure, connect_migrated, parse_account};

#[derive(Subcommand)]
pub(crate) enum AccountsCommand {
    /// List accounts by id, with their credits as the last change left them.
    List {
        /// Only accounts whose id has this text in it.
        #[arg(long, default_value = "", hide_default_value = true)]
        search: String,
        /// The most accounts to list.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=1000))]
        limit: i64,
        /// Continue after the page with this `nextCursor`.
        #[arg(long, default_value = "", hide_default_value = true)]
        cursor: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Erase the personal data of an account's payers, for good: e-mail, name, card, address of the request, and the
    /// payloads of its failed deliveries. The books stay.
    Erase {
        /// The account's id.
        #[arg(value_parser = parse_account)]
        id: AccountId,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// A page, in the form of the API's lists.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    data: Vec<ListEntry>,
    next_cursor: Option<String>,
}

/// An account, with the members of `GET /admin/accounts/{accountId}`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListEntry {
    account_id: String,
    blocked: bool,
    remaining_credits: i64,
    held_credits: i64,
    owed_credits: i64,
    updated_at: Option<String>,
}

impl From<&ListedAccount> for ListEntry {
    fn from(account: &ListedAccount) -> Self {
        Self {
            account_id: account.id.clone(),
            blocked: account.blocked_at.is_some(),
            remaining_credits: account.balance,
            held_credits: account.held_credits,
            owed_credits: account.balance.min(0).saturating_neg(),
            updated_at: rfc3339(account.updated_at),
        }
    }
}

pub(crate) async fn run(command: AccountsCommand) -> Result<ExitCode, Failure> {
    match command {
        AccountsCommand::List { search, limit, cursor, json } => list(search, limit, cursor, json).await,
        AccountsCommand::Erase { id, json } => {
            let database = connect_migrated().await?;
            let topups = erase_account(&database, &id, SystemClock.now_ms()).await?;
            database.close().await;
            if json {
                print_json(&json!({ "accountId": id.as_str(), "topups": topups }))?;
                return Ok(ExitCode::SUCCESS);
            }
            println!("Erased the personal data of {topups} top-ups of {id}. The books are as before.");
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn list(search: String, limit: i64, cursor: String, json: bool) -> Result<ExitCode, Failure> {
    let database = connect_migrated().await?;
    // Reads one more than requested, to tell whether there is another page.
    let found = database.accounts(&search, &cursor, limit.saturating_add(1)).await;
    database.close().await;
    let mut found = found?;
    let shown = usize::try_from(limit)?;
    let has_more = found.len() > shown;
    found.truncate(shown);
    let next_cursor = found.last().filter(|_| has_more).map(|last| last.id.clone());
    if json {
        let page = Page { data: found.iter().map(ListEntry::from).collect(), next_cursor };
        print_json(&page)?;
        return Ok(ExitCode::SUCCESS);
    }
    for ListedAccount { id, balance, held_credits, blocked_at, updated_at } in &found {
        let blocked = if blocked_at.is_some() { "  blocked" } else { "" };
        let changed = to_the_second(*updated_at);
        let line = format!("{id}  {balance} credits, {held_credits} held  changed {changed}{blocked}");
        println!("{}", printable(&line));
    }
    match next_cursor {
        Some(cursor) => eprintln!("There are more: --cursor {}", printable(&format!("'{cursor}'"))),
        None if !found.is_empty() => {}
        None if !cursor.is_empty() => eprintln!("No further accounts."),
        None if search.is_empty() => eprintln!("No accounts yet."),
        None => eprintln!("No account has this in its id."),
    }
    Ok(ExitCode::SUCCESS)
}
