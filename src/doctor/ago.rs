//! How long ago something was, for people.

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A length of time such as `5 minutes`, rounded down. Negative ones count as none.
pub(super) fn length(milliseconds: i64) -> String {
    let seconds = milliseconds.max(0) / 1_000;
    let (count, unit) = match seconds {
        DAY.. => (seconds / DAY, "day"),
        HOUR.. => (seconds / HOUR, "hour"),
        MINUTE.. => (seconds / MINUTE, "minute"),
        _ => (seconds, "second"),
    };
    if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") }
}

/// When something was, such as `5 minutes ago`.
pub(super) fn ago(then_ms: i64, now_ms: i64) -> String {
    format!("{} ago", length(now_ms.saturating_sub(then_ms)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_whole_unit_is_used() {
        for (milliseconds, text) in [
            (-5, "0 seconds"),
            (1_999, "1 second"),
            (59_999, "59 seconds"),
            (60_000, "1 minute"),
            (7_200_000, "2 hours"),
            (172_800_000, "2 days"),
        ] {
            assert_eq!(length(milliseconds), text);
        }
        assert_eq!(ago(1_000, 61_000), "1 minute ago");
    }
}
