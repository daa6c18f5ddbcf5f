//! The top-ups that are delivered: number n has the same ids and the same account in the database and in its event.

/// The number of accounts, not counting the hot one.
pub const ACCOUNTS: u64 = 10_000;
/// Spreads consecutive top-ups over the accounts; coprime with their number.
pub const STRIDE: u64 = 7_919;
/// The credits of each top-up, and its price: 2.9 % + 30 grossed up.
pub const CREDITS: u64 = 1_000;
pub const FEE: u64 = 61;
pub const TOTAL: u64 = 1_061;
/// The hot account, for which all top-ups are.
pub const HOT_ACCOUNT: &str = "account_hot";

/// Which accounts buy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Buyers {
    /// Each of the [`ACCOUNTS`] in turn, in scattered order.
    Many,
    /// Only [`HOT_ACCOUNT`].
    One,
}

/// A top-up.
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

    /// The id of Stripe's balance transaction, which has the charge's fee.
    pub fn movement(self) -> String {
        format!("txn_{:024x}", self.number)
    }

    pub fn refund(self) -> String {
        format!("re_{:024x}", self.number)
    }

    /// The id of one of the top-up's events; number 0 is the one that credits it.
    pub fn event(self, which: usize) -> String {
        format!("evt_{which:02x}{:022x}", self.number)
    }

    /// The top-up to which one of the Stripe ids above belongs. The id does not tell the buyer, so it is passed in.
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
