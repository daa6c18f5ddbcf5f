//! Reads a `.env` file: `NAME=value` lines in the dialect that shells, Docker and the usual libraries share.
//!
//! Invariants: an error names the line and, if the line has one, the setting, but never the value, which may be a
//! secret. Nothing is guessed: syntax that `.env` readers interpret differently (an unknown `$NAME`, text after a
//! closing quotation mark) is refused.

use std::fmt;
use std::str::CharIndices;

/// A setting in the file.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its first line, counted from 1.
    pub(super) line: usize,
    pub(super) name: String,
    pub(super) value: String,
}

/// A line that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    line: usize,
    /// Only if it looks like a name: a secret on a line of its own must not be repeated.
    name: Option<String>,
    message: String,
}

impl Mistake {
    pub(super) fn new(line: usize, name: &str, message: impl Into<String>) -> Self {
        let is_setting = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        let name = (!name.is_empty() && name.bytes().all(is_setting)).then(|| name.to_owned());
        Self { line, name, message: message.into() }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(formatter, "line {}, {name}: {}", self.line, self.message),
            None => write!(formatter, "line {}: {}", self.line, self.message),
        }
    }
}

/// Why the value of a line cannot be read.
type Reason = &'static str;

const NOT_A_SETTING: Reason = "is not NAME=value; comment it out with #, and put a value of several lines in quotation \
    marks";
const OPEN_QUOTE: Reason = "its quotation mark is never closed";
const AFTER_QUOTE: Reason = "has text after the closing quotation mark; put the whole value in one pair of them";
const UNKNOWN_REFERENCE: Reason = "has a $ that refers to nothing known; if the $ belongs to the value, put the value \
    in single quotes";
const OPEN_REFERENCE: Reason = "has a ${ without its }; if it belongs to the value, put the value in single quotes";
const UNQUOTED_PEM: Reason = "is a text of several lines; put it in quotation marks, or use the setting with _FILE";

/// Parses the file's bytes. `known` returns the values that take precedence over earlier lines in `$NAME`.
pub(super) fn parse(bytes: &[u8], known: &dyn Fn(&str) -> Option<String>) -> Result<Vec<Entry>, Vec<Mistake>> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(vec![Mistake::new(1, "", "the file is written as UTF-16; save it as UTF-8")]);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        vec![Mistake::new(lines_in(before).saturating_add(1), "", "is not UTF-8; save the file as UTF-8")]
    })?;
    let mut reader = FileReader { rest: text.trim_start_matches('\u{feff}'), line: 1, entries: Vec::new(), known };
    let mut mistakes = Vec::new();
    while !reader.rest.is_empty() {
        if let Err(mistake) = reader.read_line() {
            mistakes.push(mistake);
        }
    }
    if mistakes.is_empty() { Ok(reader.entries) } else { Err(mistakes) }
}

fn lines_in(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').skip(1).count()
}

struct FileReader<'a> {
    rest: &'a str,
    line: usize,
    entries: Vec<Entry>,
    known: &'a dyn Fn(&str) -> Option<String>,
}

