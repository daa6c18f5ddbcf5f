//! A performance target, and the ratios that targets are judged by.

use serde::Serialize;

use crate::latency::{hundredths, median};
use crate::results::{Results, Series};

/// A target and how it was met.
#[derive(Debug, Serialize)]
pub struct Bar {
    pub what: String,
    pub asked: &'static str,
    pub aim: &'static str,
    pub figure: String,
    pub met: bool,
    pub aim_met: bool,
}

impl Bar {
    /// A bar that a ratio must reach, in hundredths, and no aim beyond it.
    pub fn at_least(what: String, asked: &'static str, figure: String, ratio: u64, least: u64) -> Self {
        let met = ratio >= least;
        Self { what, asked, aim: "", figure, met, aim_met: met }
    }
}

/// The median over rounds of the ratio between the rates of two rows, in hundredths. The two rows of a round are
/// measured one after the other, and the machine's speed varies less within a round than between rounds.
pub fn ratio_by_rounds(ours: &Series, other: &Series) -> u64 {
    let pairs = ours.samples.iter().zip(&other.samples);
    median(pairs.filter_map(|(ours, other)| hundredths(ours.per_second, other.per_second)))
}

/// The same for two rows by their names, with whatever number of connections they have. Returns that number as well.
pub fn by_rounds(results: &Results, what: &str, other: &str, database: &str) -> Option<(u64, usize)> {
    let series = |name: &str| results.series.iter().find(|series| series.what == name && series.database == database);
    let (ours, other) = (series(what)?, series(other)?);
    Some((ratio_by_rounds(ours, other), ours.connections))
}
