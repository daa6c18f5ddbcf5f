//! What credits cost: the currency, the unit, the limits of a purchase, and the processing fee.

use super::source::Reader;
use crate::domain::bonus::BonusTiers;
use crate::domain::credit_unit::{DisplayDecimals, MAX_UNIT_CREDITS};
use crate::domain::currency::Currency;
use crate::domain::expiry::ExpiryDays;
use crate::domain::fees::{FeeMode, FeePolicy, MAX_FEE_LABEL_CHARACTERS, RatePercent};
use crate::domain::pricing::{InvalidPricing, PriceSettings, Pricing};

/// Reads what credits cost.
pub(super) fn read_pricing(reader: &mut Reader<'_>) -> Option<Pricing> {
    let currency = reader.text("CURRENCY", "usd");
    let currency = match Currency::parse(&currency) {
        Ok(currency) => Some(currency),
        Err(error) => {
            reader.error("CURRENCY", &error.to_string());
            None
        }
    };
    for setting in ["CREDIT_UNIT_AMOUNT", "FEE_FIXED"] {
        if currency.is_some_and(|currency| currency != Currency::USD) && !reader.is_set(setting) {
            reader.error(setting, "must be set for a currency other than usd: there is no default that is right");
        }
    }
    let unit_amount_minor =
        reader.parse("CREDIT_UNIT_AMOUNT", "1", "the price of a unit of credits in minor units, a whole number");
    let hint = "a whole number from 1 to 1000000: how many credits CREDIT_UNIT_AMOUNT buys";
    let unit_credits = reader.in_range("CREDIT_UNIT_CREDITS", 1, 1..=MAX_UNIT_CREDITS, hint);
    let hint = "a whole number from 0 to 6: how many digits of a number of credits people read as decimals";
    let decimals = reader.in_range("CREDIT_DISPLAY_DECIMALS", 0, 0..=DisplayDecimals::MAX, hint);
    let fixed_minor = reader.in_range("FEE_FIXED", 30, 0..=1_000_000, "minor units, a whole number from 0");
    let mode = reader.text("FEE_MODE", "gross_up");
    let mode = FeeMode::parse(&mode).or_else(|| {
        reader.error("FEE_MODE", "must be gross_up (the customer pays the fee) or absorb (no fee line)");
        None
    });
    let rate = reader.text("FEE_RATE_PERCENT", "2.9");
    if let Some(meant) = fraction_for_percent(&rate) {
        let message = format!(
            "{rate} percent is less than Stripe charges anywhere; write {meant} for {meant} percent, or 0 if there is \
             no such part"
        );
        reader.error("FEE_RATE_PERCENT", &message);
    }
    let rate = RatePercent::parse(&rate).map_err(|error| reader.error("FEE_RATE_PERCENT", &error.to_string())).ok();
    let label = reader.text("FEE_LABEL", "Processing fee");
    if label.trim().is_empty() || label.chars().count() > MAX_FEE_LABEL_CHARACTERS || label.contains(char::is_control) {
        reader.error("FEE_LABEL", "must be 1 to 100 printable characters");
    }
    let min_credits = reader.parse("MIN_CREDITS", "1", "a whole number");
    let max_credits = reader.parse("MAX_CREDITS", "100000", "a whole number");
    let (bonuses, expiry) = (read_bonuses(reader), read_expiry(reader));
    let pricing = Pricing::new(PriceSettings {
        currency: currency?,
        unit_credits: unit_credits?,
        unit_amount_minor: unit_amount_minor?,
        fees: FeePolicy { mode: mode?, rate: rate?, fixed_minor: fixed_minor?, label },
        min_credits: min_credits?,
        max_credits: max_credits?,
        decimals: DisplayDecimals::new(decimals?)?,
        bonuses: bonuses?,
        expiry: expiry.ok()?,
    });
    pricing.map_err(|error| reader.error(setting_of(&error), &error.to_string())).ok()
}

/// The bonuses; `None` after a mistake.
fn read_bonuses(reader: &mut Reader<'_>) -> Option<BonusTiers> {
    let Some(text) = reader.optional("BONUS_TIERS") else { return Some(BonusTiers::default()) };
    BonusTiers::parse(&text).map_err(|error| reader.error("BONUS_TIERS", &error.to_string())).ok()
}

/// How long credits are good, `None` for ever; an error after a mistake, which is recorded.
fn read_expiry(reader: &mut Reader<'_>) -> Result<Option<ExpiryDays>, ()> {
    if !reader.is_set("CREDITS_EXPIRE_DAYS") {
        return Ok(None);
    }
    let hint = "a whole number of days from 1 to 3650; remove the setting if bought credits never end";
    let days = reader.in_range("CREDITS_EXPIRE_DAYS", *ExpiryDays::RANGE.end(), ExpiryDays::RANGE, hint);
    days.and_then(ExpiryDays::new).map(Some).ok_or(())
}

/// The setting to change.
const fn setting_of(error: &InvalidPricing) -> &'static str {
    match error {
        InvalidPricing::UnitAmount { .. } => "CREDIT_UNIT_AMOUNT",
        InvalidPricing::Bonus => "BONUS_TIERS",
        InvalidPricing::UnitCredits => "CREDIT_UNIT_CREDITS",
        InvalidPricing::Range => "MIN_CREDITS",
        InvalidPricing::TooManyCredits
        | InvalidPricing::NoMultiple { .. }
        | InvalidPricing::MaximumBelowMinimumCharge { .. }
        | InvalidPricing::MaximumAboveMaximumCharge { .. } => "MAX_CREDITS",
    }
}

/// The percentage that was probably meant by a rate below 0.1: `0.029` is 2.9 % as a fraction.
fn fraction_for_percent(rate: &str) -> Option<String> {
    let decimals = rate.strip_prefix("0.0").filter(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))?;
    let decimals = decimals.trim_end_matches('0');
    let (percent, rest) = decimals.split_at_checked(1)?;
    Some(if rest.is_empty() { percent.to_owned() } else { format!("{percent}.{rest}") })
}
