//! A private PostgreSQL with default settings, unless told otherwise: every commit is on disk before it is
//! acknowledged.
//!
//! It listens only on a socket in its own folder. A watchdog shell waits until its standard input closes: however this
//! process ends, the shell stops the server and removes its files.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};

use crate::books::Books;
use crate::failure::Failure;

const WATCH: &str = r#"
set -eu
trap '' INT
stop() { "$BIN/pg_ctl" -D "$DATA/pg" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$DATA"; }
trap stop EXIT
"$BIN/initdb" -D "$DATA/pg" -U topup -A trust -E UTF8 --no-locale >"$DATA/log" 2>&1 || { cat "$DATA/log"; exit 1; }
"$BIN/pg_ctl" -D "$DATA/pg" -w -l "$DATA/log" -o "-k $DATA -c listen_addresses= $SETTINGS" start >/dev/null 2>&1 || { cat "$DATA/log"; exit 1; }
echo ready
cat >/dev/null
"#;

const WATCH_POOLER: &str = r#"
trap '' INT
"$0" --quiet "$1" &
cat >/dev/null
kill $!
"#;

/// The server. Dropping it stops it.
pub struct Postgres {
    folder: PathBuf,
    programs: PathBuf,
    _watch: (Child, ChildStdin),
}

impl Postgres {
    /// Creates a server below `parent`, with these settings (`name=value`) besides its own.
    ///
    /// # Errors
    /// If PostgreSQL is not installed or does not start.
    pub async fn start(parent: &Path, settings: &[String]) -> Result<Self, Failure> {
        let programs = programs().ok_or("PostgreSQL is not installed: apt-get install postgresql")?;
        let folder = tempfile::Builder::new().prefix("topup-pg-").tempdir_in(parent)?.keep();
        let mut command = as_unprivileged(&folder).await?;
        command
            .args(["sh", "-c", WATCH])
            .env("BIN", &programs)
            .env("DATA", &folder)
            .env("SETTINGS", settings.iter().flat_map(|setting| ["-c ", setting, " "]).collect::<String>())
            .current_dir(&folder);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut watch = command.spawn()?;
        let stdin = watch.stdin.take().ok_or("no standard input")?;
        let mut lines = BufReader::new(watch.stdout.take().ok_or("no standard output")?).lines();
        let mut said = String::new();
        while let Some(line) = lines.next_line().await? {
            if line == "ready" {
                return Ok(Self { folder, programs, _watch: (watch, stdin) });
            }
            said.push_str(&line);
            said.push('\n');
        }
        Err(format!("PostgreSQL does not start:\n{said}").into())
    }

    /// Creates a database. Returns its URL.
    ///
    /// # Errors
    /// If the server returns an error.
    pub async fn create(&self, database: &str) -> Result<String, Failure> {
        Books::connect(&self.url("postgres")).await?.run(&format!("CREATE DATABASE {database}")).await?;
        Ok(self.url(database))
    }

    /// Drops a database, even if clients are connected.
    ///
    /// # Errors
    /// If the server returns an error.
    pub async fn drop_database(&self, database: &str) -> Result<(), Failure> {
        Books::connect(&self.url("postgres")).await?.run(&format!("DROP DATABASE {database} WITH (FORCE)")).await
    }

    /// The URL of a database.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://topup@localhost/{database}?host={}", self.folder.display())
    }

    /// Switches autovacuum off or on again.
    ///
    /// # Errors
    /// If the server returns an error.
    pub async fn set_autovacuum(&self, is_on: bool) -> Result<(), Failure> {
        let mut server = Books::connect(&self.url("postgres")).await?;
        let change = if is_on { "RESET autovacuum" } else { "SET autovacuum = off" };
        // Not in one text: that would be a transaction, in which ALTER SYSTEM is not permitted.
        server.run(&format!("ALTER SYSTEM {change}")).await?;
        server.run("SELECT pg_reload_conf()").await
    }

    /// The folder of the socket.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of a PostgreSQL program, such as `pgbench`.
    pub fn program(&self, name: &str) -> PathBuf {
        let beside = self.programs.join(name);
        if beside.exists() { beside } else { PathBuf::from(name) }
    }
}

/// `PgBouncer` in transaction mode, with default settings. Dropping it stops it.
pub struct PgBouncer {
    folder: PathBuf,
    _watch: (Child, ChildStdin),
}

impl PgBouncer {
    /// Starts it in front of a server.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start(program: &Path, postgres: &Postgres) -> Result<Self, Failure> {
        let folder = postgres.folder().to_owned();
        let shown = folder.display();
        let settings = format!(
            "[databases]\n* = host={shown} user=topup\n[pgbouncer]\npool_mode = transaction\nauth_type = any\n\
             max_prepared_statements = 200\nlisten_addr =\nlisten_port = 6432\nunix_socket_dir = {shown}\n"
        );
        let file = folder.join("pgbouncer.ini");
        std::fs::write(&file, settings)?;
        let mut command = as_unprivileged(&folder).await?;
        command.args(["sh", "-c", WATCH_POOLER]).arg(program).arg(&file);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
        let stdin = process.stdin.take().ok_or("no standard input")?;
        // It does not report when it is listening.
        let socket = folder.join(".s.PGSQL.6432");
        for _ in 0..1_000 {
            if socket.exists() {
                return Ok(Self { folder, _watch: (process, stdin) });
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        Err("PgBouncer does not start".into())
    }

    /// The URL of a database through it.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://topup@localhost:6432/{database}?host={}", self.folder.display())
    }
}

/// PostgreSQL refuses to run as root.
async fn as_unprivileged(folder: &Path) -> Result<Command, Failure> {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    if !is_root {
        return Ok(Command::new("env"));
    }
    if !Command::new("chown").arg("postgres").arg(folder).status().await?.success() {
        return Err("there is no user `postgres`: apt-get install postgresql".into());
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--", "env"]);
    Ok(command)
}

/// The newest installed PostgreSQL. Debian does not put its programs on the path.
fn programs() -> Option<PathBuf> {
    let in_path = std::env::var_os("PATH").unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = debian
        .map(|entry| entry.path().join("bin"))
        .chain(std::env::split_paths(&in_path))
        .filter(|path| ["initdb", "pg_ctl", "postgres"].iter().all(|name| path.join(name).exists()))
        .collect();
    found.sort_by_key(|path| path.to_string_lossy().split('/').find_map(|part| part.parse::<u32>().ok()).unwrap_or(0));
    found.pop()
}
