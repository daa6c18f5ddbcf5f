//! API keys in the console: created and revoked by admins, and written into the operator log.

use secrecy::SecretString;

use crate::access::api_keys::{self, Scope};
use crate::access::key_rows::ApiKeyRow;
use crate::app::App;
use crate::console::actions::{ActionError, Actor};
use crate::console::operator_log::{Change, Phase};
use crate::db::StoreError;
use crate::domain::account::AccountId;
use crate::domain::ids::ChangeId;

/// The longest name of a key.
pub const MAX_NAME_CHARACTERS: usize = 100;

/// A key to create.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// What it is for.
    pub name: String,
    /// Its scopes.
    pub scopes: Vec<Scope>,
    /// The only account it may act for.
    pub account: Option<AccountId>,
}

/// Why a key was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateKeyError {
    /// It was not written into the log.
    #[error(transparent)]
    Action(#[from] ActionError),
    /// It could not be created.
    #[error(transparent)]
    Key(#[from] api_keys::CreateApiKeyError),
}

/// The outcome of a form for a new key.
#[derive(Debug)]
pub enum CreatedKey {
    /// It was made. The secret is shown this once.
    Now(SecretString),
    /// The form was sent before. These active keys of that name were made since; perhaps nobody has seen their secrets,
    /// because the process ended or the answer was lost. Without any, none was made, or it was revoked.
    Before(Vec<ApiKeyRow>),
}

/// Creates a key. A form that was sent twice makes at most one key.
///
/// # Errors
/// See [`CreateKeyError`].
pub async fn create_key(app: &App, actor: &Actor, id: ChangeId, key: NewKey) -> Result<CreatedKey, CreateKeyError> {
    let scopes = key.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ");
    let account = key.account.as_ref().map(ToString::to_string);
    let change = Change {
        id,
        action: "create_key",
        subject: key.name.clone(),
        account: account.clone(),
        credits: 0,
        detail: format!("scopes: {scopes}"),
    };
    if !actor.begin_once(app, &change).await? {
        return Ok(CreatedKey::Before(made_before(app, &change).await.map_err(ActionError::from)?));
    }
    let (ids, clock) = (app.ids.as_ref(), app.clock.as_ref());
    let made = api_keys::create(&app.db, ids, clock, &key.name, &key.scopes, key.account.as_ref()).await?;
    actor.end(app, &change, Phase::Done, made.id.to_string()).await.map_err(ActionError::from)?;
    Ok(CreatedKey::Now(made.secret))
}

/// The active keys that a change may have made: those of its name, since it was asked for.
async fn made_before(app: &App, change: &Change) -> Result<Vec<ApiKeyRow>, StoreError> {
    let asked_at = app.db.logged_change(&change.id).await?.iter().map(|entry| entry.created_at).min();
    let is_its = |key: &ApiKeyRow| {
        key.name == change.subject && key.revoked_at.is_none() && asked_at.is_some_and(|asked| key.created_at >= asked)
    };
    Ok(app.db.api_keys().await?.into_iter().filter(is_its).collect())
}

/// Revokes a key.
///
/// # Errors
/// See [`ActionError`].
pub async fn revoke_key(app: &App, actor: &Actor, id: ChangeId, key: &str) -> Result<(), ActionError> {
    let change =
        Change { id, action: "revoke_key", subject: key.to_owned(), account: None, credits: 0, detail: String::new() };
    let is_first = actor.begin_once(app, &change).await?;
    // A form that was sent before may not have come to its end, so the key is revoked in any case.
    if api_keys::revoke(&app.db, app.clock.as_ref(), key).await? || !is_first {
        actor.end(app, &change, Phase::Done, String::new()).await?;
        return Ok(());
    }
    actor.end(app, &change, Phase::Refused, "there is no active key with this id".to_owned()).await?;
    Err(ActionError::NotFound("active key"))
}
