//! What credits cost: the currencies, the unit, the limits of a purchase, and the processing fee.

use super::source::Reader;
use super::tax::read_tax;
use crate::domain::bonus::BonusTiers;
use crate::domain::card_rates::CardRates;
use crate::domain::credit_unit::{DisplayDecimals, MAX_UNIT_CREDITS};
use crate::domain::currency::Currency;
use crate::domain::expiry::ExpiryDays;
use crate::domain::fees::{AssumedTax, FeeMode, FeePolicy, MAX_FEE_LABEL_CHARACTERS, RatePercent};
use crate::domain::price_list::{PriceList, UnitPrice};
use crate::domain::pricing::{InvalidPricing, PriceSettings, Pricing};

/// The beginning of the settings that name a currency at their end.
const PRICE: &str = "CREDIT_PRICE_";
const FIXED: &str = "FEE_FIXED_";
const RATE: &str = "FEE_RATE_PERCENT_";
const CARDS: &str = "FEE_CARD_RATES_";

/// Reads what credits cost, in each currency.
pub(super) fn read_pricing(reader: &mut Reader<'_>) -> Option<PriceList> {
    let currency = reader.text("CURRENCY", "usd");
    let currency = match Currency::parse(&currency) {
        Ok(currency) => Some(currency),
        Err(error) => {
            reader.error("CURRENCY", &error.to_string());
            None
        }
    };
    let hint = "a whole number from 1 to 1000000: how many credits CREDIT_UNIT_AMOUNT buys";
    let unit_credits = reader.in_range("CREDIT_UNIT_CREDITS", 1, 1..=MAX_UNIT_CREDITS, hint);
    let hint = "a whole number from 0 to 6: how many digits of a number of credits people read as decimals";
    let decimals = reader.in_range("CREDIT_DISPLAY_DECIMALS", 0, 0..=DisplayDecimals::MAX, hint);
    let mode = reader.text("FEE_MODE", "gross_up");
    let mode = FeeMode::parse(&mode).or_else(|| {
        reader.error("FEE_MODE", "must be gross_up (the customer pays the fee) or absorb (no fee line)");
        None
    });
    let label = reader.text("FEE_LABEL", "Processing fee");
    if label.trim().is_empty() || label.chars().count() > MAX_FEE_LABEL_CHARACTERS || label.contains(char::is_control) {
        reader.error("FEE_LABEL", "must be 1 to 100 printable characters");
    }
    let min_credits = reader.parse("MIN_CREDITS", "1", "a whole number");
    let max_credits = reader.parse("MAX_CREDITS", "100000", "a whole number");
    let (bonuses, expiry) = (read_bonuses(reader), read_expiry(reader));
    let price = read_main_price(reader, currency);
    let rate = read_rate(reader, "FEE_RATE_PERCENT", "2.9");
    let fixed_minor = reader.in_range("FEE_FIXED", 30, 0..=1_000_000, FIXED_HINT);
    let cards = read_card_rates(reader, "FEE_CARD_RATES");
    let others = read_other_currencies(reader, currency);
    let tax = read_tax(reader);
    let common = Common {
        unit_credits: unit_credits?,
        mode: mode?,
        label,
        min_credits: min_credits?,
        max_credits: max_credits?,
        decimals: DisplayDecimals::new(decimals?)?,
        bonuses: bonuses?,
        expiry: expiry.ok()?,
        tax: tax.as_ref().map(|tax| tax.assumed),
    };
    let (setting, price) = price?;
    let cards = ("FEE_CARD_RATES".to_owned(), cards?);
    let main = SoldIn { currency: currency?, setting, price, rate: rate?, fixed_minor: fixed_minor?, cards };
    let main = common.pricing(reader, &main);
    let others: Option<Vec<Pricing>> = others?.iter().map(|sold| common.pricing(reader, sold)).collect();
    let prices = PriceList::new(common.unit_credits, main?, others?);
    let asks_ids = tax.as_ref().is_some_and(|tax| tax.asks_ids);
    Some(prices.with_tax_code(tax.and_then(|tax| tax.code)).with_tax_ids(asks_ids))
}

