//! The sources of settings: the environment, then `.env`; for each setting also a file named by `…_FILE`.

use std::collections::{BTreeSet, HashMap};
use std::ops::RangeInclusive;
use std::path::Path;
use std::str::FromStr;

use super::env_file::{self, Mistake};
use super::{SettingError, names};

/// A larger file does not contain a setting.
const MAX_SETTING_FILE_BYTES: u64 = 64 * 1024;
/// A larger `.env` is probably another file.
const MAX_ENV_FILE_BYTES: u64 = 1024 * 1024;
/// Settings whose values must stay secret.
const SECRETS: [&str; 5] =
    ["STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "JWT_SECRET", "DATABASE_URL", "WEBHOOK_SIGNING_KEY"];
/// Quotation marks of shells and word processors that were copied with a value.
const QUOTES: [(char, char); 5] = [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”'), ('„', '“')];

/// Names and values, not yet interpreted.
#[derive(Default, Clone)]
pub struct Source {
    values: HashMap<String, String>,
    /// The line numbers of those from `.env`.
    lines: HashMap<String, usize>,
    warnings: Vec<String>,
}

/// The `.env` file cannot be read. The message names lines and settings, but no values.
#[derive(Debug, thiserror::Error)]
pub enum InvalidEnvFile {
    /// The file cannot be opened or read.
    #[error("the file .env cannot be read: {0}; make it readable, or remove it and set the environment")]
    Unreadable(std::io::ErrorKind),
    /// The file is too large.
    #[error("the file .env is larger than a megabyte; is it the right one?")]
    TooLarge,
    /// Lines in it have mistakes.
    #[error("the file .env is not right:\n{}", .0.iter().map(|mistake| format!("  {mistake}")).collect::<Vec<_>>().join("\n"))]
    Lines(Vec<Mistake>),
}

impl Source {
    /// Reads the process's environment and, with lower priority, the file `.env` in a folder, if there is one.
    ///
    /// # Errors
    /// When the file exists but cannot be read.
    pub fn from_environment(folder: &Path) -> Result<Self, InvalidEnvFile> {
        // Text that is not Unicode becomes an invalid value: dropping it could leave a check switched off.
        let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let environment = std::env::vars_os().map(|(name, value)| (lossy(name), lossy(value))).collect();
        Self::from_folder(folder, environment)
    }

    fn from_folder(folder: &Path, environment: HashMap<String, String>) -> Result<Self, InvalidEnvFile> {
        let path = folder.join(".env");
        let mut source = Self::default();
        if path.exists() {
            let unreadable = |error: std::io::Error| InvalidEnvFile::Unreadable(error.kind());
            if std::fs::metadata(&path).map_err(unreadable)?.len() > MAX_ENV_FILE_BYTES {
                return Err(InvalidEnvFile::TooLarge);
            }
            let bytes = std::fs::read(&path).map_err(unreadable)?;
            source.take_file(&bytes, &environment).map_err(InvalidEnvFile::Lines)?;
            let holds_secret = SECRETS.iter().any(|name| source.values.contains_key(*name));
            if holds_secret && others_can_read(&path) {
                let warning = "other users of this machine can read .env, which holds secrets: run `chmod 600 .env`";
                source.warnings.push(warning.to_owned());
            }
        }
        for name in environment.keys() {
            source.lines.remove(name);
        }
        source.values.extend(environment);
        Ok(source)
    }

    fn take_file(&mut self, bytes: &[u8], environment: &HashMap<String, String>) -> Result<(), Vec<Mistake>> {
        let mut mistakes = Vec::new();
        for entry in env_file::parse(bytes, &|name| environment.get(name).cloned())? {
            // For our settings it is unclear which of two values was meant; other programs' names may be set twice.
            match self.lines.get(&entry.name) {
                Some(first) if names::is_known(&entry.name) => {
                    let message = format!("is set in line {first} already; remove one of them");
                    mistakes.push(Mistake::new(entry.line, &entry.name, message));
                }
                _ => {
                    self.lines.insert(entry.name.clone(), entry.line);
                    self.values.insert(entry.name, entry.value);
                }
            }
        }
        if mistakes.is_empty() { Ok(()) } else { Err(mistakes) }
    }

    /// Hints that are logged at the start. They contain no values.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    fn get(&self, name: &str) -> Option<&String> {
        self.values.get(name)
    }

    /// The mistakes for names that look like misspelt settings.
    fn misspelt(&self) -> Vec<SettingError> {
        let place =
            |name: &str| self.lines.get(name).map_or_else(String::new, |line| format!(" (line {line} of .env)"));
        names::unknown(&self.values, &place)
    }
}

#[cfg(unix)]
fn others_can_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
const fn others_can_read(_: &Path) -> bool {
    false
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Source {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(items: I) -> Self {
        let values = items.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { values, ..Self::default() }
    }
}

/// Shows no values, which may be secrets.
impl std::fmt::Debug for Source {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Source").finish_non_exhaustive()
    }
}

/// Reads settings one by one and collects the mistakes.
pub(super) struct Reader<'s> {
    source: &'s Source,
    pub(super) errors: Vec<SettingError>,
    pub(super) warnings: Vec<String>,
}

