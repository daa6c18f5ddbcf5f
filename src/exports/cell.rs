//! The values of a table, as CSV (RFC 4180) and as lines of JSON.

use serde_json::Value;

use crate::domain::timestamp::rfc3339;

/// A spreadsheet takes a text that begins with one of these for a formula.
const BEGINS_FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A text as a cell of CSV: never a formula, and quoted if it must be.
#[must_use]
pub fn csv_text(text: &str) -> String {
    let prefix = if text.starts_with(BEGINS_FORMULA) { "'" } else { "" };
    if text.contains(['"', ',', '\r', '\n']) {
        return format!("\"{prefix}{}\"", text.replace('"', "\"\""));
    }
    format!("{prefix}{text}")
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing is known.
    Empty,
    /// A text.
    Text(String),
    /// A number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
}

impl Cell {
    /// A time in milliseconds since 1970, as RFC 3339.
    pub(crate) fn time(milliseconds: i64) -> Self {
        rfc3339(milliseconds).map_or(Self::Empty, Self::Text)
    }

    /// A time that may not be known.
    pub(crate) fn maybe_time(milliseconds: Option<i64>) -> Self {
        milliseconds.map_or(Self::Empty, Self::time)
    }

    fn csv(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) => csv_text(text),
            Self::Number(number) => number.to_string(),
            Self::Flag(flag) => flag.to_string(),
        }
    }

    fn json(&self) -> String {
        match self {
            Self::Empty => "null".to_owned(),
            Self::Text(text) => Value::from(text.as_str()).to_string(),
            Self::Number(number) => number.to_string(),
            Self::Flag(flag) => flag.to_string(),
        }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Option<String>> for Cell {
    fn from(text: Option<String>) -> Self {
        text.map_or(Self::Empty, Self::Text)
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<Option<i64>> for Cell {
    fn from(number: Option<i64>) -> Self {
        number.map_or(Self::Empty, Self::Number)
    }
}

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a line of names.
    Csv,
    /// One JSON object in each line.
    JsonLines,
}

impl Format {
    /// What comes before the first row.
    #[must_use]
    pub fn head(self, names: &[&str]) -> String {
        match self {
            Self::Csv => format!("{}\r\n", names.join(",")),
            Self::JsonLines => String::new(),
        }
    }

    /// A row as a line, with its end.
    #[must_use]
    pub fn line(self, names: &[&str], cells: &[Cell]) -> String {
        match self {
            Self::Csv => format!("{}\r\n", cells.iter().map(Cell::csv).collect::<Vec<_>>().join(",")),
            Self::JsonLines => {
                // Not by a map of `serde_json`, which sorts the names.
                let members = names.iter().zip(cells).map(|(name, cell)| format!("\"{name}\":{}", cell.json()));
                format!("{{{}}}\n", members.collect::<Vec<_>>().join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_in_csv_is_no_formula_and_ends_where_it_should() {
        for (text, expected) in [
            ("", ""),
            ("Goodwill", "Goodwill"),
            ("a, b", "\"a, b\""),
            ("say \"no\"", "\"say \"\"no\"\"\""),
            ("two\r\nlines", "\"two\r\nlines\""),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("\rx", "\"'\rx\""),
            ("=HYPERLINK(\"x\",\"y\")", "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\""),
        ] {
            assert_eq!(csv_text(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_row_has_its_names_in_their_order_and_numbers_are_numbers() {
        let names = ["z", "a", "n", "f", "e"];
        let cells = [
            Cell::from("=1".to_owned()),
            Cell::time(1_000),
            Cell::from(-7),
            Cell::Flag(true),
            Cell::from(None::<String>),
        ];
        assert_eq!(Format::Csv.head(&names), "z,a,n,f,e\r\n");
        assert_eq!(Format::Csv.line(&names, &cells), "'=1,1970-01-01T00:00:01Z,-7,true,\r\n");
        assert_eq!(Format::JsonLines.head(&names), "");
        let line = "{\"z\":\"=1\",\"a\":\"1970-01-01T00:00:01Z\",\"n\":-7,\"f\":true,\"e\":null}\n";
        assert_eq!(Format::JsonLines.line(&names, &cells), line);
    }
}