const FIXED_HINT: &str = "minor units, a whole number from 0";

/// What holds in all currencies.
struct Common {
    unit_credits: i64,
    mode: FeeMode,
    label: String,
    min_credits: i64,
    max_credits: i64,
    decimals: DisplayDecimals,
    bonuses: BonusTiers,
    expiry: Option<ExpiryDays>,
    tax: Option<AssumedTax>,
}

/// What holds in one currency.
struct SoldIn {
    currency: Currency,
    /// The setting with the price.
    setting: String,
    price: UnitPrice,
    rate: RatePercent,
    fixed_minor: i64,
    /// The rates of saved cards, and their setting.
    cards: (String, CardRates),
}

impl Common {
    fn pricing(&self, reader: &mut Reader<'_>, sold: &SoldIn) -> Option<Pricing> {
        let unit_credits = sold.price.unit_credits(self.unit_credits);
        let unit_credits = unit_credits.map_err(|error| reader.error(&sold.setting, &error.to_string())).ok()?;
        let (rate, fixed_minor) = (sold.rate, sold.fixed_minor);
        let fees = FeePolicy { mode: self.mode, rate, fixed_minor, label: self.label.clone(), tax: self.tax };
        let (cards_setting, cards) = &sold.cards;
        let leaves_something = |rate| FeePolicy { rate, ..fees.clone() }.leaves_something();
        let takes_all = "with the assumed tax, Stripe's fee on the charge and its tax would be all of the charge";
        if !leaves_something(rate) {
            reader.error(&sold.setting, takes_all);
            return None;
        }
        if !cards.rates().all(leaves_something) {
            reader.error(cards_setting, takes_all);
            return None;
        }
        let pricing = Pricing::new(PriceSettings {
            currency: sold.currency,
            unit_credits,
            unit_amount_minor: sold.price.unit_amount_minor(),
            fees,
            min_credits: self.min_credits,
            max_credits: self.max_credits,
            decimals: self.decimals,
            bonuses: self.bonuses.clone(),
            expiry: self.expiry,
        });
        let pricing =
            pricing.map_err(|error| reader.error(setting_of(&error, &sold.setting), &error.to_string())).ok()?;
        let pricing = pricing.with_card_rates(cards.clone());
        pricing.map_err(|error| reader.error(cards_setting, &error.to_string())).ok()
    }
}

/// The price in the main currency, and the setting that it is in.
fn read_main_price(reader: &mut Reader<'_>, currency: Option<Currency>) -> Option<(String, UnitPrice)> {
    let own = currency.map(|currency| format!("{PRICE}{}", currency.as_str().to_uppercase()));
    let own = own.filter(|own| reader.is_set(own));
    if let Some(own) = own {
        if reader.is_set("CREDIT_UNIT_AMOUNT") {
            reader.error(&own, "says the same as CREDIT_UNIT_AMOUNT; remove one of them");
        }
        require_where_not_usd(reader, currency, "FEE_FIXED");
        return read_price(reader, own);
    }
    require_where_not_usd(reader, currency, "CREDIT_UNIT_AMOUNT");
    require_where_not_usd(reader, currency, "FEE_FIXED");
    let hint = "the price of a unit of credits in minor units, a whole number";
    let amount: i64 = reader.parse("CREDIT_UNIT_AMOUNT", "1", hint)?;
    let price = UnitPrice::parse(&amount.to_string());
    let price = price.map_err(|_| reader.error("CREDIT_UNIT_AMOUNT", "must be above 0")).ok()?;
    Some(("CREDIT_UNIT_AMOUNT".to_owned(), price))
}

fn require_where_not_usd(reader: &mut Reader<'_>, currency: Option<Currency>, setting: &str) {
    if currency.is_some_and(|currency| currency != Currency::USD) && !reader.is_set(setting) {
        reader.error(setting, "must be set for a currency other than usd: there is no default that is right");
    }
}

