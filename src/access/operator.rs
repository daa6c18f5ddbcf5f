//! The operator who makes a manual change. The name is stored with the change.

use crate::domain::account::AccountId;

/// A caller with the admin scope.
#[derive(Debug, Clone)]
pub struct Operator {
    /// The name for the records: an API key with its name, or a token's subject.
    pub name: String,
    /// The only account that the operator may act for; `None` means any.
    pub account: Option<AccountId>,
}

impl Operator {
    /// Whether the operator may see and change the data of an account.
    #[must_use]
    pub fn may_act_for(&self, account: &AccountId) -> bool {
        self.account.as_ref().is_none_or(|bound| bound == account)
    }
}
