//! Who changes something by hand. Whoever did it is written down with what they did.

use crate::domain::account::AccountId;

/// Somebody with the admin scope.
#[derive(Debug, Clone)]
pub struct Operator {
    /// Who it is, for those who look later: an API key with its name, or a token's subject.
    pub name: String,
    /// The one account that they may act for; none means any.
    pub account: Option<AccountId>,
}

impl Operator {
    /// Whether they may see and change what belongs to an account.
    #[must_use]
    pub fn may_act_for(&self, account: &AccountId) -> bool {
        self.account.as_ref().is_none_or(|bound| bound == account)
    }
}
