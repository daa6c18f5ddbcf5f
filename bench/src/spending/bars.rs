//! The performance targets of spending, as ratios within one run.

use crate::bar::{Bar, by_rounds, ratio_by_rounds};
use crate::latency::{hundredths, milliseconds_text, ratio_text};
use crate::names::{POSTGRES, SQLITE};
use crate::results::{Results, Series};
use crate::spending::names::{
    ANALYSED_EMPTY, ANALYSED_FULL, BATCHES, BESIDE_BATCHES, BESIDE_PAIRS, DEBITS, HALF_LOAD, HOT_DEBITS, LIVE,
    LOOP_EACH, MANY_GRANTS, MANY_HOLDS, ONE_GRANT, PAIRS, PAYING_ALONE, PAYING_BESIDE, PGBENCH_MANY, PGBENCH_ONE, size,
};
use crate::spending::rounds::{MANY, USUAL};
use crate::spending::size::{QUICK_SIZES, SIZES};

/// Compares the results with the targets. A target without a measurement is left out.
pub fn judge(results: &Results) -> Vec<Bar> {
    let mut bars = Vec::new();
    bars.extend(many_on_postgres(results));
    bars.extend(hot_on_postgres(results));
    bars.extend(many_on_sqlite(results));
    for database in [POSTGRES, SQLITE] {
        bars.extend(pairs(results, database));
        bars.extend(batches(results, database));
        bars.extend(refusals(results, database));
        bars.extend(as_fast(results, (MANY_GRANTS, ONE_GRANT), database));
        bars.extend(as_fast(results, (MANY_HOLDS, ONE_GRANT), database));
        bars.extend(as_fast(results, (ANALYSED_EMPTY, ANALYSED_FULL), database));
        bars.extend(half_load(results, database));
        bars.extend(alone(results, database));
        for most in SIZES.into_iter().chain(QUICK_SIZES).filter(|spends| *spends > 0) {
            bars.extend(as_fast(results, (&size(most), &size(0)), database));
        }
    }
    bars
}

/// The yardstick of a series: its name, its database, and its number of connections.
pub fn yardstick(series: &Series) -> Option<(&'static str, &str, usize)> {
    let (database, connections) = (series.database.as_str(), series.connections);
    let on_postgres = database == POSTGRES;
    match series.what.as_str() {
        DEBITS | HOT_DEBITS if !on_postgres => Some((LOOP_EACH, database, 1)),
        DEBITS => Some((PGBENCH_MANY, POSTGRES, if connections == 1 { 1 } else { USUAL })),
        HOT_DEBITS => Some((PGBENCH_ONE, POSTGRES, MANY)),
        PAIRS => Some((BESIDE_PAIRS, database, USUAL)),
        BATCHES => Some((BESIDE_BATCHES, database, USUAL)),
        PAYING_BESIDE => Some((PAYING_ALONE, database, USUAL)),
        MANY_GRANTS | MANY_HOLDS => Some((ONE_GRANT, database, USUAL)),
        ANALYSED_EMPTY => Some((ANALYSED_FULL, database, connections)),
        _ => None,
    }
}

fn ratio(results: &Results, ours: (&str, usize), other: (&str, usize), database: &str) -> Option<u64> {
    let series = |(what, connections)| results.find(what, database, connections);
    Some(ratio_by_rounds(series(ours)?, series(other)?))
}

fn many_on_postgres(results: &Results) -> Option<Bar> {
    let ratio = ratio(results, (DEBITS, USUAL), (PGBENCH_MANY, USUAL), POSTGRES)?;
    Some(Bar {
        what: "PostgreSQL, debits, 10,000 accounts, 32 connections".to_owned(),
        asked: "≥ 1.3 × pgbench",
        aim: "≥ 2 ×",
        figure: format!("{} ×", ratio_text(ratio)),
        met: ratio >= 130,
        aim_met: ratio >= 200,
    })
}

fn hot_on_postgres(results: &Results) -> Option<Bar> {
    let of_pgbench = ratio(results, (HOT_DEBITS, MANY), (PGBENCH_ONE, MANY), POSTGRES)?;
    let of_uniform = ratio(results, (HOT_DEBITS, MANY), (DEBITS, MANY), POSTGRES)?;
    Some(Bar {
        what: "PostgreSQL, debits, one hot account, 64 connections".to_owned(),
        asked: "≥ 12 × pgbench hot at 64, ≥ uniform",
        aim: "≥ 20 × pgbench",
        figure: format!("{} ×; {} × uniform", ratio_text(of_pgbench), ratio_text(of_uniform)),
        met: of_pgbench >= 1_200 && of_uniform >= 100,
        aim_met: of_pgbench >= 2_000 && of_uniform >= 100,
    })
}

fn many_on_sqlite(results: &Results) -> Option<Bar> {
    let ratio = ratio(results, (DEBITS, USUAL), (LOOP_EACH, 1), SQLITE)?;
    Some(Bar {
        what: "SQLite, debits, 10,000 accounts, 32 connections".to_owned(),
        asked: "≥ 1.0 × the bare loop, a commit each",
        aim: "≥ 1.5 ×",
        figure: format!("{} ×", ratio_text(ratio)),
        met: ratio >= 100,
        aim_met: ratio >= 150,
    })
}

fn pairs(results: &Results, database: &str) -> Option<Bar> {
    let (ratio, connections) = by_rounds(results, PAIRS, BESIDE_PAIRS, database)?;
    Some(Bar {
        what: format!("{database}, holds with their captures against debits, {connections} connections"),
        asked: "≥ 0.4 ×",
        aim: "≥ 0.5 ×",
        figure: format!("{} ×", ratio_text(ratio)),
        met: ratio >= 40,
        aim_met: ratio >= 50,
    })
}

