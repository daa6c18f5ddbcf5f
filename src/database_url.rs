//! Parses `DATABASE_URL` as hosting platforms and other libraries write it.
//!
//! The driver knows libpq's parameters and silently ignores others. Invariant: a parameter is used, or ignored with a
//! note of the reason, or refused, so that a misspelt `sslmode` never leaves a connection unprotected. Messages repeat
//! nothing from the URL except known names: a `?` in a password makes part of it look like a parameter.

use std::fmt;

use url::Url;

/// A URL that can be connected to.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    address: String,
    /// Whether a pooler shares connections between transactions, so that nothing may be set for a session.
    pub through_pooler: bool,
    /// The most connections to open; `None` if the URL does not say.
    pub connection_limit: Option<u32>,
    /// How long to wait for a connection; `None` if the URL does not say.
    pub pool_timeout_seconds: Option<u64>,
    /// The ignored parts of the URL, and why. Contains no values.
    pub notes: Vec<String>,
}

/// Why a URL cannot be used, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidDatabaseUrl(String);

/// Parameters that the driver understands.
const KEPT: [&str; 15] = [
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "ssl-mode",
    "ssl-root-cert",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
];
/// Parameters of libpq, Prisma, JDBC and hosting platforms that are ignored.
const WITHOUT_EFFECT: [&str; 26] = [
    "application_name",
    "binary_parameters",
    "client_encoding",
    "connect_timeout",
    "fallback_application_name",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "load_balance_hosts",
    "preparethreshold",
    "prepared_statements",
    "single_use_connections",
    "socket_timeout",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslcompression",
    "sslnegotiation",
    "sslsni",
    "statement_cache_size",
    "supa",
    "tcp_user_timeout",
    "uselibpqcompat",
    "workaround",
    "pool_max_conns",
    "max_idle_connection_lifetime",
];
/// Parameters that this module interprets.
const OWN: [&str; 10] = [
    "pgbouncer",
    "connection_limit",
    "pool_timeout",
    "schema",
    "channel_binding",
    "ssl",
    "sslaccept",
    "target_session_attrs",
    "gssencmode",
    "options",
];
const SSL_MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
const ENCODE: &str = "is not a valid address; if the user name or the password has one of @ : / ? # % or a space, write it \
    percent-encoded (%40 %3A %2F %3F %23 %25 %20)";

impl DatabaseUrl {
    /// Parses a URL.
    ///
    /// # Errors
    /// When it is not of a supported database, or requires something unsupported.
    pub fn parse(text: &str) -> Result<Self, InvalidDatabaseUrl> {
        if text.starts_with("sqlite:") {
            return Ok(Self::plain(text));
        }
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(wrong(other_scheme(text)));
        }
        let mut url = Url::parse(text).map_err(|_| {
            let authority = text.split('/').nth(2).unwrap_or_default();
            if authority.contains(',') { wrong(SEVERAL_HOSTS) } else { wrong(ENCODE) }
        })?;
        if url.host_str().is_some_and(|host| host.contains(',')) {
            return Err(wrong(SEVERAL_HOSTS));
        }
        let query = url.query().unwrap_or_default();
        if url.fragment().is_some() || query.contains('@') {
            return Err(wrong(ENCODE));
        }
        let mut read = Parameters { through_pooler: is_pooler(&url), ..Parameters::default() };
        for (name, value) in url.query_pairs() {
            read.take(&name, &value)?;
        }
        read.finish()?;
        if read.kept.is_empty() {
            url.set_query(None);
        } else {
            url.query_pairs_mut().clear().extend_pairs(&read.kept);
        }
        Ok(Self {
            address: url.into(),
            through_pooler: read.through_pooler,
            connection_limit: read.connection_limit,
            pool_timeout_seconds: read.pool_timeout_seconds,
            notes: read.notes,
        })
    }

    fn plain(text: &str) -> Self {
        Self {
            address: text.to_owned(),
            through_pooler: false,
            connection_limit: None,
            pool_timeout_seconds: None,
            notes: Vec::new(),
        }
    }

    /// The URL for the driver; may contain a password.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }
}

