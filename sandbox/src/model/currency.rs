//! Currencies: which exist, their smallest and largest charge, the step of amounts, and Stripe's fee.
//!
//! All amounts are whole minor units. Source: Stripe's pages "Supported currencies" and "Rounding rules".

use super::error::ApiError;

const SUPPORTED: &str = "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp \
    byn bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd \
    hnl hrk htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd \
    mmk mnt mop mro mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub \
    rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf \
    xcd xof xpf yer zar zmw";
const ZERO_DECIMAL: &str = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf";
const THREE_DECIMAL: &str = "bhd jod kwd omr tnd";
/// Currencies that Stripe takes in hundredths although they have none.
const WHOLE_ONLY: &str = "isk ugx";

/// The largest total that every payment method accepts: eight digits, and more in low-value currencies.
pub(crate) fn maximum(currency: &str) -> i64 {
    match currency {
        "inr" => 999_999_999,
        "cop" => 9_999_999_999,
        "idr" => 999_999_999_999,
        _ => 99_999_999,
    }
}

fn listed(list: &str, currency: &str) -> bool {
    list.split_ascii_whitespace().any(|known| known == currency)
}

/// The currency in lower case, or Stripe's error.
pub(crate) fn parse(text: &str, param: &str) -> Result<String, ApiError> {
    let currency = text.to_ascii_lowercase();
    if listed(SUPPORTED, &currency) {
        return Ok(currency);
    }
    let known: Vec<_> = SUPPORTED.split_ascii_whitespace().collect();
    let message =
        format!("Invalid currency: {currency}. Stripe currently supports these currencies: {}", known.join(", "));
    Err(ApiError::invalid(message).param(param))
}

/// Amounts of this currency must be multiples of this.
pub(crate) fn step(currency: &str) -> i64 {
    if listed(THREE_DECIMAL, currency) {
        10
    } else if listed(WHOLE_ONLY, currency) {
        100
    } else {
        1
    }
}

/// The smallest total of a checkout; 1 where Stripe lists none.
pub(crate) fn minimum(currency: &str) -> i64 {
    match currency {
        "gbp" => 30,
        "aed" | "myr" | "pln" | "ron" => 200,
        "czk" => 1_500,
        "dkk" => 250,
        "hkd" => 400,
        "huf" => 17_500,
        "mxn" | "thb" => 1_000,
        "nok" | "sek" => 300,
        "usd" | "aud" | "brl" | "cad" | "chf" | "eur" | "nzd" | "sgd" | "inr" | "jpy" | "krw" => 50,
        _ => 1,
    }
}

fn digits(currency: &str) -> u32 {
    if listed(ZERO_DECIMAL, currency) {
        0
    } else if listed(THREE_DECIMAL, currency) {
        3
    } else {
        2
    }
}

/// Parses an amount such as `1.50` or `2` into minor units. `None` if it is not a valid amount of the currency.
pub(crate) fn parse_money(text: &str, currency: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let width = usize::try_from(digits(currency)).ok()?;
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !are_digits(whole) || !are_digits(part) || part.len() > width || text.ends_with('.') {
        return None;
    }
    format!("{whole}{part:0<width$}").parse().ok()
}

/// An amount for display: `$2.89`, `¥50`, `1.000 KWD`, `−$1.50`.
pub(crate) fn format(amount: i64, currency: &str) -> String {
    if amount < 0 {
        return format!("−{}", format(amount.saturating_neg(), currency));
    }
    let digits = digits(currency);
    let unit = 10_i64.pow(digits);
    let (whole, part) = (amount.div_euclid(unit), amount.rem_euclid(unit));
    let mut number = grouped(whole);
    if digits > 0 {
        let width = usize::try_from(digits).unwrap_or(2);
        number = format!("{number}.{part:0width$}");
    }
    match symbol(currency) {
        Some(symbol) => format!("{symbol}{number}"),
        None => format!("{number} {}", currency.to_ascii_uppercase()),
    }
}

fn symbol(currency: &str) -> Option<&'static str> {
    Some(match currency {
        "usd" => "$",
        "eur" => "€",
        "gbp" => "£",
        "jpy" => "¥",
        "inr" => "₹",
        "krw" => "₩",
        "cad" => "CA$",
        "aud" => "A$",
        "brl" => "R$",
        _ => return None,
    })
}

fn grouped(whole: i64) -> String {
    let digits = whole.to_string();
    let mut grouped = String::new();
    for (position, digit) in digits.chars().enumerate() {
        let left = digits.len().saturating_sub(position);
        if position > 0 && left % 3 == 0 && digit != '-' {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Stripe's fee on a charge: 2.9 % + 30 minor units of the charge's currency, rounded half up.
pub(crate) fn fee(amount: i64) -> i64 {
    let thousandths = amount.saturating_mul(29);
    thousandths.saturating_add(500).div_euclid(1_000).saturating_add(30)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fee_is_rounded_half_up() {
        // 2.9 % of 500 is 14.5, which rounds to 15.
        for (amount, expected) in [(289, 38), (500, 45), (10_330, 330), (1_061, 61), (50, 31)] {
            assert_eq!(fee(amount), expected, "fee of {amount}");
        }
    }

    #[test]
    fn money_is_read_as_people_write_it() {
        for (text, currency, minor) in [
            ("1.50", "usd", Some(150)),
            ("1.5", "usd", Some(150)),
            ("2", "usd", Some(200)),
            ("0.02", "eur", Some(2)),
            ("500", "jpy", Some(500)),
            ("1.250", "kwd", Some(1_250)),
            ("5.5", "jpy", None),
            ("1.555", "usd", None),
            ("1.", "usd", None),
            (".5", "usd", None),
            ("-1", "usd", None),
            ("1,50", "usd", None),
            ("99999999999999999999", "usd", None),
        ] {
            assert_eq!(parse_money(text, currency), minor, "{text} {currency}");
        }
    }

    #[test]
    fn amounts_read_like_money() {
        assert_eq!(format(289, "usd"), "$2.89");
        assert_eq!(format(99_999_999, "usd"), "$999,999.99");
        assert_eq!(format(1_500, "jpy"), "¥1,500");
        assert_eq!(format(1_250, "kwd"), "1.250 KWD");
        assert_eq!(format(5, "eur"), "€0.05");
        assert_eq!((format(-150, "usd"), format(-1_250, "kwd")), ("−$1.50".to_owned(), "−1.250 KWD".to_owned()));
    }
}