fn batches(results: &Results, database: &str) -> Option<Bar> {
    let (ratio, clients) = by_rounds(results, BATCHES, BESIDE_BATCHES, database)?;
    let rate = results.find(BATCHES, database, clients)?.rate();
    Some(Bar {
        what: format!("{database}, batches of 100 by {clients} clients against single debits"),
        asked: "≥ 2 × the debits per second",
        aim: "≥ 15,000 in a second",
        figure: format!("{} ×; {rate} in a second", ratio_text(ratio)),
        met: ratio >= 200,
        aim_met: rate >= 15_000,
    })
}

fn refusals(results: &Results, database: &str) -> Option<Bar> {
    let (ratio, connections) = by_rounds(results, PAYING_BESIDE, PAYING_ALONE, database)?;
    Some(Bar {
        what: format!("{database}, debits of {connections} clients beside as many that ask an empty account"),
        asked: "≥ 0.9 × of alone",
        aim: "≥ 0.95 ×",
        figure: format!("{} ×", ratio_text(ratio)),
        met: ratio >= 90,
        aim_met: ratio >= 95,
    })
}

/// A row that must take hardly more time than another.
fn as_fast(results: &Results, (what, other): (&str, &str), database: &str) -> Option<Bar> {
    let series = |name: &str| results.series.iter().find(|series| series.what == name && series.database == database);
    let ratio = ratio_by_rounds(series(other)?, series(what)?);
    Some(Bar {
        what: format!("{database}, {what}, against {}", other.trim_start_matches("debits, ")),
        asked: "≤ 1.1 × the time",
        aim: "",
        figure: format!("{} ×", ratio_text(ratio)),
        met: ratio <= 110,
        aim_met: ratio <= 110,
    })
}

fn half_load(results: &Results, database: &str) -> Option<Bar> {
    let p99_ns = results.find(HALF_LOAD, database, MANY)?.p99_ns();
    Some(Bar {
        what: format!("{database}, p99 at half of the maximum of debits"),
        asked: "≤ 10 ms",
        aim: "≤ 5 ms",
        figure: format!("{} ms", milliseconds_text(p99_ns)),
        met: p99_ns <= 10_000_000,
        aim_met: p99_ns <= 5_000_000,
    })
}

fn alone(results: &Results, database: &str) -> Option<Bar> {
    let bare = if database == POSTGRES { PGBENCH_MANY } else { LOOP_EACH };
    let bare_ns = results.find(bare, database, 1)?.p50_ns();
    let http_ns = results.find(LIVE, database, 1)?.p50_ns();
    let ours_ns = results.find(DEBITS, database, 1)?.p50_ns();
    let ratio = hundredths(ours_ns, bare_ns.saturating_add(http_ns))?;
    let [ours, bare, http] = [ours_ns, bare_ns, http_ns].map(milliseconds_text);
    Some(Bar {
        what: format!("{database}, a debit alone: p50"),
        asked: "≤ 1.3 × a bare transaction plus its HTTP exchange",
        aim: "",
        figure: format!("{} × ({ours} of {bare} + {http} ms)", ratio_text(ratio)),
        met: ratio <= 130,
        aim_met: ratio <= 130,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latency::Latencies;
    use crate::results::Sample;

    fn judged(rows: &[(&str, &str, usize, u64)]) -> Vec<(String, bool, bool)> {
        let mut results = Results::default();
        for (what, database, connections, rate) in rows {
            results.add(what, database, *connections, Sample::new(*rate, &Latencies::new([]).unwrap()));
        }
        judge(&results).into_iter().map(|bar| (bar.figure, bar.met, bar.aim_met)).collect()
    }

    #[test]
    fn a_bar_is_met_from_the_very_figure_on() {
        let rows = |rate| [(DEBITS, POSTGRES, 32, rate), (PGBENCH_MANY, POSTGRES, 32, 5_000)];
        assert_eq!(judged(&rows(6_499)), [("1.29 ×".to_owned(), false, false)]);
        assert_eq!(judged(&rows(6_500)), [("1.30 ×".to_owned(), true, false)]);
        assert_eq!(judged(&rows(10_000)), [("2.00 ×".to_owned(), true, true)]);
    }

    #[test]
    fn a_hot_account_must_not_be_slower_than_many() {
        let rows = |uniform| {
            [(HOT_DEBITS, POSTGRES, 64, 9_000), (PGBENCH_ONE, POSTGRES, 64, 600), (DEBITS, POSTGRES, 64, uniform)]
        };
        assert_eq!(judged(&rows(9_000)), [("15.00 ×; 1.00 × uniform".to_owned(), true, false)]);
        assert_eq!(judged(&rows(9_100)), [("15.00 ×; 0.98 × uniform".to_owned(), false, false)]);
    }

    #[test]
    fn more_time_is_a_lower_rate() {
        let rows = |rate| [(ONE_GRANT, SQLITE, 32, 1_100), (MANY_GRANTS, SQLITE, 32, rate)];
        assert_eq!(judged(&rows(1_000)), [("1.10 ×".to_owned(), true, true)]);
        assert_eq!(judged(&rows(980)), [("1.12 ×".to_owned(), false, false)]);
    }

    #[test]
    fn what_was_not_measured_is_not_judged() {
        assert!(judged(&[(DEBITS, POSTGRES, 32, 1)]).is_empty());
    }
}
