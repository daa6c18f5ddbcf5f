//! Who paid, with what and from where. Personal data: kept beside the books for a limited time, and never logged.

use std::fmt;

/// The most characters kept of a text: names and addresses are shorter, user agents sometimes are not.
const MAX_CHARACTERS: usize = 300;

/// What is known about the person who pays for a top-up.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Payer {
    /// The e-mail address, in lower case.
    pub email: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The card's brand, in the provider's word.
    pub card_brand: Option<String>,
    /// The card's last four digits.
    pub card_last4: Option<String>,
    /// The country that issued the card, as two letters.
    pub card_country: Option<String>,
    /// The address that the checkout was asked for from.
    pub client_ip: Option<String>,
    /// The program that asked for it.
    pub user_agent: Option<String>,
}

impl Payer {
    /// The same in the form in which it is kept: trimmed, of bounded length, without control characters, the address in
    /// lower case. Empty texts are left out.
    #[must_use]
    pub fn tidied(self) -> Self {
        let tidy = |text: Option<String>| {
            let text: String =
                text?.trim().chars().filter(|letter| !letter.is_control()).take(MAX_CHARACTERS).collect();
            (!text.is_empty()).then_some(text)
        };
        Self {
            email: tidy(self.email).map(|email| email.to_lowercase()),
            name: tidy(self.name),
            card_brand: tidy(self.card_brand),
            card_last4: tidy(self.card_last4),
            card_country: tidy(self.card_country),
            client_ip: tidy(self.client_ip),
            user_agent: tidy(self.user_agent),
        }
    }

    /// What is known together: the newer of two values wins.
    #[must_use]
    pub fn or(self, earlier: Self) -> Self {
        Self {
            email: self.email.or(earlier.email),
            name: self.name.or(earlier.name),
            card_brand: self.card_brand.or(earlier.card_brand),
            card_last4: self.card_last4.or(earlier.card_last4),
            card_country: self.card_country.or(earlier.card_country),
            client_ip: self.client_ip.or(earlier.client_ip),
            user_agent: self.user_agent.or(earlier.user_agent),
        }
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Shows nothing, because a log is kept elsewhere and longer.
impl fmt::Debug for Payer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Payer(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_tidy_bounded_and_never_shown() {
        let payer = Payer {
            email: Some(" Ann@Example.COM\u{0} ".to_owned()),
            name: Some("  ".to_owned()),
            user_agent: Some("x".repeat(1_000)),
            ..Payer::default()
        };
        let tidied = payer.tidied();
        assert_eq!(tidied.email.as_deref(), Some("ann@example.com"));
        assert_eq!(tidied.name, None);
        assert_eq!(tidied.user_agent.as_ref().map(String::len), Some(300));
        assert_eq!(format!("{tidied:?}"), "Payer(…)");
        assert!(Payer::default().is_empty() && !tidied.is_empty());
    }

    #[test]
    fn the_newer_value_wins_and_a_missing_one_erases_nothing() {
        let earlier = Payer { email: Some("a@b.example".to_owned()), name: Some("A".to_owned()), ..Payer::default() };
        let newer = Payer { name: Some("B".to_owned()), ..Payer::default() };
        let both = newer.or(earlier);
        assert_eq!((both.email.as_deref(), both.name.as_deref()), (Some("a@b.example"), Some("B")));
    }
}