impl<'s> Reader<'s> {
    /// Begins with the misspelt names of all settings, whichever are read.
    pub(super) fn new(source: &'s Source) -> Self {
        Self { source, errors: source.misspelt(), warnings: source.warnings.clone() }
    }

    pub(super) fn error(&mut self, setting: &str, message: &str) {
        self.errors.push(SettingError::new(setting.to_owned(), message));
    }

    pub(super) fn warn(&mut self, setting: &str, message: &str) {
        self.warnings.push(format!("{setting}: {message}"));
    }

    pub(super) fn is_set(&self, setting: &str) -> bool {
        self.source.get(setting).or_else(|| self.source.get(&format!("{setting}_FILE"))).is_some()
    }

    /// What follows a beginning in the names of the settings that are set, in the order of the alphabet.
    pub(super) fn endings(&self, beginning: &str) -> Vec<String> {
        let plain = self.source.values.keys().map(|name| name.strip_suffix(names::FILE_SUFFIX).unwrap_or(name));
        let endings = plain.filter_map(|name| name.strip_prefix(beginning)).filter(|code| names::is_currency(code));
        endings.map(str::to_owned).collect::<BTreeSet<String>>().into_iter().collect()
    }

    /// An optional setting. An empty value is a mistake, and so is a value in both places.
    pub(super) fn optional(&mut self, setting: &str) -> Option<String> {
        let direct = self.source.get(setting).cloned();
        let file = self.source.get(&format!("{setting}_FILE"));
        let value = match (direct, file) {
            (None, None) => return None,
            (Some(_), Some(_)) => {
                self.error(setting, &format!("is set twice, also by {setting}_FILE; remove one of them"));
                return None;
            }
            (Some(value), None) => value,
            (None, Some(path)) => match read_file(Path::new(path)) {
                Ok(value) => value,
                Err(message) => {
                    // The value may be the secret itself, put into the wrong setting, so it is not repeated here.
                    self.error(setting, &format!("{setting}_FILE names a file that {message}"));
                    return None;
                }
            },
        };
        if value.trim().is_empty() {
            self.error(setting, "is empty; give it a value or remove it");
            return None;
        }
        if QUOTES.iter().any(|(open, close)| value.starts_with(*open) && value.ends_with(*close) && value.len() > 1) {
            let message = "has quotation marks around it that are part of the value (`docker --env-file` and some \
                hosting platforms keep them); remove them";
            self.error(setting, message);
            return None;
        }
        Some(value)
    }

    pub(super) fn required(&mut self, setting: &str, hint: &str) -> Option<String> {
        if !self.is_set(setting) {
            self.error(setting, &format!("is not set; set it to {hint}"));
            return None;
        }
        self.optional(setting)
    }

    pub(super) fn text(&mut self, setting: &str, default: &str) -> String {
        self.optional(setting).unwrap_or_else(|| default.to_owned())
    }

    pub(super) fn parse<T: FromStr>(&mut self, setting: &str, default: &str, hint: &str) -> Option<T> {
        let value = self.text(setting, default).trim().parse().ok();
        if value.is_none() {
            self.error(setting, &format!("must be {hint}"));
        }
        value
    }

    /// A setting that is `on` or `off`, which it is by default. `None` after a mistake, which is recorded.
    pub(super) fn switch(&mut self, setting: &str) -> Option<bool> {
        match self.text(setting, "off").as_str() {
            "on" => Some(true),
            "off" => Some(false),
            _ => {
                self.error(setting, "must be on or off");
                None
            }
        }
    }

    pub(super) fn in_range(
        &mut self,
        setting: &str,
        default: i64,
        range: RangeInclusive<i64>,
        hint: &str,
    ) -> Option<i64> {
        let value = self.text(setting, &default.to_string()).trim().parse().ok().filter(|value| range.contains(value));
        if value.is_none() {
            self.error(setting, &format!("must be {hint}"));
        }
        value
    }
}

/// Reads a setting from a file, without the line break at its end.
fn read_file(path: &Path) -> Result<String, &'static str> {
    let size = std::fs::metadata(path).map_err(|_| "is not there or may not be read")?.len();
    if size > MAX_SETTING_FILE_BYTES {
        return Err("is too large for a setting");
    }
    let text = std::fs::read_to_string(path).map_err(|_| "cannot be read as text")?;
    Ok(text.trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
