//! The results: series of samples by measurement, database and number of connections.

use serde::Serialize;

use crate::latency::{Latencies, median};
use crate::load::Outcome;

/// The result of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Sample {
    pub per_second: u64,
    pub p50_ns: u64,
    pub p99_ns: u64,
}

impl Sample {
    pub fn new(per_second: u64, latencies: &Latencies) -> Self {
        Self { per_second, p50_ns: latencies.quantile_ns(0.5), p99_ns: latencies.quantile_ns(0.99) }
    }
}

impl From<&Outcome> for Sample {
    fn from(outcome: &Outcome) -> Self {
        Self::new(outcome.per_second(), &outcome.latencies)
    }
}

/// One measurement over several rounds.
#[derive(Debug, Clone, Serialize)]
pub struct Series {
    pub what: String,
    pub database: String,
    pub connections: usize,
    pub samples: Vec<Sample>,
}

impl Series {
    pub fn rate(&self) -> u64 {
        median(self.samples.iter().map(|sample| sample.per_second))
    }

    pub fn p50_ns(&self) -> u64 {
        median(self.samples.iter().map(|sample| sample.p50_ns))
    }

    pub fn p99_ns(&self) -> u64 {
        median(self.samples.iter().map(|sample| sample.p99_ns))
    }

    /// The rates of the slowest and the fastest round.
    pub fn rate_range(&self) -> (u64, u64) {
        let rates = || self.samples.iter().map(|sample| sample.per_second);
        (rates().min().unwrap_or_default(), rates().max().unwrap_or_default())
    }
}

/// A figure that is not a rate, such as memory.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    pub what: String,
    pub database: String,
    pub unit: &'static str,
    pub values: Vec<u64>,
}

impl Figure {
    pub fn value(&self) -> u64 {
        median(self.values.iter().copied())
    }
}

/// All results.
#[derive(Debug, Default, Serialize)]
pub struct Results {
    pub series: Vec<Series>,
    pub figures: Vec<Figure>,
}

impl Results {
    pub fn add(&mut self, what: &str, database: &str, connections: usize, sample: Sample) {
        let known = self
            .series
            .iter_mut()
            .find(|series| series.what == what && series.database == database && series.connections == connections);
        if let Some(series) = known {
            series.samples.push(sample);
            return;
        }
        let (what, database) = (what.to_owned(), database.to_owned());
        self.series.push(Series { what, database, connections, samples: vec![sample] });
    }

    pub fn add_figure(&mut self, what: &str, database: &str, unit: &'static str, value: u64) {
        let known = self.figures.iter_mut().find(|figure| figure.what == what && figure.database == database);
        if let Some(figure) = known {
            figure.values.push(value);
            return;
        }
        let (what, database) = (what.to_owned(), database.to_owned());
        self.figures.push(Figure { what, database, unit, values: vec![value] });
    }

    pub fn find(&self, what: &str, database: &str, connections: usize) -> Option<&Series> {
        self.series
            .iter()
            .find(|series| series.what == what && series.database == database && series.connections == connections)
    }

    pub fn figure(&self, what: &str, database: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.what == what && figure.database == database)
    }

    /// The highest median rate over all numbers of connections.
    pub fn highest_rate(&self, what: &str, database: &str) -> Option<u64> {
        let fitting = self.series.iter().filter(|series| series.what == what && series.database == database);
        fitting.map(Series::rate).max()
    }
}
