//! Currencies and Stripe's rules for charges in them.
//!
//! Source of every rule: Stripe's page "Supported currencies" (zero-decimal, three-decimal and special cases, minimum
//! and maximum charge amounts).

use std::fmt;

/// An ISO 4217 currency in lower case, as Stripe writes it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency(&'static str);

/// The text is not a supported currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a currency of ISO 4217 that Stripe charges in, written in lower case such as usd or eur")]
pub struct UnknownCurrency;

const KNOWN: [&str; 137] = [
    "aed", "afn", "all", "amd", "ang", "aoa", "ars", "aud", "awg", "azn", "bam", "bbd", "bdt", "bgn", "bhd", "bif",
    "bmd", "bnd", "bob", "brl", "bsd", "bwp", "byn", "bzd", "cad", "cdf", "chf", "clp", "cny", "cop", "crc", "cve",
    "czk", "djf", "dkk", "dop", "dzd", "egp", "etb", "eur", "fjd", "fkp", "gbp", "gel", "gip", "gmd", "gnf", "gtq",
    "gyd", "hkd", "hnl", "htg", "huf", "idr", "ils", "inr", "isk", "jmd", "jod", "jpy", "kes", "kgs", "khr", "kmf",
    "krw", "kwd", "kyd", "kzt", "lak", "lbp", "lkr", "lrd", "lsl", "mad", "mdl", "mga", "mkd", "mmk", "mnt", "mop",
    "mur", "mvr", "mwk", "mxn", "myr", "mzn", "nad", "ngn", "nio", "nok", "npr", "nzd", "omr", "pab", "pen", "pgk",
    "php", "pkr", "pln", "pyg", "qar", "ron", "rsd", "rub", "rwf", "sar", "sbd", "scr", "sek", "sgd", "shp", "sle",
    "sos", "srd", "szl", "thb", "tjs", "tnd", "top", "try", "ttd", "twd", "tzs", "uah", "ugx", "usd", "uyu", "uzs",
    "vnd", "vuv", "wst", "xaf", "xcd", "xcg", "xof", "xpf", "yer",
];

impl Currency {
    /// US dollars.
    pub const USD: Self = Self("usd");

    /// Parses a lower-case currency code.
    ///
    /// # Errors
    /// When Stripe does not charge in this currency, or the code is not in lower case.
    pub fn parse(text: &str) -> Result<Self, UnknownCurrency> {
        KNOWN.iter().find(|known| **known == text).map(|known| Self(known)).ok_or(UnknownCurrency)
    }

    /// The code, in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// The number of decimals in amounts sent to Stripe. ISK and UGX have none in daily life, but Stripe requires two
    /// (see [`Self::step_minor`]).
    #[must_use]
    pub fn exponent(self) -> u32 {
        match self.0 {
            "bif" | "clp" | "djf" | "gnf" | "jpy" | "kmf" | "krw" | "mga" | "pyg" | "rwf" | "vnd" | "vuv" | "xaf"
            | "xof" | "xpf" => 0,
            "bhd" | "jod" | "kwd" | "omr" | "tnd" => 3,
            _ => 2,
        }
    }

    /// A charge must be a multiple of this many minor units: three-decimal currencies end in 0, ISK and UGX in 00.
    #[must_use]
    pub fn step_minor(self) -> i64 {
        match self.0 {
            "bhd" | "jod" | "kwd" | "omr" | "tnd" => 10,
            "isk" | "ugx" => 100,
            _ => 1,
        }
    }

    /// The largest charge that every payment method accepts, in minor units: eight digits, and more in currencies with
    /// large amounts.
    #[must_use]
    pub fn maximum_charge_minor(self) -> i64 {
        match self.0 {
            "inr" => 999_999_999,
            "cop" => 9_999_999_999,
            "idr" => 999_999_999_999,
            _ => 99_999_999,
        }
    }

    /// The smallest charge that Stripe accepts if the account settles in this currency, in minor units; one step if
    /// Stripe names no minimum. An account that settles in another currency may have a higher minimum, which only
    /// Stripe knows.
    #[must_use]
    pub fn minimum_charge_minor(self) -> i64 {
        match self.0 {
            "usd" | "aud" | "brl" | "cad" | "chf" | "eur" | "nzd" | "sgd" | "inr" | "jpy" | "krw" => 50,
            "gbp" => 30,
            "aed" | "myr" | "pln" | "ron" => 200,
            "czk" => 1_500,
            "dkk" => 250,
            "hkd" => 400,
            "huf" => 17_500,
            "mxn" | "thb" => 1_000,
            "nok" | "sek" => 300,
            _ => self.step_minor(),
        }
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_lower_case_codes_are_currencies() {
        assert_eq!(Currency::parse("usd"), Ok(Currency::USD));
        for text in ["USD", "us", "usdd", "xyz", "", "xau"] {
            assert_eq!(Currency::parse(text), Err(UnknownCurrency), "{text}");
        }
    }

    #[test]
    fn a_zero_decimal_currency_is_not_charged_a_hundred_times_too_much() {
        // Known mistake 13. The amounts are from Stripe's page: 500 yen is 500, 5 dollars is 500.
        for (code, exponent, step) in
            [("jpy", 0, 1), ("krw", 0, 1), ("usd", 2, 1), ("kwd", 3, 10), ("isk", 2, 100), ("ugx", 2, 100)]
        {
            let currency = Currency::parse(code).expect("known");
            assert_eq!((currency.exponent(), currency.step_minor()), (exponent, step), "{code}");
        }
    }

    #[test]
    fn a_currency_of_large_numbers_has_a_large_maximum() {
        for (code, digits) in [("usd", 8), ("jpy", 8), ("inr", 9), ("cop", 10), ("idr", 12)] {
            let maximum = Currency::parse(code).expect("known").maximum_charge_minor();
            assert_eq!(maximum, 10_i64.pow(digits) - 1, "{code}");
            assert_eq!(crate::domain::reversal::amount(maximum), Some(maximum), "{code}: it can be refunded");
        }
    }

    #[test]
    fn every_minimum_is_a_multiple_of_the_step() {
        for code in KNOWN {
            let currency = Currency::parse(code).expect("known");
            assert_eq!(currency.minimum_charge_minor() % currency.step_minor(), 0, "{code}");
        }
    }
}
