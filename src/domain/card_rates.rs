//! What the provider keeps of a charge, by the country that issued the card. It is known for a saved card, and not when a
//! checkout is opened.

use std::fmt;

use super::fees::RatePercent;

/// The most entries of a table.
const MAX_ENTRIES: usize = 60;

/// The European Economic Area, where providers charge the same for all cards.
const EEA: [&str; 30] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT",
    "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// Who issued a card.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Issuer {
    /// A country, as two capital letters.
    Country(String),
    /// Any country of the European Economic Area that has no entry of its own.
    Eea,
    /// Any other country.
    Other,
}

/// The rates of cards. Without an entry for a card, its rate is that of checkouts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CardRates(Vec<(Issuer, RatePercent)>);

/// Why a text is no table of rates.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCardRates {
    /// An entry is not of the form `country:percent%`.
    #[error("{entry} is no entry; write a country's two letters, EEA or other, and the percentage, such as GB:2.5%")]
    Form {
        /// The text.
        entry: String,
    },
    /// The percentage is below 0, 100 or more, or too exact.
    #[error("the percentage of {entry} must be at least 0 and below 100, with at most four decimals")]
    Percent {
        /// The text.
        entry: String,
    },
    /// Two entries are about the same cards.
    #[error("{entry} comes twice")]
    Twice {
        /// The text.
        entry: String,
    },
    /// There are too many entries.
    #[error("has more than {MAX_ENTRIES} entries")]
    TooMany,
}

impl CardRates {
    /// Parses rates such as `EEA:1.5%,GB:2.5%,other:3.25%`.
    ///
    /// # Errors
    /// When an entry is malformed, or comes twice.
    pub fn parse(text: &str) -> Result<Self, InvalidCardRates> {
        let mut rates: Vec<(Issuer, RatePercent)> = Vec::new();
        for entry in text.split(',').map(str::trim) {
            let named = || entry.to_owned();
            let form = || InvalidCardRates::Form { entry: named() };
            let (issuer, percent) = entry.split_once(':').ok_or_else(form)?;
            let issuer = Issuer::parse(issuer.trim()).ok_or_else(form)?;
            let percent = percent.trim().strip_suffix('%').ok_or_else(form)?;
            let rate = RatePercent::parse(percent.trim()).map_err(|_| InvalidCardRates::Percent { entry: named() })?;
            if rates.iter().any(|(other, _)| *other == issuer) {
                return Err(InvalidCardRates::Twice { entry: named() });
            }
            rates.push((issuer, rate));
        }
        if rates.len() > MAX_ENTRIES { Err(InvalidCardRates::TooMany) } else { Ok(Self(rates)) }
    }

    /// The rate of a card from this country, given as two letters; `None` if the table says nothing of it.
    #[must_use]
    pub fn of(&self, country: &str) -> Option<RatePercent> {
        let country = country.to_ascii_uppercase();
        let is_eea = EEA.contains(&country.as_str());
        let rate_of = |wanted: &Issuer| self.0.iter().find(|(issuer, _)| issuer == wanted).map(|(_, rate)| *rate);
        rate_of(&Issuer::Country(country))
            .or_else(|| rate_of(&Issuer::Eea).filter(|_| is_eea))
            .or_else(|| rate_of(&Issuer::Other))
    }

    /// All rates.
    pub fn rates(&self) -> impl Iterator<Item = RatePercent> {
        self.0.iter().map(|(_, rate)| *rate)
    }
}

/// Whether a text has the form of a country's code: two letters.
#[must_use]
pub fn is_country_code(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

impl Issuer {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "EEA" => Some(Self::Eea),
            "other" => Some(Self::Other),
            _ => is_country_code(text).then(|| Self::Country(text.to_ascii_uppercase())),
        }
    }
}

impl fmt::Display for CardRates {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (issuer, rate)) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            let issuer = match issuer {
                Issuer::Country(country) => country,
                Issuer::Eea => "EEA",
                Issuer::Other => "other",
            };
            write!(formatter, "{comma}{issuer}:{rate}%")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(text: &str) -> RatePercent {
        RatePercent::parse(text).expect("a rate")
    }

    #[test]
    fn the_nearest_entry_counts() {
        let rates = CardRates::parse("EEA:1.5%, gb:2.5% ,DE:1.4%,other:3.25%").expect("a table");
        for (country, expected) in [("AT", "1.5"), ("de", "1.4"), ("GB", "2.5"), ("US", "3.25"), ("CH", "3.25")] {
            assert_eq!(rates.of(country), Some(rate(expected)), "{country}");
        }
        assert_eq!(CardRates::parse("US:2.9%").expect("a table").of("DE"), None);
        assert_eq!(CardRates::default().of("US"), None);
        assert_eq!(rates.to_string(), "EEA:1.5%,GB:2.5%,DE:1.4%,other:3.25%");
    }

    #[test]
    fn a_table_that_cannot_be_read_says_which_entry() {
        for (text, expected) in [
            ("", " is no entry"),
            ("US", "US is no entry"),
            ("US:2.9", "US:2.9 is no entry"),
            ("USA:2.9%", "USA:2.9% is no entry"),
            ("U1:2.9%", "U1:2.9% is no entry"),
            ("US:2.9%,", " is no entry"),
            ("US:100%", "US:100% must be"),
            ("US:-1%", "US:-1% must be"),
            ("US:2.9%,us:3%", "us:3% comes twice"),
            ("other:1%,other:2%", "other:2% comes twice"),
        ] {
            let said = CardRates::parse(text).expect_err(text).to_string();
            assert!(said.contains(expected), "{text:?}: {said}");
        }
    }
}
