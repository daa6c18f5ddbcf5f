//! Bonuses: credits given on top of large purchases, and what refunds and disputes leave of them.

use std::fmt;

/// A hundred percent, in hundredths of a percent.
const WHOLE: i64 = 10_000;
/// The most tiers.
const MAX_TIERS: usize = 20;

/// From how many credits on a purchase gets how much on top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tier {
    from_credits: i64,
    /// In hundredths of a percent, from 1 to [`WHOLE`].
    share: i64,
}

/// The tiers of bonuses, in ascending order. Without tiers there is no bonus.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BonusTiers(Vec<Tier>);

/// Why a text describes no tiers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTiers {
    /// A tier is not of the form `credits:percent%`.
    #[error("{tier} is no tier; write from how many credits on a purchase gets how many percent, such as 1000:5%")]
    Form {
        /// The text.
        tier: String,
    },
    /// The percentage is 0, above 100, or too exact.
    #[error("the percentage of {tier} must be above 0 and at most 100, with at most two decimals")]
    Percent {
        /// The text.
        tier: String,
    },
    /// Tiers are not in order.
    #[error("{tier} must begin at more credits and give a higher percentage than the tier before it")]
    Order {
        /// The text.
        tier: String,
    },
    /// There are too many tiers.
    #[error("has more than {MAX_TIERS} tiers")]
    TooMany,
}

impl BonusTiers {
    /// Parses tiers such as `1000:5%,5000:7.5%`.
    ///
    /// # Errors
    /// When a tier is malformed, or the tiers do not ascend.
    pub fn parse(text: &str) -> Result<Self, InvalidTiers> {
        let mut tiers: Vec<Tier> = Vec::new();
        for part in text.split(',') {
            let (part, named) = (part.trim(), || part.trim().to_owned());
            let form = || InvalidTiers::Form { tier: named() };
            let (credits, percent) = part.split_once(':').ok_or_else(form)?;
            let from_credits = whole(credits.trim()).filter(|credits| *credits >= 1).ok_or_else(form)?;
            let percent = percent.trim().strip_suffix('%').ok_or_else(form)?;
            let share = share(percent.trim()).ok_or_else(|| InvalidTiers::Percent { tier: named() })?;
            let tier = Tier { from_credits, share };
            if tiers.last().is_some_and(|last| last.from_credits >= from_credits || last.share >= share) {
                return Err(InvalidTiers::Order { tier: named() });
            }
            tiers.push(tier);
        }
        if tiers.len() > MAX_TIERS { Err(InvalidTiers::TooMany) } else { Ok(Self(tiers)) }
    }

    /// The bonus of a purchase, rounded down to whole credits.
    #[must_use]
    pub fn bonus(&self, credits: i64) -> i64 {
        let reached = self.0.iter().rfind(|tier| tier.from_credits <= credits);
        reached.and_then(|tier| part(credits, tier.share, WHOLE)).unwrap_or(0)
    }
}

impl fmt::Display for BonusTiers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, tier) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { "," };
            let (whole, rest) = (tier.share.div_euclid(100), tier.share.rem_euclid(100));
            write!(formatter, "{comma}{}:{whole}.{rest:02}%", tier.from_credits)?;
        }
        Ok(())
    }
}

fn whole(text: &str) -> Option<i64> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain)
}

/// Hundredths of a percent, from 1 to [`WHOLE`].
fn share(percent: &str) -> Option<i64> {
    let (units, decimals) = percent.split_once('.').unwrap_or((percent, "0"));
    if decimals.len() > 2 {
        return None;
    }
    let hundredths = whole(&format!("{decimals:0<2}")).filter(|_| !decimals.is_empty())?;
    let share = whole(units)?.checked_mul(100)?.checked_add(hundredths)?;
    (1..=WHOLE).contains(&share).then_some(share)
}

/// `⌊number · numerator / denominator⌋`, for a fraction from 0 to 1. `None` if the denominator is 0.
fn part(number: i64, numerator: i64, denominator: i64) -> Option<i64> {
    let product = i128::from(number).checked_mul(i128::from(numerator))?;
    i64::try_from(product.checked_div(i128::from(denominator))?).ok()
}

/// How much of a bonus is taken when this many of the purchase's credits are: all but the share of it that the credits
/// which are left have, rounded down. So it follows from the credits taken alone, in whatever steps they were taken, and
/// a purchase that is taken back as a whole leaves nothing.
#[must_use]
pub fn bonus_taken(bonus: i64, credits: i64, taken: i64) -> i64 {
    let left = credits.saturating_sub(taken).clamp(0, credits.max(0));
    let kept = part(bonus, left, credits).unwrap_or(0);
    bonus.saturating_sub(kept)
}

#[cfg(test)]
#[path = "bonus_tests.rs"]
mod tests;
