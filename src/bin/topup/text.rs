//! Texts for a terminal, and JSON for programs.

use serde::Serialize;

use super::Failure;

/// Removes control characters, because external text must not control the terminal.
pub(crate) fn printable(text: &str) -> String {
    let plain = |character: char| character == '\n' || !character.is_control();
    text.chars().map(|character| if plain(character) { character } else { ' ' }).collect()
}

/// Prints a value as JSON, in the API's form.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}
