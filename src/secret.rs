//! A text that must not be shown: keys, signing secrets, passwords.
//!
//! Invariants: `Debug` and `Display` print `[secret]` and nothing about the content, not even its length, and the type
//! cannot be serialized. The content is available only through [`Secret::expose`], so each use can be found by that
//! name.

use std::fmt;

use subtle::ConstantTimeEq;

/// A secret text. Comparison takes the same time wherever two texts differ, and reveals at most their lengths.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text that must not be shown.
    #[must_use]
    pub fn new(content: impl Into<String>) -> Self {
        Self(content.into())
    }

    /// The content. Never log it, and never put it into an error.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[secret]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[secret]")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_debug_nor_display_shows_the_content() {
        let secret = Secret::new("hunter2");

        assert_eq!(format!("{secret} {secret:?} {secret:#?}"), "[secret] [secret] [secret]");
        assert_eq!(format!("{:?}", Some(&secret)), "Some([secret])");
    }

    #[test]
    fn secrets_are_equal_only_when_their_contents_are() {
        let secret = Secret::new("hunter2");

        assert_eq!(secret, secret.clone());
        for other in ["", "hunter", "hunter22", "hunter3", "Hunter2"] {
            assert_ne!(secret, Secret::new(other));
        }
    }

    #[test]
    fn the_content_is_there_for_who_asks_for_it_by_name() {
        assert_eq!(Secret::new("hunter2").expose(), "hunter2");
    }
}
