//! `topup keys`: API keys for servers. Works beside a running service.

use std::process::ExitCode;

use clap::Subcommand;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use topup::access::api_keys::{self, Scope};
use topup::access::key_rows::ApiKeyRow;
use topup::db::Db;
use topup::domain::account::AccountId;
use topup::domain::timestamp::{rfc3339, to_the_second};
use topup::system::{SystemClock, SystemIds};

use super::text::{print_json, printable};
use super::{Failure, connect_migrated, parse_account};

#[derive(Subcommand)]
pub(crate) enum KeysCommand {
    /// Create a key and show it once.
    Create {
        /// What the key is for, such as the name of the server that has it.
        #[arg(long)]
        name: String,
        /// Its scopes: checkout, read, spend, support or admin; repeat the option, or separate them with commas.
        #[arg(long = "scope", required = true, value_delimiter = ',', value_parser = parse_scope)]
        scopes: Vec<Scope>,
        /// The only account it may act for; without it, any account that a request names.
        #[arg(long, value_parser = parse_account)]
        account: Option<AccountId>,
        /// Print the key and its secret as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show all keys, without their secrets.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key, immediately and permanently.
    Revoke {
        /// The key's id, from `topup keys list`.
        id: String,
        /// Print the key as JSON.
        #[arg(long)]
        json: bool,
    },
}

fn parse_scope(text: &str) -> Result<Scope, String> {
    Scope::parse(text).ok_or_else(|| format!("must be one of {}", Scope::ALL.map(Scope::as_str).join(", ")))
}

pub(crate) async fn run(command: KeysCommand) -> Result<ExitCode, Failure> {
    let database = connect_migrated().await?;
    let done = match command {
        KeysCommand::Create { name, scopes, account, json } => {
            create(&database, &name, &scopes, account.as_ref(), json).await
        }
        KeysCommand::List { json } => list(&database, json).await,
        KeysCommand::Revoke { id, json } => revoke(&database, &id, json).await,
    };
    database.close().await;
    done
}

async fn create(
    db: &Db,
    name: &str,
    scopes: &[Scope],
    account: Option<&AccountId>,
    json: bool,
) -> Result<ExitCode, Failure> {
    let key = api_keys::create(db, &SystemIds, &SystemClock, name, scopes, account).await?;
    if json {
        let stored = find(db, &key.id.to_string()).await?.ok_or("the key is gone")?;
        let mut shown = shape(&stored, None);
        if let Some(members) = shown.as_object_mut() {
            members.insert("key".to_owned(), json!(key.secret.expose_secret()));
        }
        print_json(&shown)?;
        return Ok(ExitCode::SUCCESS);
    }
    // Only the secret goes to standard output, so that it can be redirected to a file or a secret store.
    eprintln!("Made {} for {}. The key is shown this once:", key.id, printable(name));
    println!("{}", key.secret.expose_secret());
    Ok(ExitCode::SUCCESS)
}

async fn list(db: &Db, json: bool) -> Result<ExitCode, Failure> {
    let uses = db.api_key_uses().await?;
    let last_use = |id: &str| uses.iter().find(|each| each.id == id).and_then(|each| each.last_used_at);
    let keys = db.api_keys().await?;
    if json {
        let data: Vec<Value> = keys.iter().map(|key| shape(key, last_use(&key.id))).collect();
        print_json(&json!({ "data": data }))?;
        return Ok(ExitCode::SUCCESS);
    }
    if keys.is_empty() {
        eprintln!("No keys. Make one with `topup keys create`.");
    }
    for key in &keys {
        let account = key.account_id.as_deref().unwrap_or("any account");
        let state = if key.revoked_at.is_some() { "revoked" } else { "active" };
        let last = last_use(&key.id).map_or_else(|| "never".to_owned(), to_the_second);
        let (created, scopes) = (to_the_second(key.created_at), key.scopes.replace(' ', ","));
        let line =
            format!("{}  {state}  {scopes}  {account}  created {created}  last used {last}  {}", key.id, key.name);
        println!("{}", printable(&line));
    }
    Ok(ExitCode::SUCCESS)
}

async fn revoke(db: &Db, id: &str, json: bool) -> Result<ExitCode, Failure> {
    if !api_keys::revoke(db, &SystemClock, id).await? {
        eprintln!("topup: there is no active key {}; see `topup keys list`", printable(id));
        return Ok(ExitCode::FAILURE);
    }
    match find(db, id).await?.filter(|_| json) {
        Some(key) => print_json(&shape(&key, last_use(db, id).await?))?,
        None => println!("Revoked {id}."),
    }
    Ok(ExitCode::SUCCESS)
}

async fn find(db: &Db, id: &str) -> Result<Option<ApiKeyRow>, Failure> {
    Ok(db.api_keys().await?.into_iter().find(|key| key.id == id))
}

async fn last_use(db: &Db, id: &str) -> Result<Option<i64>, Failure> {
    Ok(db.api_key_uses().await?.into_iter().find(|each| each.id == id).and_then(|each| each.last_used_at))
}

/// A key without its secret, with the API's kinds of names.
fn shape(key: &ApiKeyRow, last_used_at: Option<i64>) -> Value {
    json!({
        "id": key.id,
        "name": key.name,
        "scopes": key.scopes.split(' ').collect::<Vec<_>>(),
        "accountId": key.account_id,
        "createdAt": rfc3339(key.created_at),
        "lastUsedAt": last_used_at.and_then(rfc3339),
        "revokedAt": key.revoked_at.and_then(rfc3339),
    })
}
