//! The setting `LOG`: a `tracing` filter.
//!
//! `tracing` takes any word for a module name, so `LOG=verbose` would log only that module, and no errors of others.
//! Invariant: an accepted filter uses known levels, and keeps Topup's own errors in the log.

use tracing_subscriber::EnvFilter;

/// The levels, from nothing to everything.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
/// Common misspellings and synonyms of levels.
const OTHER_WORDS: [(&str, &str); 9] = [
    ("warning", "warn"),
    ("warnings", "warn"),
    ("err", "error"),
    ("errors", "error"),
    ("critical", "error"),
    ("fatal", "error"),
    ("verbose", "debug"),
    ("all", "trace"),
    ("information", "info"),
];
/// The target of Topup's own log lines.
const OWN_TARGET: &str = "topup";

/// Checks a filter. Returns it in the form that `tracing` expects: without white space around commas.
///
/// # Errors
/// What is wrong, and what to write instead.
pub fn parse_log_filter(text: &str) -> Result<String, String> {
    let form = "must be a level (error, warn, info, debug or trace), also by module, such as topup=debug,info";
    let filter = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(",");
    let (mut others, mut own) = (None, None);
    // Text in brackets names spans and is checked by `tracing`.
    for directive in filter.split(',').filter(|part| !part.is_empty() && !part.contains(['[', ']', '{', '}'])) {
        let (target, word) = directive.split_once('=').map_or((None, directive), |(target, word)| (Some(target), word));
        let Some(level) = level(word) else { return Err(unknown_level(word, form)) };
        match target {
            None => others = Some(level),
            Some(target) if OWN_TARGET.starts_with(target) => own = Some(level),
            Some(_) => {}
        }
    }
    if EnvFilter::try_new(&filter).is_err() {
        return Err(form.to_owned());
    }
    match own.or(others) {
        Some(level) if level != "off" => Ok(filter),
        _ => Err("would hide Topup's own errors; add a level for everything else, such as info".to_owned()),
    }
}

fn level(word: &str) -> Option<&'static str> {
    let number = word.parse::<usize>().ok().and_then(|number| LEVELS.get(number).copied());
    number.or_else(|| LEVELS.into_iter().find(|level| level.eq_ignore_ascii_case(word)))
}

fn unknown_level(word: &str, form: &str) -> String {
    let meant = OTHER_WORDS.iter().find(|(other, _)| other.eq_ignore_ascii_case(word)).map(|(_, level)| *level);
    let near = || LEVELS.into_iter().find(|level| strsim::osa_distance(&word.to_ascii_lowercase(), level) <= 1);
    match meant.or_else(near) {
        Some(level) => format!("{word:?} is no level; did you mean {level}?"),
        None => form.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_is_none_is_refused() {
        for (filter, words) in [
            ("verbose", "did you mean debug?"),
            ("Warning", "did you mean warn?"),
            ("inof", "did you mean info?"),
            ("loud", "must be a level"),
            ("topup", "must be a level"),
            ("not=a=filter", "must be a level"),
            ("topup=verbose,info", "did you mean debug?"),
            ("info,loud", "must be a level"),
            ("off", "hide Topup's own errors"),
            ("0", "hide Topup's own errors"),
            ("OFF", "hide Topup's own errors"),
            ("info,topup=off", "hide Topup's own errors"),
            ("topup=off,info", "hide Topup's own errors"),
            ("tpoup=debug", "hide Topup's own errors"),
            ("sqlx=debug,actix_web=info", "hide Topup's own errors"),
            ("topup::http=debug", "hide Topup's own errors"),
            ("[request]=debug", "hide Topup's own errors"),
            (",", "hide Topup's own errors"),
        ] {
            let message = parse_log_filter(filter).expect_err(filter);
            assert!(message.contains(words), "{filter}: {message}");
        }
    }

    #[test]
    fn filters_that_keep_the_errors_pass() {
        for filter in [
            "error",
            "warn",
            "INFO",
            "debug",
            "trace",
            "3",
            "topup=debug,info",
            "topup=debug",
            "off,topup=warn",
            "info, sqlx=off",
            "topup::http=debug,warn",
            "info,[request{status=200}]=trace",
        ] {
            assert_eq!(parse_log_filter(filter), Ok(filter.replace(", ", ",")), "{filter}");
        }
    }
}