impl FileReader<'_> {
    /// Reads one line, or all lines of a quoted value. Afterwards the rest begins behind them, even after an error.
    fn read_line(&mut self) -> Result<(), Mistake> {
        let (line, start) = (self.line, self.rest);
        let end = start.find('\n').unwrap_or(start.len());
        let text = start.get(..end).unwrap_or_default().trim();
        if text.is_empty() || text.starts_with('#') {
            self.skip(end);
            return Ok(());
        }
        let setting = start.trim_start();
        let setting = setting.strip_prefix("export ").map_or(setting, |rest| rest.trim_start_matches(BLANKS));
        let Some((name, value)) = split_name(setting) else {
            self.skip(end);
            return Err(Mistake::new(line, "", NOT_A_SETTING));
        };
        let read = if let Some(quote @ ('"' | '\'')) = value.chars().next() {
            self.quoted(start.len().saturating_sub(value.len()), quote)
        } else {
            self.skip(end);
            self.unquoted(value.split('\n').next().unwrap_or_default().trim())
        };
        let value = read.map_err(|reason| Mistake::new(line, name, reason))?;
        self.entries.push(Entry { line, name: name.to_owned(), value });
        Ok(())
    }

    fn skip(&mut self, bytes: usize) {
        let (skipped, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.line = self.line.saturating_add(lines_in(skipped.as_bytes()));
        self.rest = rest;
        if let Some(rest) = rest.strip_prefix('\n') {
            self.rest = rest;
            self.line = self.line.saturating_add(1);
        }
    }

    fn skip_line(&mut self) {
        self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
    }

    /// Reads a quoted value that begins at this offset in bytes.
    fn quoted(&mut self, offset: usize, quote: char) -> Result<String, Reason> {
        let body = self.rest.get(offset..).and_then(|text| text.strip_prefix(quote)).unwrap_or_default();
        let Some((length, value)) = closing(body, quote) else {
            self.skip_line();
            return Err(OPEN_QUOTE);
        };
        // The two quotation marks have one byte each.
        self.skip_within(offset.saturating_add(length).saturating_add(2));
        let end = self.rest.find('\n').unwrap_or(self.rest.len());
        let behind = self.rest.get(..end).unwrap_or_default().trim();
        self.skip(end);
        if !behind.is_empty() && !behind.starts_with('#') {
            return Err(AFTER_QUOTE);
        }
        let value = value.replace("\r\n", "\n");
        if quote == '\'' { Ok(value) } else { self.expand(&value) }
    }

    /// Skips a value without ending its line.
    fn skip_within(&mut self, bytes: usize) {
        let (skipped, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.line = self.line.saturating_add(lines_in(skipped.as_bytes()));
        self.rest = rest;
    }

    /// An unquoted value: up to the end of the line, or to a `#` after white space.
    fn unquoted(&self, text: &str) -> Result<String, Reason> {
        let comment =
            text.char_indices().zip(text.chars().skip(1)).find(|((_, c), next)| c.is_whitespace() && *next == '#');
        let value = match comment {
            _ if text.starts_with('#') => "",
            Some(((position, _), _)) => text.get(..position).unwrap_or_default().trim_end(),
            None => text,
        };
        if value.starts_with("-----BEGIN") && !value.contains("-----END") {
            return Err(UNQUOTED_PEM);
        }
        self.expand(value)
    }

    /// Expands `$NAME` and `${NAME}` from the environment or, if it is not set there, from an earlier line of the file.
    fn expand(&self, text: &str) -> Result<String, Reason> {
        let mut expanded = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('$') {
            if let Some(before) = before.strip_suffix(ESCAPED) {
                expanded.push_str(before);
                expanded.push('$');
                rest = behind;
                continue;
            }
            expanded.push_str(before);
            let (name, after) = match behind.strip_prefix('{') {
                Some(inner) => inner.split_once('}').ok_or(OPEN_REFERENCE)?,
                None => behind.split_at(behind.find(|c: char| !is_name_character(c)).unwrap_or(behind.len())),
            };
            if name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
                expanded.push_str(&self.lookup(name).ok_or(UNKNOWN_REFERENCE)?);
                rest = after;
            } else if behind.starts_with('{') {
                return Err(UNKNOWN_REFERENCE);
            } else {
                expanded.push('$');
                rest = behind;
            }
        }
        expanded.push_str(rest);
        Ok(expanded)
    }

    fn lookup(&self, name: &str) -> Option<String> {
        let earlier = || self.entries.iter().rfind(|entry| entry.name == name).map(|entry| entry.value.clone());
        (self.known)(name).or_else(earlier)
    }
}

/// Marks an escaped `$` until references are expanded. As a noncharacter, it does not occur in text.
const ESCAPED: char = '\u{fdd0}';

/// Finds the end of a quoted text, in bytes, and its value. In double quotation marks a backslash escapes.
fn closing(body: &str, quote: char) -> Option<(usize, String)> {
    let mut value = String::new();
    let mut characters = body.char_indices();
    while let Some((position, character)) = characters.next() {
        match character {
            _ if character == quote => return Some((position, value)),
            '\\' if quote == '"' => push_escaped(&mut value, &mut characters),
            _ => value.push(character),
        }
    }
    None
}

fn push_escaped(value: &mut String, characters: &mut CharIndices<'_>) {
    match characters.next().map(|(_, character)| character) {
        Some('n') => value.push('\n'),
        Some('r') => value.push('\r'),
        Some('t') => value.push('\t'),
        Some('$') => value.extend([ESCAPED, '$']),
        Some(character @ ('"' | '\\' | '\'')) => value.push(character),
        Some(character) => value.extend(['\\', character]),
        None => value.push('\\'),
    }
}

fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// The white space allowed around a name.
const BLANKS: [char; 2] = [' ', '\t'];

/// Splits `NAME=value`, or `NAME: value` as some `.env` readers accept it, into the name and the text from its value
/// on.
fn split_name(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|character: char| !is_name_character(character) && character != '.' && character != '-')?;
    let (name, rest) = text.split_at_checked(end)?;
    if !name.starts_with(|character: char| character.is_ascii_alphabetic() || character == '_') {
        return None;
    }
    let value = match rest.strip_prefix(':') {
        Some(value) if value.is_empty() || value.starts_with(char::is_whitespace) => value,
        Some(_) => return None,
        None => rest.trim_start_matches(BLANKS).strip_prefix('=')?,
    };
    Some((name, value.trim_start_matches(BLANKS)))
}

#[cfg(test)]
#[path = "env_file_tests.rs"]
mod tests;
