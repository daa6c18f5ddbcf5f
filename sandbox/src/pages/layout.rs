//! The frame of every page: the banner that says that no money moves, and the style.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("style.css");

/// A complete page.
pub(crate) fn page(title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) " · Sandbox" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                p.banner role="note" { "Sandbox — no money moves" }
                (content)
            }
        }
    }
}

/// A page with one sentence and an optional link.
pub(crate) fn message(title: &str, text: &str, onward: Option<&str>) -> Markup {
    page(
        title,
        &html! {
            main.narrow {
                h1 { (title) }
                p { (text) }
                @if let Some(url) = onward {
                    p { a.button href=(url) { "Go back to the shop" } }
                }
            }
        },
    )
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
