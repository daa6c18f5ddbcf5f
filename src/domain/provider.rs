//! The name of a payment provider.

use std::fmt;

/// The longest name, in characters.
const MAX_LETTERS: usize = 16;

/// The text is not a provider's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a provider's name has 1 to {MAX_LETTERS} lower-case letters, digits or underscores")]
pub struct InvalidProviderName;

/// A payment provider's name, such as `stripe`: lower-case letters, digits and underscores. Stored with each id that
/// the provider issued.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProviderName {
    /// Padded with zeros.
    letters: [u8; MAX_LETTERS],
}

impl ProviderName {
    /// A name given in the code.
    ///
    /// # Panics
    /// When the name is invalid; at compile time if it is a constant.
    #[must_use]
    #[expect(clippy::panic, reason = "stops the build, or the program at its start")]
    pub const fn new(name: &'static str) -> Self {
        match Self::read(name.as_bytes()) {
            Some(name) => name,
            None => panic!("not a provider's name"),
        }
    }

    /// Parses a name.
    ///
    /// # Errors
    /// When it is empty, longer than 16 characters, or has other characters.
    pub const fn parse(name: &str) -> Result<Self, InvalidProviderName> {
        match Self::read(name.as_bytes()) {
            Some(name) => Ok(name),
            None => Err(InvalidProviderName),
        }
    }

    #[expect(clippy::indexing_slicing, reason = "a const fn cannot iterate; every index is checked against the length")]
    #[expect(clippy::arithmetic_side_effects, reason = "counts up to 16")]
    const fn read(name: &[u8]) -> Option<Self> {
        if name.is_empty() || name.len() > MAX_LETTERS {
            return None;
        }
        let (mut letters, mut at) = ([0; MAX_LETTERS], 0);
        while at < name.len() {
            if !matches!(name[at], b'a'..=b'z' | b'0'..=b'9' | b'_') {
                return None;
            }
            letters[at] = name[at];
            at += 1;
        }
        Some(Self { letters })
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let letters = self.letters.split(|letter| *letter == 0).next().unwrap_or_default();
        // ASCII, as checked by `read`.
        std::str::from_utf8(letters).unwrap_or_default()
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for ProviderName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_and_nothing_else_does() {
        for name in ["stripe", "lemon_squeezy", "sixteen_letters_"] {
            assert_eq!(ProviderName::parse(name).map(|name| name.to_string()).as_deref(), Ok(name));
        }
        assert_eq!(ProviderName::new("stripe"), ProviderName::parse("stripe").expect("a name"));
        for name in ["", "Stripe", "a-b", "a b", "seventeen_letters", "ä", "a\0b"] {
            assert!(ProviderName::parse(name).is_err(), "{name}");
        }
    }
}
