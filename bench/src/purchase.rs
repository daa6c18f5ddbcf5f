//! The purchases that are delivered: the n-th has the same ids and the same account in the database and in its event.

/// How many accounts there are, apart from the hot one.
pub const ACCOUNTS: u64 = 10_000;
/// Spreads neighbours over the accounts; has no divisor in common with their number.
pub const STRIDE: u64 = 7_919;
/// What each purchase is about, and what it costs: 2.9 % + 30 grossed up.
pub const CREDITS: u64 = 1_000;
pub const FEE: u64 = 61;
pub const TOTAL: u64 = 1_061;
/// The account that everybody buys for.
pub const HOT_ACCOUNT: &str = "account_hot";

/// Who buys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Buyers {
    /// One of [`ACCOUNTS`] after the other, in an order that jumps.
    Many,
    /// All for [`HOT_ACCOUNT`].
    One,
}

/// One purchase.
#[derive(Debug, Clone, Copy)]
pub struct Purchase {
    pub number: u64,
    pub buyers: Buyers,
}

impl Purchase {
    pub fn topup(self) -> String {
        format!("topup_{:032x}", self.number)
    }

    pub fn session(self) -> String {
        format!("cs_test_{:058x}", self.number)
    }

    pub fn payment(self) -> String {
        format!("pi_{:024x}", self.number)
    }

    pub fn charge(self) -> String {
        format!("ch_{:024x}", self.number)
    }

    /// The movement on the balance at Stripe by which the charge's fee is known.
    pub fn movement(self) -> String {
        format!("txn_{:024x}", self.number)
    }

    pub fn refund(self) -> String {
        format!("re_{:024x}", self.number)
    }

    /// The purchase's event with this number; the one that credits is number 0.
    pub fn event(self, which: usize) -> String {
        format!("evt_{which:02x}{:022x}", self.number)
    }

    /// The purchase that one of Stripe's ids above belongs to; its buyer cannot be told from that.
    pub fn of_id(id: &str, buyers: Buyers) -> Option<Self> {
        let (_, digits) = id.split_once('_')?;
        Some(Self { number: u64::from_str_radix(digits, 16).ok()?, buyers })
    }

    pub fn account(self) -> String {
        match self.buyers {
            Buyers::One => HOT_ACCOUNT.to_owned(),
            Buyers::Many => format!("account_{}", self.number.wrapping_mul(STRIDE) % ACCOUNTS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purchase_is_known_by_its_ids() {
        let purchase = Purchase { number: 123_456_789, buyers: Buyers::Many };
        for id in [purchase.payment(), purchase.charge(), purchase.movement(), purchase.refund()] {
            assert_eq!(Purchase::of_id(&id, Buyers::Many).unwrap().number, purchase.number);
        }
        assert!(Purchase::of_id("pi_of_somebody_else", Buyers::Many).is_none());
    }
}
