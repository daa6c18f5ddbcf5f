//! The frames of pages: the site with its navigation, and the pages of customers. Both say that no money moves.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::{notices, time, view::View};

const STYLE: &str = include_str!("style.css");
/// The script of the site's pages. The pages of customers have none.
pub(crate) const SCRIPT: &str = include_str!("pages.js");
/// Where the script is.
pub(crate) const SCRIPT_PATH: &str = "/_sandbox/pages.js";
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect \
    width='16' height='16' rx='4' fill='%230b6b4b'/%3E%3Cpath d='M3 10c2-4 3-4 5-1s3 3 5-2' fill='none' stroke='white' \
    stroke-width='2' stroke-linecap='round'/%3E%3C/svg%3E";

/// The places in the navigation.
const PLACES: [(&str, &str); 9] = [
    ("/", "Overview"),
    ("/payments", "Payments"),
    ("/customers", "Customers"),
    ("/refunds", "Refunds"),
    ("/disputes", "Disputes"),
    ("/events", "Events"),
    ("/deliveries", "Deliveries"),
    ("/requests", "API requests"),
    ("/_sandbox", "Controls"),
];

fn document(title: &str, has_script: bool, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (title) " · Sandbox" }
                link rel="icon" href=(ICON);
                style { (PreEscaped(STYLE)) }
                @if has_script { script src=(SCRIPT_PATH) defer {} }
            }
            (body)
        }
    }
}

/// A page of a customer: the banner and no navigation.
pub(crate) fn page(title: &str, content: &Markup) -> Markup {
    let body = html! {
        body.hosted {
            header { p.banner { "Sandbox — no money moves" } }
            (content)
        }
    };
    document(title, false, &body)
}

/// A page with one sentence and an optional link with its words.
pub(crate) fn message(title: &str, text: &str, onward: Option<(&str, &str)>) -> Markup {
    page(
        title,
        &html! {
            main.narrow {
                div.card {
                    h1 { (title) }
                    p { (text) }
                    @if let Some((url, words)) = onward {
                        p { a.button.wide href=(url) { (words) } }
                    }
                }
            }
        },
    )
}

/// A page of the site. `place` is the path of its list in the navigation.
pub(super) fn site(view: &View<'_>, place: &str, title: &str, content: &Markup) -> Markup {
    let body = html! {
        body {
            a.skip href="#main" { "Skip to the content" }
            (header(view))
            div.frame {
                (navigation(view, place))
                main #main tabindex="-1" data-path=(view.asked.with(&[])) data-changes=(view.changes)
                    data-now=(view.now_ms) {
                    div.live #live data-keep="" {
                        a href=(view.asked.with(&[])) { "Reload" } span { "to see what is new" }
                    }
                    (notices::all(view))
                    (content)
                }
            }
        }
    };
    document(title, true, &body)
}

fn header(view: &View<'_>) -> Markup {
    let ahead = view.ahead_seconds();
    html! {
        header.top {
            a.brand href="/" { span.mark aria-hidden="true" { "S" } "Stripe sandbox" }
            span.mode { "Sandbox — no money moves" }
            a.now #clock-line href="/_sandbox#clock" title={ "The sandbox's clock: " (time::utc(view.now())) } {
                span.for-ears { "The sandbox's clock: " }
                span #now { (time::clock(view.now())) " UTC" }
                @if ahead > 0 { span { ", " (time::span(ahead)) " ahead" } }
            }
            form.search action="/payments" method="get" role="search" {
                label.for-ears for="q" { "Search payments" }
                input #q type="search" name="q" value=(view.asked.get("q").unwrap_or_default()) maxlength="255"
                    autocomplete="off" spellcheck="false" placeholder="Id, account, e-mail or amount"
                    enterkeyhint="search";
                button type="submit" { "Search" }
            }
        }
    }
}

fn navigation(view: &View<'_>, place: &str) -> Markup {
    let state = view.state();
    let to_answer = state.disputes.iter().filter(|dispute| dispute.status.takes_evidence()).count();
    let waiting = state.deliveries.len();
    html! {
        nav.side #side aria-label="Sandbox" {
            ul {
                @for (path, name) in PLACES {
                    @let count = match path { "/disputes" => to_answer, "/deliveries" => waiting, _ => 0 };
                    @let is_urgent = path == "/disputes";
                    @let (class, meaning) = if is_urgent { ("count bad", " to answer") } else { ("count", " waiting") };
                    li {
                        a href=(path) aria-current=[(path == place).then_some("page")] {
                            (name)
                            @if count > 0 { " " span class=(class) { (count) span.for-ears { (meaning) } } }
                        }
                    }
                }
            }
        }
    }
}

/// The hash that allows the style in the content security policy.
pub(crate) fn style_hash() -> String {
    base64(&Sha256::digest(STYLE.as_bytes()))
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut block = [0_u8; 3];
        for (place, byte) in block.iter_mut().zip(chunk) {
            *place = *byte;
        }
        let [a, b, c] = block;
        let indexes = [a >> 2, (a & 3) << 4 | b >> 4, (b & 15) << 2 | c >> 6, c & 63];
        for (position, index) in indexes.into_iter().enumerate() {
            let letter = LETTERS.get(usize::from(index)).copied().unwrap_or(b'=');
            text.push(if position <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_pads_to_blocks_of_four() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