/// Shows nothing of the URL, which may contain a password.
impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("DatabaseUrl").field("notes", &self.notes).finish_non_exhaustive()
    }
}

const SEVERAL_HOSTS: &str =
    "names several hosts; name the one that is written to, or the address that a failover keeps";

fn wrong(message: impl Into<String>) -> InvalidDatabaseUrl {
    InvalidDatabaseUrl(message.into())
}

fn other_scheme(text: &str) -> &'static str {
    let scheme = text.split(':').next().unwrap_or_default();
    match scheme {
        "file" => "is a SQLite file as Prisma writes it; write sqlite: instead of file: (such as sqlite:topup.db)",
        "jdbc" => "is an address for JDBC; write postgres://user:password@host/database",
        "prisma" | "prisma+postgres" => {
            "is an address of Prisma's own service; use the database's direct address (postgres://…)"
        }
        _ if scheme.starts_with("postgres") && scheme.contains('+') => {
            "names a driver of another language; write postgres:// in place of all before the user's name"
        }
        _ => "must start with sqlite: (such as sqlite:topup.db) or postgres://",
    }
}

/// Whether the host name is that of Neon's or Supabase's pooler in transaction mode.
fn is_pooler(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let is_neon = host.ends_with(".neon.tech") && host.split('.').next().is_some_and(|name| name.ends_with("-pooler"));
    is_neon || (host.ends_with(".pooler.supabase.com") && url.port() == Some(6543))
}

#[derive(Default)]
struct Parameters {
    /// The parameters for the driver.
    kept: Vec<(String, String)>,
    through_pooler: bool,
    connection_limit: Option<u32>,
    pool_timeout_seconds: Option<u64>,
    schema: Option<String>,
    /// The mode that `ssl` implies, used unless `sslmode` is given.
    other_ssl_mode: Option<&'static str>,
    /// The least mode that other parameters require, whatever `sslmode` says.
    least_ssl_mode: Option<&'static str>,
    without_effect: Vec<&'static str>,
    notes: Vec<String>,
}

impl Parameters {
    fn take(&mut self, name: &str, value: &str) -> Result<(), InvalidDatabaseUrl> {
        match name {
            "sslmode" | "ssl-mode" => self.take_ssl_mode(value)?,
            // The built-in certificate authorities are those of operating systems; libpq then also checks the server's
            // name.
            "sslrootcert" if value == "system" => self.least_ssl_mode = Some("verify-full"),
            "ssl" | "sslaccept" | "channel_binding" | "gssencmode" | "target_session_attrs" => {
                self.take_demand(name, value)?;
            }
            "pgbouncer" => self.through_pooler = yes_or_no("pgbouncer", value)?,
            "connection_limit" => self.connection_limit = Some(number("connection_limit", value, 1)?),
            // 0 is Prisma's value for no limit; our limit still applies.
            "pool_timeout" => {
                self.pool_timeout_seconds = Some(number("pool_timeout", value, 0)?).filter(|wait| *wait > 0);
            }
            "schema" => self.schema = Some(value.to_owned()),
            "options" | "password" => self.kept.push((name.to_owned(), value.to_owned())),
            _ if name.starts_with("options[") || KEPT.contains(&name) => {
                self.kept.push((name.to_owned(), value.to_owned()));
            }
            _ => {
                let plain = name.to_ascii_lowercase();
                let Some(known) = WITHOUT_EFFECT.iter().find(|known| **known == plain) else {
                    return Err(unknown(&plain));
                };
                self.without_effect.push(known);
            }
        }
        Ok(())
    }

    fn take_ssl_mode(&mut self, value: &str) -> Result<(), InvalidDatabaseUrl> {
        if value == "no-verify" {
            let message = "has sslmode=no-verify, which only node-postgres knows; write sslmode=require for the same, or \
                verify-full to check the server's certificate";
            return Err(wrong(message));
        }
        if !SSL_MODES.contains(&value) {
            return Err(wrong(format!("has an sslmode that is not known; write one of {}", SSL_MODES.join(", "))));
        }
        self.kept.push(("sslmode".to_owned(), value.to_owned()));
        Ok(())
    }

