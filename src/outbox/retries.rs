//! When a failed delivery is tried again, and when no more.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// The pauses after each failed attempt of a delivery. After the last one it has failed: some three days after the
/// first.
pub const PAUSES_MS: [i64; 9] = [
    5 * SECOND_MS,
    5 * MINUTE_MS,
    30 * MINUTE_MS,
    2 * HOUR_MS,
    5 * HOUR_MS,
    10 * HOUR_MS,
    14 * HOUR_MS,
    20 * HOUR_MS,
    24 * HOUR_MS,
];
/// An endpoint with nothing but failures for so long is disabled.
pub const DISABLED_AFTER_MS: i64 = 5 * 24 * HOUR_MS;
/// The longest pause that an answer may ask for.
const LONGEST_ASKED_MS: i64 = 24 * HOUR_MS;
/// Pauses differ by up to a tenth, so that what failed together does not come again together.
const JITTER_PERMILLE: i64 = 100;

/// The pause after this many failures, at least as long as the receiver asked for; `None` after the last. `bits` are
/// random.
#[must_use]
pub fn pause_ms(failures: i64, asked_ms: Option<i64>, bits: u128) -> Option<i64> {
    let pause = usize::try_from(failures.saturating_sub(1)).ok().and_then(|number| PAUSES_MS.get(number))?;
    let choices = u128::try_from(JITTER_PERMILLE.saturating_mul(2).saturating_add(1)).unwrap_or(1);
    let permille = i64::try_from(bits.checked_rem(choices).unwrap_or_default()).unwrap_or_default();
    let permille = permille.saturating_add(1_000).saturating_sub(JITTER_PERMILLE);
    let pause = pause.saturating_mul(permille).saturating_div(1_000);
    Some(pause.max(asked_ms.unwrap_or(0).clamp(0, LONGEST_ASKED_MS)))
}

/// Reads `Retry-After`: seconds, or a time. Returns milliseconds from now; `None` if it is neither.
#[must_use]
pub fn retry_after_ms(header: &str, now_ms: i64) -> Option<i64> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<u32>() {
        return Some(i64::from(seconds).saturating_mul(SECOND_MS));
    }
    let at = OffsetDateTime::parse(header, &Rfc2822).ok()?;
    Some(at.unix_timestamp().saturating_mul(SECOND_MS).saturating_sub(now_ms).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_after_three_days() {
        let middle = 100;
        let pauses: Vec<i64> = (1..).map_while(|failures| pause_ms(failures, None, middle)).collect();
        assert_eq!(pauses, PAUSES_MS);
        let total: i64 = pauses.iter().sum();
        assert!((3 * 24 * HOUR_MS..4 * 24 * HOUR_MS).contains(&total), "{total}");
        assert_eq!(pause_ms(0, None, 0), None);
        assert_eq!(pause_ms(i64::MAX, None, 0), None);
    }

    #[test]
    fn a_pause_differs_by_up_to_a_tenth() {
        let pauses: Vec<i64> = (0..1_000_u128).filter_map(|bits| pause_ms(2, None, bits)).collect();
        assert_eq!(pauses.iter().min(), Some(&(270 * SECOND_MS)));
        assert_eq!(pauses.iter().max(), Some(&(330 * SECOND_MS)));
    }

    #[test]
    fn a_receiver_can_ask_for_more_but_not_for_less_or_for_ever() {
        assert_eq!(pause_ms(1, Some(60_000), 100), Some(60_000));
        assert_eq!(pause_ms(2, Some(1_000), 100), Some(5 * MINUTE_MS));
        assert_eq!(pause_ms(1, Some(i64::MAX), 100), Some(LONGEST_ASKED_MS));
        assert_eq!(pause_ms(1, Some(-1), 100), Some(5_000));
        assert_eq!(pause_ms(10, Some(1), 100), None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_time() {
        let now_ms = 1_800_000_000_000;
        assert_eq!(retry_after_ms("120", now_ms), Some(120_000));
        assert_eq!(retry_after_ms(" 0 ", now_ms), Some(0));
        assert_eq!(retry_after_ms("Fri, 15 Jan 2027 08:01:00 GMT", now_ms), Some(60_000));
        assert_eq!(retry_after_ms("Fri, 15 Jan 2027 07:00:00 GMT", now_ms), Some(0));
        for text in ["", "soon", "-1", "1.5", "99999999999", "tomorrow, 10"] {
            assert_eq!(retry_after_ms(text, now_ms), None, "{text}");
        }
    }
}
