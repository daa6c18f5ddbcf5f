//! The account that owns credits. The product that runs Topup chooses its id.

use std::fmt;

/// The longest account id, in characters. Stripe's `client_reference_id` takes 200, and it carries the account.
pub const MAX_ACCOUNT_ID_CHARACTERS: usize = 200;

/// The id of an account in the product that sells credits: 1 to 200 printable characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(String);

/// The accounts whose purchases and subscriptions a caller may see.
#[derive(Debug, Clone)]
pub enum Visible {
    /// Only this account's.
    Account(AccountId),
    /// Everybody's.
    All,
}

impl Visible {
    /// Whether those of this account are among them.
    #[must_use]
    pub fn has(&self, account: &str) -> bool {
        match self {
            Self::Account(own) => own.as_str() == account,
            Self::All => true,
        }
    }
}

/// The text is not a valid account id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an account id has 1 to 200 printable characters and neither starts nor ends with a space")]
pub struct InvalidAccountId;

impl AccountId {
    /// Reads an account id.
    ///
    /// # Errors
    /// When it is empty, longer than 200 characters, has a control or invisible formatting character, or has white
    /// space other than spaces inside.
    pub fn parse(text: impl Into<String>) -> Result<Self, InvalidAccountId> {
        let text = text.into();
        let length = text.chars().count();
        let has_valid_length = (1..=MAX_ACCOUNT_ID_CHARACTERS).contains(&length);
        if !has_valid_length || text.trim() != text || !text.chars().all(is_printable) {
            return Err(InvalidAccountId);
        }
        Ok(Self(text))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Refuses invisible characters: they would make two accounts out of what looks like one.
fn is_printable(character: char) -> bool {
    let invisible = matches!(character,
        '\u{00AD}' | '\u{061C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFF}'
        | '\u{E0000}'..='\u{E0FFF}');
    !character.is_control() && !invisible && (character == ' ' || !character.is_whitespace())
}

impl fmt::Display for AccountId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_products_use_are_accounts() {
        for text in
            ["user_1", "42", "auth0|5f7c8ec7c33c6c004bbafe82", "a@b.example", "Zoë", "two words", &"x".repeat(200)]
        {
            assert_eq!(AccountId::parse(text).map(|id| id.as_str().to_owned()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn empty_long_padded_and_invisible_names_are_refused() {
        for text in ["", " ", " a", "a ", "a\nb", "a\u{0}", "a\u{200B}b", "a\u{202E}b", "a\u{00A0}b", &"x".repeat(201)]
        {
            assert_eq!(AccountId::parse(text), Err(InvalidAccountId), "{text:?}");
        }
    }
}