fn read_price(reader: &mut Reader<'_>, setting: String) -> Option<(String, UnitPrice)> {
    let text = reader.optional(&setting)?;
    match UnitPrice::parse(text.trim()) {
        Ok(price) => Some((setting, price)),
        Err(error) => {
            reader.error(&setting, &error.to_string());
            None
        }
    }
}

/// The other currencies that have a price, each with its fee. `None` after a mistake.
fn read_other_currencies(reader: &mut Reader<'_>, main: Option<Currency>) -> Option<Vec<SoldIn>> {
    let mut sold = Some(Vec::new());
    for code in reader.endings(PRICE) {
        let setting = format!("{PRICE}{code}");
        let Ok(currency) = Currency::parse(&code.to_lowercase()) else { continue };
        if Some(currency) == main {
            continue;
        }
        let price = read_price(reader, setting);
        let fixed_setting = format!("{FIXED}{code}");
        if !reader.is_set(&fixed_setting) {
            let message = "must be set where credits are sold in that currency: there is no default that is right";
            reader.error(&fixed_setting, message);
        }
        let fixed_minor = reader.in_range(&fixed_setting, 0, 0..=1_000_000, FIXED_HINT);
        let default = reader.text("FEE_RATE_PERCENT", "2.9");
        let rate = read_rate(reader, &format!("{RATE}{code}"), &default);
        let cards_setting = format!("{CARDS}{code}");
        let cards = read_card_rates(reader, &cards_setting).map(|cards| (cards_setting, cards));
        match (price, fixed_minor, rate, cards, &mut sold) {
            (Some((setting, price)), Some(fixed_minor), Some(rate), Some(cards), Some(sold)) => {
                sold.push(SoldIn { currency, setting, price, rate, fixed_minor, cards });
            }
            _ => sold = None,
        }
    }
    for beginning in [FIXED, RATE, CARDS] {
        for code in reader.endings(beginning) {
            let is_main = main.is_some_and(|main| main.as_str().eq_ignore_ascii_case(&code));
            let other = format!("{PRICE}{code}");
            if is_main {
                let plain = beginning.trim_end_matches('_');
                reader.error(&format!("{beginning}{code}"), &format!("is that of CURRENCY; set {plain} instead"));
            } else if !reader.is_set(&other) {
                let message = format!("belongs to {other}, which is not set; set it, or remove this");
                reader.error(&format!("{beginning}{code}"), &message);
            }
        }
    }
    sold
}

fn read_rate(reader: &mut Reader<'_>, setting: &str, default: &str) -> Option<RatePercent> {
    let rate = reader.text(setting, default);
    if let Some(meant) = fraction_for_percent(&rate) {
        let message = format!(
            "{rate} percent is less than Stripe charges anywhere; write {meant} for {meant} percent, or 0 if there is \
             no such part"
        );
        reader.error(setting, &message);
    }
    RatePercent::parse(&rate).map_err(|error| reader.error(setting, &error.to_string())).ok()
}

/// The rates of saved cards by country; `None` after a mistake.
fn read_card_rates(reader: &mut Reader<'_>, setting: &str) -> Option<CardRates> {
    let Some(text) = reader.optional(setting) else { return Some(CardRates::default()) };
    let rates = CardRates::parse(&text).map_err(|error| reader.error(setting, &error.to_string())).ok()?;
    for rate in rates.rates() {
        if let Some(meant) = fraction_for_percent(&rate.to_string()) {
            reader.error(
                setting,
                &format!("{rate}% is less than Stripe charges anywhere; write {meant}% for {meant} percent"),
            );
            return None;
        }
    }
    Some(rates)
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

/// The setting to change. `price` is the one with the price.
const fn setting_of<'s>(error: &InvalidPricing, price: &'s str) -> &'s str {
    match error {
        InvalidPricing::UnitAmount { .. } => price,
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
