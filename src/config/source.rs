//! Where settings come from: the environment, then `.env`; and for each of them a file, if `…_FILE` names one.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::path::Path;
use std::str::FromStr;

use super::SettingError;

/// A larger file is no setting.
const MAX_SETTING_FILE_BYTES: u64 = 64 * 1024;

/// Names and texts, before they mean anything.
#[derive(Default, Clone)]
pub struct Source(HashMap<String, String>);

/// A `.env` that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the file .env cannot be read; each line must be NAME=value")]
pub struct InvalidEnvFile(#[source] dotenvy::Error);

impl Source {
    /// The process's environment, and below it the file `.env` of a folder if there is one.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn from_environment(folder: &Path) -> Result<Self, InvalidEnvFile> {
        let path = folder.join(".env");
        let mut settings = HashMap::new();
        if path.exists() {
            for item in dotenvy::from_path_iter(path).map_err(InvalidEnvFile)? {
                let (name, value) = item.map_err(InvalidEnvFile)?;
                settings.insert(name, value);
            }
        }
        // What is not Unicode becomes a value that is wrong: dropped, it could leave a check switched off.
        let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        settings.extend(std::env::vars_os().map(|(name, value)| (lossy(name), lossy(value))));
        Ok(Self(settings))
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Source {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(items: I) -> Self {
        Self(items.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// Values may be secrets.
impl std::fmt::Debug for Source {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Source").finish_non_exhaustive()
    }
}

/// Reads settings one by one and collects what is wrong with them.
pub(super) struct Reader<'s> {
    source: &'s Source,
    pub(super) errors: Vec<SettingError>,
}

impl<'s> Reader<'s> {
    pub(super) const fn new(source: &'s Source) -> Self {
        Self { source, errors: Vec::new() }
    }

    pub(super) fn error(&mut self, setting: &'static str, message: &str) {
        self.errors.push(SettingError { setting, message: message.to_owned() });
    }

    pub(super) fn is_set(&self, setting: &str) -> bool {
        self.source.0.contains_key(setting) || self.source.0.contains_key(&format!("{setting}_FILE"))
    }

    /// A setting that may be absent. Empty is a mistake, and so is a value in both places.
    pub(super) fn optional(&mut self, setting: &'static str) -> Option<String> {
        let direct = self.source.0.get(setting).cloned();
        let file = self.source.0.get(&format!("{setting}_FILE"));
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
                    // Its value may be the secret itself, put into the wrong setting: it is not repeated here.
                    self.error(setting, &format!("{setting}_FILE names a file that {message}"));
                    return None;
                }
            },
        };
        if value.trim().is_empty() {
            self.error(setting, "is empty; give it a value or remove it");
            return None;
        }
        Some(value)
    }

    pub(super) fn required(&mut self, setting: &'static str, hint: &str) -> Option<String> {
        if !self.is_set(setting) {
            self.error(setting, &format!("is not set; set it to {hint}"));
            return None;
        }
        self.optional(setting)
    }

    pub(super) fn text(&mut self, setting: &'static str, default: &str) -> String {
        self.optional(setting).unwrap_or_else(|| default.to_owned())
    }

    pub(super) fn parse<T: FromStr>(&mut self, setting: &'static str, default: &str, hint: &str) -> Option<T> {
        let value = self.text(setting, default).trim().parse().ok();
        if value.is_none() {
            self.error(setting, &format!("must be {hint}"));
        }
        value
    }

    pub(super) fn in_range(
        &mut self,
        setting: &'static str,
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

/// A line break at the end belongs to the file, not to the secret.
fn read_file(path: &Path) -> Result<String, &'static str> {
    let size = std::fs::metadata(path).map_err(|_| "is not there or may not be read")?.len();
    if size > MAX_SETTING_FILE_BYTES {
        return Err("is too large for a setting");
    }
    let text = std::fs::read_to_string(path).map_err(|_| "cannot be read as text")?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
