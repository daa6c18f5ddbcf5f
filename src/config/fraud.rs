//! What happens when the provider warns of fraud.

use super::Reader;

/// Whether a new warning blocks the account. `None` after a mistake, which is recorded.
pub(super) fn read_freeze(reader: &mut Reader<'_>) -> Option<bool> {
    reader.switch("FREEZE_ON_FRAUD_WARNING")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Source;

    #[test]
    fn it_is_off_unless_it_is_on() {
        for (value, expected) in [(None, Some(false)), (Some("on"), Some(true)), (Some("off"), Some(false))] {
            let source: Source = value.map(|value| ("FREEZE_ON_FRAUD_WARNING", value)).into_iter().collect();
            assert_eq!(read_freeze(&mut Reader::new(&source)), expected);
        }
        let source: Source = [("FREEZE_ON_FRAUD_WARNING", "yes")].into_iter().collect();
        let mut reader = Reader::new(&source);
        assert_eq!(read_freeze(&mut reader), None);
        assert!(reader.errors[0].to_string().contains("must be on or off"));
    }
}
