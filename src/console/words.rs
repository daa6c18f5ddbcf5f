//! Amounts, credits and times as people read them.

use time::OffsetDateTime;

use crate::domain::credit_unit::DisplayDecimals;
use crate::domain::currency::Currency;

/// Writes an amount in minor units, such as `2.89 USD`.
#[must_use]
pub fn money(amount_minor: i64, currency: &str) -> String {
    let exponent = Currency::parse(currency).map_or(2, Currency::exponent);
    let places = usize::try_from(exponent).unwrap_or(0);
    let digits = format!("{:0>width$}", amount_minor.unsigned_abs(), width = places.saturating_add(1));
    let (whole, fraction) = digits.split_at(digits.len().saturating_sub(places));
    let sign = if amount_minor < 0 { "−" } else { "" };
    let point = if places == 0 { "" } else { "." };
    format!("{sign}{}{point}{fraction} {}", grouped(whole), currency.to_uppercase())
}

/// Writes a number of credits, with its digits grouped.
#[must_use]
pub fn credits(credits: i64, decimals: DisplayDecimals) -> String {
    let text = decimals.format(credits);
    let (sign, number) = text.strip_prefix('-').map_or(("", text.as_str()), |number| ("−", number));
    match number.split_once('.') {
        Some((whole, fraction)) => format!("{sign}{}.{fraction}", grouped(whole)),
        None => format!("{sign}{}", grouped(number)),
    }
}

/// The same with the word: `1 credit`, `250 credits`.
#[must_use]
pub fn of_credits(number: i64, decimals: DisplayDecimals) -> String {
    let text = credits(number, decimals);
    let word = if text == "1" { "credit" } else { "credits" };
    format!("{text} {word}")
}

fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len().saturating_mul(2));
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && digits.len().saturating_sub(place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn moment(ms: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms).saturating_mul(1_000_000)).ok()
}

/// Writes a day of UTC, such as `24 Nov 2026`.
#[must_use]
pub fn day(ms: i64) -> String {
    let Some(time) = moment(ms) else { return format!("{ms} ms") };
    let month = time.month().to_string();
    format!("{} {} {}", time.day(), month.get(..3).unwrap_or_default(), time.year())
}

/// Writes a time of UTC, such as `12:01:07`.
#[must_use]
pub fn clock(ms: i64) -> String {
    let Some(time) = moment(ms) else { return format!("{ms} ms") };
    format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())
}

/// Writes a moment in UTC, such as `24 Nov 2026, 12:01:07 UTC`.
#[must_use]
pub fn at(ms: i64) -> String {
    format!("{}, {} UTC", day(ms), clock(ms))
}

/// Reads a day such as `2026-11-24`, `24 Nov 2026`, `24 Nov` (this year, or the last one if it is not over yet) or
/// `24.11.2026`. Returns when it begins, in milliseconds since 1970.
#[must_use]
pub fn parse_day(text: &str, now_ms: i64) -> Option<i64> {
    let text = text.trim().trim_end_matches('.').replace(',', " ");
    let parts: Vec<&str> = text.split([' ', '-', '.', '/']).filter(|part| !part.is_empty()).collect();
    let this_year = moment(now_ms)?.year();
    let month_of = |text: &str| -> Option<u8> {
        let names = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
        let name = text.to_lowercase();
        let place = names.iter().position(|month| name.starts_with(month)).and_then(|place| u8::try_from(place).ok());
        place.and_then(|place| place.checked_add(1)).or_else(|| text.parse().ok())
    };
    let (year, month, day) = match parts.as_slice() {
        [year, month, day] if year.len() == 4 => (year.parse().ok()?, month_of(month)?, day.parse().ok()?),
        [day, month, year] if day.parse::<u8>().is_ok() => (year.parse().ok()?, month_of(month)?, day.parse().ok()?),
        [month, day, year] => (year.parse().ok()?, month_of(month)?, day.parse().ok()?),
        [day, month] if day.parse::<u8>().is_ok() => (this_year, month_of(month)?, day.parse().ok()?),
        [month, day] => (this_year, month_of(month)?, day.parse().ok()?),
        _ => return None,
    };
    let begins = |year: i32| -> Option<i64> {
        let date = time::Date::from_calendar_date(year, time::Month::try_from(month).ok()?, day).ok()?;
        date.midnight().assume_utc().unix_timestamp().checked_mul(1_000)
    };
    let start_ms = begins(year)?;
    if start_ms > now_ms && parts.len() == 2 { begins(year.checked_sub(1)?) } else { Some(start_ms) }
}

