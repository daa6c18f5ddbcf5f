//! Grants, and the order in which credits are taken from them.
//!
//! An account's credits are held by grants: one for each purchase, bonus, promotion and positive adjustment. Invariant:
//! what remains of an account's grants adds up to its balance, or to 0 while the balance is below zero.

use std::collections::BTreeMap;

/// The end of a grant that never ends, in milliseconds since 1970.
pub const NEVER_MS: i64 = i64::MAX;
/// The priority of a grant whose creator chose none. Lower priorities are taken first.
pub const DEFAULT_PRIORITY: i64 = 50;
/// How long credits that are given back stay good if the grant they came from has ended: seven days, in milliseconds.
pub const GRACE_MS: i64 = 7 * 24 * 60 * 60 * 1_000;

/// Where a grant's credits came from. The names are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantKind {
    /// Bought.
    Purchase,
    /// Given on top of a purchase.
    Bonus,
    /// Given by an operator, often for a limited time.
    Promotion,
    /// Granted by an adjustment.
    Adjustment,
    /// Given back, where the grant that they were taken from could not take them.
    Returned,
    /// The credits of a paid period of a subscription, or of its trial.
    Subscription,
}

impl GrantKind {
    /// The name used in the database and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Purchase => "purchase",
            Self::Bonus => "bonus",
            Self::Promotion => "promotion",
            Self::Adjustment => "adjustment",
            Self::Returned => "returned",
            Self::Subscription => "subscription",
        }
    }
}

/// Whether money was paid for a grant. The numbers are stored, and are the order in which grants are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// Given for free; taken first.
    Promotional,
    /// Paid for.
    Paid,
}

impl Category {
    /// The number used in the database.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Self::Promotional => 0,
            Self::Paid => 1,
        }
    }

    /// Parses the number used in the database.
    #[must_use]
    pub const fn of_number(number: i64) -> Option<Self> {
        match number {
            0 => Some(Self::Promotional),
            1 => Some(Self::Paid),
            _ => None,
        }
    }

    /// The name used in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Promotional => "promotional",
            Self::Paid => "paid",
        }
    }
}

/// A grant's place in the burn order: lower priority numbers first, then what ends first, then promotional credits, then
/// the oldest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BurnOrder {
    /// The priority, 0 to 100.
    pub priority: i64,
    /// When it ends, in milliseconds since 1970; [`NEVER_MS`] for never.
    pub expires_at_ms: i64,
    /// Whether it was paid for.
    pub category: Category,
    /// The sequence number of the ledger entry that brought it.
    pub sequence: i64,
}

/// Credits taken from one grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The grant.
    pub grant: String,
    /// The number of credits, more than 0.
    pub credits: i64,
}

/// What a list of grants gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Burnt {
    /// The parts, in burn order.
    pub parts: Vec<Part>,
    /// What the grants did not cover.
    pub rest: i64,
}

/// Takes an amount from grants, which come in burn order, each with what remains of it.
#[must_use]
pub fn burn<'g>(grants: impl IntoIterator<Item = (&'g str, i64)>, amount: i64) -> Burnt {
    let mut burnt = Burnt { parts: Vec::new(), rest: amount.max(0) };
    for (grant, remaining) in grants {
        if burnt.rest == 0 {
            break;
        }
        let credits = burnt.rest.min(remaining);
        if credits > 0 {
            burnt.parts.push(Part { grant: grant.to_owned(), credits });
            // Both are positive, and the part is the smaller.
            burnt.rest = burnt.rest.saturating_sub(credits);
        }
    }
    burnt
}

/// Adds up the parts of each grant, in the order of their first parts.
#[must_use]
pub fn merged(parts: Vec<Part>) -> Vec<Part> {
    let mut places = BTreeMap::new();
    let mut merged: Vec<Part> = Vec::with_capacity(parts.len());
    for part in parts {
        let place = *places.entry(part.grant.clone()).or_insert(merged.len());
        match merged.get_mut(place) {
            // Together they are what remained of the grant at most.
            Some(same) => same.credits = same.credits.saturating_add(part.credits),
            None => merged.push(part),
        }
    }
    merged
}

/// How many of the credits that an entry brings can be spent, by the balance after it: what repays a negative balance
/// cannot.
#[must_use]
pub fn spendable(credits: i64, balance_after: i64) -> i64 {
    balance_after.clamp(0, credits.max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credits_are_taken_in_order_and_what_is_missing_is_said() {
        let grants = [("a", 10), ("b", 0), ("c", 5)];
        let part = |grant: &str, credits| Part { grant: grant.to_owned(), credits };
        assert_eq!(burn(grants, 4), Burnt { parts: vec![part("a", 4)], rest: 0 });
        assert_eq!(burn(grants, 12), Burnt { parts: vec![part("a", 10), part("c", 2)], rest: 0 });
        assert_eq!(burn(grants, 20), Burnt { parts: vec![part("a", 10), part("c", 5)], rest: 5 });
        assert_eq!(burn(grants, 0), Burnt { parts: Vec::new(), rest: 0 });
    }

    #[test]
    fn the_parts_of_one_grant_become_one() {
        let part = |grant: &str, credits| Part { grant: grant.to_owned(), credits };
        let parts = vec![part("b", 1), part("a", 2), part("b", 3)];
        assert_eq!(merged(parts), [part("b", 4), part("a", 2)]);
    }

    #[test]
    fn priority_comes_before_the_end_the_end_before_the_category_and_the_category_before_age() {
        let order =
            |priority, expires_at_ms, category, sequence| BurnOrder { priority, expires_at_ms, category, sequence };
        let in_order = [
            order(0, NEVER_MS, Category::Paid, 9),
            order(50, 5, Category::Paid, 8),
            order(50, 6, Category::Promotional, 7),
            order(50, 6, Category::Paid, 3),
            order(50, 6, Category::Paid, 4),
            order(50, NEVER_MS, Category::Promotional, 2),
            order(51, 1, Category::Promotional, 1),
        ];
        assert!(in_order.is_sorted());
    }

    #[test]
    fn what_repays_a_negative_balance_cannot_be_spent() {
        for (credits, balance_after, expected) in [(10, 10, 10), (10, 25, 10), (10, 4, 4), (10, 0, 0), (10, -3, 0)] {
            assert_eq!(spendable(credits, balance_after), expected);
        }
    }
}
