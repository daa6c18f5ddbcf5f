//! How what is sold is taxed.

use super::source::Reader;
use crate::domain::fees::{AssumedTax, RatePercent};
use crate::domain::tax::{TaxBehavior, TaxCode};

/// The settings that mean something only with `TAX=automatic`.
const DETAILS: [&str; 4] = ["TAX_BEHAVIOR", "TAX_CODE_CREDITS", "TAX_ASSUMED_RATE_PERCENT", "TAX_IDS"];

/// The settings of tax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TaxConfig {
    pub(super) assumed: AssumedTax,
    pub(super) code: Option<TaxCode>,
    /// Whether businesses are asked for their tax id.
    pub(super) asks_ids: bool,
}

/// Reads them; `None` without tax, and after a mistake, which is recorded.
pub(super) fn read_tax(reader: &mut Reader<'_>) -> Option<TaxConfig> {
    match reader.text("TAX", "off").as_str() {
        "automatic" => {}
        "off" => {
            for setting in DETAILS.into_iter().filter(|setting| reader.is_set(setting)).collect::<Vec<_>>() {
                reader.error(setting, "belongs to TAX=automatic; set that, or remove this");
            }
            return None;
        }
        _ => {
            reader.error("TAX", "must be automatic (Stripe Tax computes it from the customer's address) or off");
            return None;
        }
    }
    let behavior = TaxBehavior::parse(&reader.text("TAX_BEHAVIOR", TaxBehavior::Exclusive.as_str()));
    if behavior.is_none() {
        reader.error("TAX_BEHAVIOR", "must be exclusive (tax comes on top) or inclusive (prices contain it)");
    }
    let code = reader.optional("TAX_CODE_CREDITS").map(|code| TaxCode::parse(code.trim())).transpose();
    let code = code.map_err(|error| reader.error("TAX_CODE_CREDITS", &error.to_string()));
    let rate = reader.text("TAX_ASSUMED_RATE_PERCENT", "0");
    if rate.starts_with("0.") && rate.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
        let message = format!("{rate} percent looks like a fraction; write 19 for 19 percent");
        reader.error("TAX_ASSUMED_RATE_PERCENT", &message);
    }
    let rate = RatePercent::parse(&rate);
    let rate = rate.map_err(|error| reader.error("TAX_ASSUMED_RATE_PERCENT", &error.to_string()));
    if reader.optional("AUTO_TOPUP").as_deref() == Some("on") {
        let message = "cannot be on with TAX=automatic: Stripe computes tax on its pages, and such a charge has none";
        reader.error("AUTO_TOPUP", message);
    }
    let asks_ids = reader.switch("TAX_IDS");
    let assumed = AssumedTax { behavior: behavior?, rate: rate.ok()? };
    Some(TaxConfig { assumed, code: code.ok()?, asks_ids: asks_ids? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Source;

    fn read(settings: &[(&str, &str)]) -> Result<Option<TaxConfig>, Vec<String>> {
        let source: Source = settings.iter().copied().collect();
        let mut reader = Reader::new(&source);
        let read = read_tax(&mut reader);
        if reader.errors.is_empty() { Ok(read) } else { Err(reader.errors.iter().map(ToString::to_string).collect()) }
    }

    #[test]
    fn tax_is_off_and_then_on_top_of_prices() {
        assert_eq!(read(&[]), Ok(None));
        let rate = |text| RatePercent::parse(text).expect("a rate");
        let assumed = AssumedTax { behavior: TaxBehavior::Exclusive, rate: rate("0") };
        assert_eq!(read(&[("TAX", "automatic")]), Ok(Some(TaxConfig { assumed, code: None, asks_ids: false })));
        let all = [
            ("TAX", "automatic"),
            ("TAX_BEHAVIOR", "inclusive"),
            ("TAX_CODE_CREDITS", "txcd_10103001"),
            ("TAX_ASSUMED_RATE_PERCENT", "19"),
            ("TAX_IDS", "on"),
        ];
        let assumed = AssumedTax { behavior: TaxBehavior::Inclusive, rate: rate("19") };
        let code = TaxCode::parse("txcd_10103001").ok();
        assert_eq!(read(&all), Ok(Some(TaxConfig { assumed, code, asks_ids: true })));
    }

    #[test]
    fn a_wrong_value_is_a_mistake_with_a_way_out() {
        for (setting, value, way_out) in [
            ("TAX", "on", "must be automatic"),
            ("TAX_BEHAVIOR", "net", "must be exclusive"),
            ("TAX_CODE_CREDITS", "saas", "txcd_ and eight digits"),
            ("TAX_ASSUMED_RATE_PERCENT", "-1", "a decimal number"),
            ("TAX_IDS", "yes", "must be on or off"),
            ("TAX_ASSUMED_RATE_PERCENT", "0.19", "write 19"),
            ("AUTO_TOPUP", "on", "cannot be on with TAX=automatic"),
        ] {
            let errors = read(&[("TAX", "automatic"), (setting, value)]).expect_err("a mistake");
            let named = errors.iter().filter(|error| error.contains(setting) && error.contains(way_out)).count();
            assert_eq!((named, errors.len()), (1, 1), "{setting}={value}: {errors:?}");
        }
        for setting in DETAILS {
            let errors = read(&[(setting, "inclusive")]).expect_err("a mistake");
            assert!(errors[0].contains(setting) && errors[0].contains("TAX=automatic"), "{errors:?}");
        }
    }
}