/// Reads an amount such as `2.89`, `$2.89`, `2,89 EUR` or `1,250.00` in minor units of a currency.
#[must_use]
pub fn parse_money(text: &str, currency: Currency) -> Option<i64> {
    let digits: String = text.chars().filter(|letter| letter.is_ascii_digit() || matches!(letter, '.' | ',')).collect();
    let places = usize::try_from(currency.exponent()).unwrap_or(0);
    // The last separator is the decimal one, if as many digits follow as the currency has.
    let (whole, fraction) = match digits.rsplit_once(['.', ',']) {
        Some((whole, fraction)) if fraction.len() <= places && places > 0 => (whole.to_owned(), fraction.to_owned()),
        _ => (digits.clone(), String::new()),
    };
    let whole: String = whole.chars().filter(char::is_ascii_digit).collect();
    if whole.is_empty() || whole.len() > 15 {
        return None;
    }
    format!("{whole}{fraction:0<places$}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_grouped_and_have_the_currency_s_decimals() {
        for (amount, currency, text) in [
            (289, "usd", "2.89 USD"),
            (5, "usd", "0.05 USD"),
            (0, "eur", "0.00 EUR"),
            (-123_456_789, "usd", "−1,234,567.89 USD"),
            (1_000, "jpy", "1,000 JPY"),
            (1_250, "kwd", "1.250 KWD"),
        ] {
            assert_eq!(money(amount, currency), text);
        }
    }

    #[test]
    fn credits_are_grouped_and_have_the_decimals_people_read() {
        let none = DisplayDecimals::new(0).expect("in range");
        let six = DisplayDecimals::new(6).expect("in range");
        assert_eq!((of_credits(1, none), of_credits(-12_500, none)), ("1 credit".into(), "−12,500 credits".into()));
        assert_eq!(of_credits(2_500_000, six), "2.50 credits");
    }

    #[test]
    fn days_are_read_in_the_usual_ways() {
        let now_ms = 1_795_521_600_000; // 24 Nov 2026, 12:00 UTC
        let midnight = 1_795_478_400_000;
        for text in ["2026-11-24", "24 Nov 2026", "24.11.2026", "24 November", "Nov 24", "Nov 24, 2026", "24 Nov"] {
            assert_eq!(parse_day(text, now_ms), Some(midnight), "{text}");
        }
        assert_eq!(parse_day("25 Dec", now_ms).map(day).as_deref(), Some("25 Dec 2025"));
        for text in ["", "Nov", "31 Feb 2026", "2026-13-01", "x y z", "250"] {
            assert_eq!(parse_day(text, now_ms), None, "{text}");
        }
        assert_eq!(at(now_ms + 67_000), "24 Nov 2026, 12:01:07 UTC");
    }

    #[test]
    fn money_is_read_with_and_without_its_currency() {
        let usd = Currency::USD;
        for (text, amount) in
            [("2.89", 289), ("$2.89", 289), ("2,89", 289), ("1,250.00", 125_000), ("3", 300), ("2.5", 250)]
        {
            assert_eq!(parse_money(text, usd), Some(amount), "{text}");
        }
        let yen = Currency::parse("jpy").expect("known");
        assert_eq!((parse_money("1,000", yen), parse_money("x", yen), parse_money("", usd)), (Some(1_000), None, None));
    }
}
