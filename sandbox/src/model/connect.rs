//! Connected accounts: who gets transfers. They need no onboarding here: what is asked for is active at once.
//!
//! Invariants: events of an account name it. A deleted account accepts nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Context, State, error::ApiError, table::Row};

/// A connected account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) created: i64,
    /// `standard`, `express` or `custom`.
    pub(crate) kind: String,
    pub(crate) country: String,
    #[serde(flatten)]
    pub(crate) details: AccountDetails,
}

/// What an update may change, with Stripe's names.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct AccountDetails {
    pub(crate) email: Option<String>,
    pub(crate) business_type: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    /// The capabilities that were asked for.
    pub(crate) capabilities: BTreeMap<String, bool>,
}

impl Row for Account {
    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Option<i64> {
        Some(self.created)
    }
}

pub(crate) fn find<'a>(state: &'a State, id: &str) -> Result<&'a Account, ApiError> {
    state.accounts.get(id).ok_or_else(|| {
        let message = format!(
            "The provided key does not have access to account '{id}' (or that account does not exist). Application \
             access may have been revoked."
        );
        ApiError::new(403, "invalid_request_error", message).code("account_invalid")
    })
}

/// Adds an account. As on Stripe, its creation sends no event.
pub(crate) fn add(state: &mut State, account: Account) {
    state.accounts.insert(account);
}

/// Changes an account, and emits `account.updated` if that changed anything.
pub(crate) fn change(state: &mut State, context: &mut Context<'_>, id: &str, details: AccountDetails) {
    let Some(account) = state.accounts.get_mut(id).filter(|account| account.details != details) else { return };
    let before = to_json(account);
    account.details = details;
    let after = to_json(account);
    state.emit_in_account(context, "account.updated", (&before, after), id);
}

/// Deletes an account, which ends the platform's access to it.
pub(crate) fn delete(state: &mut State, context: &mut Context<'_>, id: &str) -> Result<Value, ApiError> {
    find(state, id)?;
    state.accounts.remove(id);
    let application = json!({ "id": "ca_SandboxSandboxSandboxSandboxSa", "object": "application", "name": "Sandbox" });
    state.emit_in_account(context, "account.application.deauthorized", (&Value::Null, application), id);
    Ok(json!({ "id": id, "object": "account", "deleted": true }))
}

pub(crate) fn by_id(state: &State, id: &str) -> Option<Value> {
    state.accounts.get(id).map(to_json)
}

pub(crate) fn to_json(account: &Account) -> Value {
    let details = &account.details;
    let active = details.capabilities.iter().filter(|(_, asked)| **asked);
    let capabilities: Map<String, Value> = active.map(|(name, _)| (name.clone(), json!("active"))).collect();
    json!({
        "id": account.id,
        "object": "account",
        "business_type": details.business_type,
        "capabilities": capabilities,
        "charges_enabled": true,
        "country": account.country,
        "created": account.created,
        "default_currency": "usd",
        "details_submitted": true,
        "email": details.email,
        "metadata": details.metadata,
        "payouts_enabled": true,
        "type": account.kind,
    })
}
