//! The report: Markdown for people, JSON with all rounds for programs.

use std::fmt::Write;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::bars;
use crate::event::Mix;
use crate::latency::{hundredths, milliseconds_text, ratio_text};
use crate::machine::Machine;
use crate::names::{
    BESIDE_READS, CHECKOUTS, HALF_LOAD, LIVE, LOOP_EACH, PGBENCH_CHECKOUTS, PGBENCH_MANY, PGBENCH_ONE, POSTGRES,
    READERS, READS, STRIPE_ALONE,
};
use crate::results::{Results, Series};
use crate::spending;

/// A finished run.
pub struct Report {
    pub machine: Machine,
    pub results: Results,
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut report = serializer.serialize_struct("Report", 4)?;
        report.serialize_field("machine", &self.machine)?;
        report.serialize_field("series", &self.results.series)?;
        report.serialize_field("figures", &self.results.figures)?;
        report.serialize_field("bars", &bars::judge(&self.results))?;
        report.end()
    }
}

impl Report {
    /// The tables, as Markdown.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        self.write(&mut text).ok();
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        writeln!(text, "{}\n", self.machine.line())?;
        writeln!(text, "Medians of all rounds; in brackets the slowest and the fastest round.\n")?;
        writeln!(text, "| What | Database | Connections | Per second | p50 ms | p99 ms | × yardstick |")?;
        writeln!(text, "|---|---|---|---|---|---|---|")?;
        for series in &self.results.series {
            self.write_series(text, series)?;
        }
        self.write_added_time(text)?;
        writeln!(text, "\n| What | Database | Median | Range |\n|---|---|---|---|")?;
        for figure in &self.results.figures {
            let (low, high) = (figure.values.iter().min(), figure.values.iter().max());
            let (low, high) = (low.copied().unwrap_or_default(), high.copied().unwrap_or_default());
            let (value, unit) = (figure.value(), figure.unit);
            writeln!(text, "| {} | {} | {value} {unit} | {low} to {high} |", figure.what, figure.database)?;
        }
        writeln!(text, "\n| Bar | | Aim | Measured | Met |\n|---|---|---|---|---|")?;
        for bar in bars::judge(&self.results) {
            let met = match (bar.met, bar.aim_met) {
                (true, true) if !bar.aim.is_empty() => "met, and the aim",
                (true, _) => "met",
                (false, _) => "**not met**",
            };
            writeln!(text, "| {} | {} | {} | {} | {met} |", bar.what, bar.asked, bar.aim, bar.figure)?;
        }
        Ok(())
    }

    fn write_series(&self, text: &mut String, series: &Series) -> std::fmt::Result {
        let (low, high) = series.rate_range();
        writeln!(
            text,
            "| {} | {} | {} | {} ({low} to {high}) | {} | {} | {} |",
            series.what,
            series.database,
            series.connections,
            series.rate(),
            milliseconds_text(series.p50_ns()),
            milliseconds_text(series.p99_ns()),
            self.ratio(series).map_or_else(String::new, |(name, ratio)| format!("{} × {name}", ratio_text(ratio))),
        )
    }

    /// The yardstick of a series, and the ratio between the two in hundredths.
    fn ratio(&self, series: &Series) -> Option<(&'static str, u64)> {
        let what = series.what.as_str();
        let is_delivery = Mix::ALL.iter().any(|mix| mix.name() == what) || [HALF_LOAD, BESIDE_READS].contains(&what);
        let on_postgres = series.database == POSTGRES;
        let (name, database, connections) = match what {
            CHECKOUTS if on_postgres => (PGBENCH_CHECKOUTS, POSTGRES, series.connections),
            CHECKOUTS => (STRIPE_ALONE, "", series.connections),
            READS => (LIVE, series.database.as_str(), READERS),
            _ if is_delivery && !on_postgres => (LOOP_EACH, series.database.as_str(), 1),
            _ if what == Mix::OneAccount.name() => {
                (PGBENCH_ONE, POSTGRES, if series.connections <= 8 { 8 } else { 64 })
            }
            _ if is_delivery => (PGBENCH_MANY, POSTGRES, if series.connections == 1 { 1 } else { 32 }),
            _ => spending::bars::yardstick(series)?,
        };
        let yardstick = self.results.find(name, database, connections)?.rate();
        Some((name, hundredths(series.rate(), yardstick)?))
    }

    /// The latency of a checkout beyond Stripe's own response time.
    fn write_added_time(&self, text: &mut String) -> std::fmt::Result {
        let Some(alone) = self.results.find(STRIPE_ALONE, "", 1) else { return Ok(()) };
        writeln!(text)?;
        for series in self.results.series.iter().filter(|series| series.what == CHECKOUTS && series.connections == 1) {
            let added_ns = series.p50_ns().saturating_sub(alone.p50_ns());
            let added = milliseconds_text(added_ns);
            writeln!(
                text,
                "A checkout takes {added} ms (p50) more than Stripe's endpoint alone: {}.",
                series.database
            )?;
        }
        Ok(())
    }
}
