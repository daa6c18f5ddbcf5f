//! `PgBouncer` in transaction mode in front of the test run's PostgreSQL. It listens on a socket in its own folder, and
//! ends with its owner, however that ends.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use url::Url;

use super::postgres::as_unprivileged;

/// The number of server sessions it shares.
pub const SESSIONS: usize = 3;
const WATCH: &str = r#"
"$0" --quiet "$1" &
cat >/dev/null
kill $!
"#;

/// Runs until dropped.
pub struct Pooler {
    folder: TempDir,
    _watch: (Child, ChildStdin),
}

impl Pooler {
    /// Starts it in front of this database's server.
    pub fn start(database_url: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("topup-pgbouncer-").tempdir_in("/tmp").expect("a folder");
        let path = folder.path().to_owned();
        let url = Url::parse(database_url).expect("a URL");
        let host = url.query_pairs().find(|(name, _)| name == "host").map(|(_, host)| host.into_owned());
        let host = host.unwrap_or_else(|| url.host_str().unwrap_or("localhost").to_owned());
        let settings = format!(
            "[databases]\n* = host={host} port={} user=topup\n[pgbouncer]\npool_mode = transaction\nauth_type = any\n\
             default_pool_size = {SESSIONS}\nlisten_addr =\nlisten_port = 6432\nunix_socket_dir = {}\n",
            url.port().unwrap_or(5432),
            path.display(),
        );
        let file = path.join("pgbouncer.ini");
        std::fs::write(&file, settings).expect("written");
        let mut command = as_unprivileged(&path);
        command.args(["sh", "-c", WATCH]).arg(program()).arg(&file);
        let mut watch = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("PgBouncer's watch starts");
        let stdin = watch.stdin.take().expect("piped");
        let (socket, deadline) = (path.join(".s.PGSQL.6432"), Instant::now() + Duration::from_secs(20));
        while UnixStream::connect(&socket).is_err() {
            assert!(Instant::now() < deadline, "PgBouncer does not start");
            std::thread::yield_now();
        }
        Self { folder, _watch: (watch, stdin) }
    }

    /// The URL of the same database through it.
    pub fn url(&self, database_url: &str) -> String {
        let url = Url::parse(database_url).expect("a URL");
        format!("postgres://topup@localhost:6432{}?host={}", url.path(), self.folder.path().display())
    }
}

/// Debian installs it where only root's path looks.
fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    let found = folders.map(|folder| folder.join("pgbouncer")).find(|file| file.exists());
    found.expect("PgBouncer is not installed: apt-get install pgbouncer")
}
