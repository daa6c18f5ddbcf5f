//! Tax on what is sold: who says the rate, whether prices contain it, and what of a refund is tax.
//!
//! The provider decides the rate when it knows the customer's address, which is after the price was agreed. So the
//! agreement is about the amount before tax, and the tax is stored beside it once the money has arrived.

/// Whether a price contains its tax. The names are the provider's and stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaxBehavior {
    /// Tax comes on top.
    Exclusive,
    /// Tax is part of the price.
    Inclusive,
}

impl TaxBehavior {
    /// The name used in settings, in the database and at the provider.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exclusive => "exclusive",
            Self::Inclusive => "inclusive",
        }
    }

    /// Parses that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Exclusive, Self::Inclusive].into_iter().find(|behavior| behavior.as_str() == text)
    }

    /// The part of this tax that was charged on top of the agreed amount, in minor units.
    #[must_use]
    pub const fn added_minor(self, tax_minor: i64) -> i64 {
        match self {
            Self::Exclusive => tax_minor,
            Self::Inclusive => 0,
        }
    }
}

/// The provider's code for the kind of thing that is sold, which decides its tax: `txcd_` and eight digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxCode(String);

/// The text is not a tax code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tax code is txcd_ and eight digits, as in Stripe's list of product tax codes")]
pub struct InvalidTaxCode;

impl TaxCode {
    /// Parses a code.
    ///
    /// # Errors
    /// When it has another form.
    pub fn parse(text: &str) -> Result<Self, InvalidTaxCode> {
        let digits = text.strip_prefix("txcd_").ok_or(InvalidTaxCode)?;
        if digits.len() != 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidTaxCode);
        }
        Ok(Self(text.to_owned()))
    }

    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a payment charged. The provider splits each refund into price and tax in the proportion of the charge (Stripe,
/// "Tax on refunds"), so a refund of credits contains their tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charged {
    /// All of it, in minor units.
    pub total_minor: i64,
    /// The part that is tax on top of the agreed amount, in minor units.
    pub added_tax_minor: i64,
}

impl Charged {
    /// A charge that is the agreed amount.
    #[must_use]
    pub const fn without_tax(total_minor: i64) -> Self {
        Self { total_minor, added_tax_minor: 0 }
    }

    /// A charge of the agreed amount and the tax that came on top of it. Amounts of a charge have at most twelve digits, so
    /// the sum fits.
    #[must_use]
    pub const fn with_added_tax(agreed_minor: i64, added_tax_minor: i64) -> Self {
        Self { total_minor: agreed_minor.saturating_add(added_tax_minor), added_tax_minor }
    }

    /// The part of `minor` that is not tax, rounded down: `⌊minor · net / total⌋`. `WRONG_REVERSALS`
    /// in `books/ledger.rs` has the same formula in SQL.
    #[must_use]
    pub fn net_minor(&self, minor: i64) -> i64 {
        self.scaled(minor, false).unwrap_or(minor)
    }

    /// The least amount whose part without tax is `net_minor`: `⌈net · total / net of total⌉`.
    #[must_use]
    pub fn gross_minor(&self, net_minor: i64) -> Option<i64> {
        self.scaled(net_minor, true)
    }

    fn scaled(&self, minor: i64, to_gross: bool) -> Option<i64> {
        if self.added_tax_minor <= 0 || self.added_tax_minor >= self.total_minor {
            return Some(minor);
        }
        let (total, net) =
            (i128::from(self.total_minor), i128::from(self.total_minor.checked_sub(self.added_tax_minor)?));
        let (by, over) = if to_gross { (total, net) } else { (net, total) };
        let product = i128::from(minor).checked_mul(by)?;
        let floor = product.checked_div_euclid(over)?;
        let rest = product.checked_rem_euclid(over)?;
        let rounded = floor.checked_add(i128::from(to_gross && rest > 0))?;
        i64::try_from(rounded).ok()
    }
}

#[cfg(test)]
#[path = "tax_tests.rs"]
mod tests;
