//! Arithmetic on measurements, in whole numbers: times in nanoseconds, rates per second, ratios in hundredths.

use std::time::Duration;

/// How long each request of a run took, sorted.
#[derive(Debug, Clone, Default)]
pub struct Latencies(Vec<u64>);

impl Latencies {
    pub fn new(mut nanoseconds: Vec<u64>) -> Self {
        nanoseconds.sort_unstable();
        Self(nanoseconds)
    }

    pub fn count(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap_or(u64::MAX)
    }

    /// The smallest time that at least `per_mille` of all requests did not exceed (the nearest rank); 0 of none.
    pub fn percentile_ns(&self, per_mille: u64) -> u64 {
        let rank = self.count().saturating_mul(per_mille).div_ceil(1_000).max(1);
        let index = usize::try_from(rank.saturating_sub(1)).unwrap_or(usize::MAX);
        self.0.get(index).copied().unwrap_or_default()
    }
}

pub fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// How many per second; 0 when no time passed.
pub fn per_second(count: u64, elapsed: Duration) -> u64 {
    let rate = u128::from(count).saturating_mul(1_000_000_000).checked_div(elapsed.as_nanos());
    rate.and_then(|rate| u64::try_from(rate).ok()).unwrap_or_default()
}

/// The middle of some values, the mean of the two middle ones if their number is even; 0 of none.
pub fn median(values: impl IntoIterator<Item = u64>) -> u64 {
    let mut values: Vec<u64> = values.into_iter().collect();
    values.sort_unstable();
    let upper = values.get(values.len() / 2).copied().unwrap_or_default();
    if values.len() % 2 == 1 {
        return upper;
    }
    let lower = values.get((values.len() / 2).saturating_sub(1)).copied().unwrap_or_default();
    lower.midpoint(upper)
}

/// How many hundredths `value` is of `yardstick`, cut off; none of nothing.
pub fn hundredths(value: u64, yardstick: u64) -> Option<u64> {
    value.saturating_mul(100).checked_div(yardstick)
}

/// A ratio in hundredths as people write it.
pub fn ratio_text(hundredths: u64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// Nanoseconds as milliseconds with two decimals.
pub fn milliseconds_text(nanoseconds: u64) -> String {
    let hundredths = nanoseconds.saturating_add(5_000) / 10_000;
    ratio_text(hundredths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_nearest_rank() {
        let times = Latencies::new((1..=200).rev().collect());
        assert_eq!(times.percentile_ns(500), 100);
        assert_eq!(times.percentile_ns(990), 198);
        assert_eq!(times.percentile_ns(999), 200);
        assert_eq!(times.percentile_ns(1_000), 200);
        assert_eq!(Latencies::new(vec![7]).percentile_ns(0), 7);
        assert_eq!(Latencies::default().percentile_ns(990), 0);
    }

    #[test]
    fn the_median_does_not_depend_on_the_order() {
        assert_eq!(median([9, 1, 5]), 5);
        assert_eq!(median([9, 1, 5, 7]), 6);
        assert_eq!(median([]), 0);
    }

    #[test]
    fn rates_and_ratios_are_cut_off_and_never_divide_by_zero() {
        assert_eq!(per_second(3_000, Duration::from_millis(1_500)), 2_000);
        assert_eq!(per_second(1, Duration::ZERO), 0);
        assert_eq!(hundredths(1_999, 1_000), Some(199));
        assert_eq!(hundredths(1, 0), None);
        assert_eq!(ratio_text(105), "1.05");
        assert_eq!(milliseconds_text(1_234_567), "1.23");
    }
}