    /// Requirements on the connection, in the names of other libraries.
    fn take_demand(&mut self, name: &str, value: &str) -> Result<(), InvalidDatabaseUrl> {
        match (name, value) {
            ("ssl", "true" | "1" | "require") => {
                self.other_ssl_mode.get_or_insert("require");
            }
            ("sslaccept", "strict") => self.least_ssl_mode = Some("verify-full"),
            ("channel_binding", "require") => {
                let note = "channel_binding=require is not supported and left out; sslmode=verify-full makes the server prove \
                    who it is";
                self.notes.push(note.to_owned());
            }
            ("ssl", "false" | "0")
            | ("sslaccept", "accept_invalid_certs")
            | ("channel_binding" | "gssencmode", "disable" | "prefer")
            | ("target_session_attrs", "any" | "read-write" | "primary") => {}
            ("gssencmode", _) => return Err(wrong("asks for GSSAPI, which is not supported; use sslmode=verify-full")),
            ("target_session_attrs", _) => {
                return Err(wrong("asks for a server that cannot be written to; leave target_session_attrs out"));
            }
            (known, _) => return Err(wrong(format!("has a value for {known} that is not known"))),
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), InvalidDatabaseUrl> {
        self.settle_ssl_mode();
        if let Some(schema) = self.schema.take().filter(|schema| schema != "public") {
            if schema.is_empty() || !schema.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                return Err(wrong("has a schema that is not made of letters, digits and _"));
            }
            if self.through_pooler {
                let message = "names a schema, which a pooler does not pass on; give it to the role instead: ALTER ROLE … SET \
                    search_path = …";
                return Err(wrong(message));
            }
            self.kept.push(("options[search_path]".to_owned(), schema));
        }
        if !self.without_effect.is_empty() {
            let note = format!("has no effect here and is left out: {}", self.without_effect.join(", "));
            self.notes.push(note);
        }
        Ok(())
    }
}

impl Parameters {
    /// With a root certificate, libpq verifies it even if `sslmode` only requires encryption.
    fn settle_ssl_mode(&mut self) {
        let kept = |names: &[&str]| self.kept.iter().position(|(name, _)| names.contains(&name.as_str()));
        let given = kept(&["sslmode"]);
        let mode = given.and_then(|place| self.kept.get(place)).map(|(_, mode)| mode.as_str());
        let checks_root = kept(&["sslrootcert", "ssl-root-cert", "ssl-ca"]).is_some() && mode == Some("require");
        let rank = |mode: Option<&str>| SSL_MODES.iter().position(|known| Some(*known) == mode);
        let least = self.least_ssl_mode.or(checks_root.then_some("verify-ca"));
        let chosen = match (least, mode) {
            (Some(least), _) if rank(Some(least)) > rank(mode) => Some(least),
            (_, None) => self.other_ssl_mode,
            _ => None,
        };
        let Some(chosen) = chosen else { return };
        match given.and_then(|place| self.kept.get_mut(place)) {
            Some((_, mode)) => chosen.clone_into(mode),
            None => self.kept.push(("sslmode".to_owned(), chosen.to_owned())),
        }
    }
}

fn yes_or_no(name: &str, value: &str) -> Result<bool, InvalidDatabaseUrl> {
    match value {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(wrong(format!("needs true or false for {name}"))),
    }
}

fn number<T: std::str::FromStr + PartialOrd + From<u8>>(
    name: &str,
    value: &str,
    least: u8,
) -> Result<T, InvalidDatabaseUrl> {
    let number = value.parse().ok().filter(|number: &T| *number >= T::from(least));
    number.ok_or_else(|| wrong(format!("needs a whole number of {least} or more for {name}")))
}

fn unknown(name: &str) -> InvalidDatabaseUrl {
    let all = || KEPT.iter().chain(&WITHOUT_EFFECT).chain(&OWN);
    match all().find(|known| known.len() > 3 && strsim::osa_distance(name, known) <= 2) {
        Some(known) => wrong(format!("has a parameter that is not known; did you mean {known}?")),
        None => wrong("has a parameter after ? that is not known (docs/settings.md has those that are); remove it"),
    }
}

#[cfg(test)]
#[path = "database_url_tests.rs"]
mod tests;
