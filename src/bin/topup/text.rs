//! Texts for a terminal.

/// Removes control characters, because external text must not control the terminal.
pub(crate) fn printable(text: &str) -> String {
    let plain = |character: char| character == '\n' || !character.is_control();
    text.chars().map(|character| if plain(character) { character } else { ' ' }).collect()
}
