//! Arithmetic on measurements with integers: times in nanoseconds, rates per second, ratios in hundredths.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::failure::Failure;

/// Times up to 32,767 ns are exact; longer ones are rounded up by less than 1/16,384. In reports, hundredths of a
/// millisecond are off by at most one up to 160 ms.
const SIGNIFICANT_DIGITS: u8 = 4;

/// The latencies of a run's requests.
#[derive(Debug, Clone)]
pub struct Latencies(Histogram<u64>);

impl Latencies {
    /// # Errors
    /// If a time exceeds the histogram's range of more than a hundred years.
    pub fn new(nanoseconds: impl IntoIterator<Item = u64>) -> Result<Self, Failure> {
        let mut histogram = Histogram::new(SIGNIFICANT_DIGITS)?;
        for time in nanoseconds {
            histogram.record(time)?;
        }
        Ok(Self(histogram))
    }

    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The smallest time that at least this share of the requests did not exceed (nearest rank); 0 without requests.
    pub fn quantile_ns(&self, quantile: f64) -> u64 {
        self.0.value_at_quantile(quantile)
    }
}

pub fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The rate per second; 0 if no time passed.
pub fn per_second(count: u64, elapsed: Duration) -> u64 {
    let rate = u128::from(count).saturating_mul(1_000_000_000).checked_div(elapsed.as_nanos());
    rate.and_then(|rate| u64::try_from(rate).ok()).unwrap_or_default()
}

/// The median; the mean of the two middle values if their number is even; 0 without values. It is exact and meant for
/// the figures of a few rounds, not for the latencies of all requests.
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

/// `value` in hundredths of `yardstick`, rounded down; `None` if the yardstick is 0.
pub fn hundredths(value: u64, yardstick: u64) -> Option<u64> {
    value.saturating_mul(100).checked_div(yardstick)
}

/// A ratio in hundredths as a decimal number.
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
    fn a_quantile_is_the_nearest_rank() {
        let times = Latencies::new((1..=200).rev()).unwrap();
        assert_eq!(times.quantile_ns(0.5), 100);
        assert_eq!(times.quantile_ns(0.99), 198);
        assert_eq!(times.quantile_ns(0.999), 200);
        assert_eq!(times.quantile_ns(1.0), 200);
        assert_eq!(Latencies::new([7]).unwrap().quantile_ns(0.0), 7);
        assert_eq!(Latencies::new([]).unwrap().quantile_ns(0.99), 0);
    }

    #[test]
    fn a_time_is_exact_when_it_is_short_and_never_less_than_it_was() {
        for time in [0, 1, 32_767, 32_769, 740_003, 10_330_001, 250_000_001, 60_000_000_001] {
            let kept = Latencies::new([time]).unwrap().quantile_ns(0.5);
            let exactness = if time < 32_768 { 0 } else { time / 16_384 };
            assert!((time..=time + exactness).contains(&kept), "{time} became {kept}");
        }
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
