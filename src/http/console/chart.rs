//! Bars of days, drawn as SVG for the eyes and written as a table for everyone else.

use maud::{Markup, html};

use crate::console::words::{credits, day};
use crate::domain::credit_unit::DisplayDecimals;

const HEIGHT: i64 = 120;
const BAR: i64 = 14;
const GAP: i64 = 6;

/// A series of numbers, one for each day.
pub(super) struct Series<'c> {
    /// Its name.
    pub(super) name: &'c str,
    /// The class that colours it.
    pub(super) class: &'c str,
    /// The numbers; below zero counts as zero in the drawing.
    pub(super) values: Vec<i64>,
}

/// Two series beside each other, day by day. The table has all series.
pub(super) fn chart(
    title: &str,
    days_ms: &[i64],
    series: &[Series<'_>],
    drawn: usize,
    decimals: DisplayDecimals,
) -> Markup {
    let bars = series.iter().take(drawn).map(|one| &one.values);
    let largest = bars.flatten().copied().max().unwrap_or(0).max(1);
    let count = i64::try_from(days_ms.len()).unwrap_or_default();
    let step = BAR.saturating_add(GAP);
    let width = count.saturating_mul(step);
    let (first, last) = (days_ms.first().copied().unwrap_or_default(), days_ms.last().copied().unwrap_or_default());
    html! {
        figure.chart {
            figcaption {
                strong { (title) }
                span.legend aria-hidden="true" {
                    @for one in series.iter().take(drawn) {
                        span.key { span class={ "swatch " (one.class) } {} (one.name) }
                    }
                }
            }
            svg viewBox={ "0 0 " (width) " " (HEIGHT) } preserveAspectRatio="none" aria-hidden="true"
                focusable="false" {
                line class="axis" x1="0" x2=(width) y1=(HEIGHT) y2=(HEIGHT) {}
                @for (number, one) in series.iter().take(drawn).enumerate() {
                    @for (place, value) in one.values.iter().enumerate() {
                        @let height = scaled(*value, largest);
                        @if height > 0 {
                            rect class=(one.class) x=(left(place, number, step, drawn))
                                y=(HEIGHT.saturating_sub(height))
                                width=(bar_width(drawn)) height=(height) rx="1" {}
                        }
                    }
                }
            }
            p.ends aria-hidden="true" {
                span { (day(first)) } span { "most in a day: " (credits(largest, decimals)) } span { (day(last)) }
            }
            details {
                summary { "As a table" }
                div.scroll tabindex="0" role="group" aria-label=(title) {
                    table {
                        thead { tr { th scope="col" { "Day" } @for one in series { th scope="col" { (one.name) } } } }
                        tbody {
                            @for (place, day_ms) in days_ms.iter().enumerate().rev() {
                                tr {
                                    th scope="row" { (day(*day_ms)) }
                                    @for one in series {
                                        td.number {
                                            (credits(one.values.get(place).copied().unwrap_or_default(), decimals))
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The height of a bar. Every number above zero can be seen.
fn scaled(value: i64, largest: i64) -> i64 {
    if value <= 0 {
        return 0;
    }
    let height = i128::from(value).saturating_mul(i128::from(HEIGHT)).checked_div(i128::from(largest));
    height.and_then(|height| i64::try_from(height).ok()).unwrap_or(HEIGHT).clamp(2, HEIGHT)
}

fn bar_width(drawn: usize) -> i64 {
    i64::try_from(drawn).ok().and_then(|drawn| BAR.checked_div(drawn)).unwrap_or(BAR)
}

fn left(place: usize, number: usize, step: i64, drawn: usize) -> i64 {
    let (place, number) = (i64::try_from(place).unwrap_or_default(), i64::try_from(number).unwrap_or_default());
    place.saturating_mul(step).saturating_add(number.saturating_mul(bar_width(drawn)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_number_is_as_high_as_the_drawing_and_a_small_one_is_seen() {
        assert_eq!((scaled(0, 10), scaled(-5, 10), scaled(10, 10), scaled(5, 10)), (0, 0, HEIGHT, HEIGHT / 2));
        assert_eq!((scaled(1, i64::MAX), scaled(i64::MAX, i64::MAX)), (2, HEIGHT));
    }
}
