//! A private PostgreSQL for the whole test run, started from the installed programs; `TEST_POSTGRES_URL` names another.
//!
//! A watchdog shell waits until its standard input closes: however the tests end, the shell stops the server and
//! removes its files.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use sqlx::{Connection, Executor};
use tokio::sync::OnceCell;
use topup::db::Db;

const WATCH: &str = r#"
set -eu
stop() { "$BIN/pg_ctl" -D "$DATA/pg" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$DATA"; }
trap stop EXIT
"$BIN/initdb" -D "$DATA/pg" -U topup -A trust -E UTF8 --no-locale --no-sync >"$DATA/log" 2>&1 || { cat "$DATA/log"; exit 1; }
"$BIN/pg_ctl" -D "$DATA/pg" -w -l "$DATA/log" -o "-k $DATA -c listen_addresses= -c fsync=off -c max_wal_size=256MB -c max_connections=400 -c max_prepared_transactions=0" start >/dev/null 2>&1 || { cat "$DATA/log"; exit 1; }
echo ready
cat >/dev/null
"#;

#[derive(Debug)]
struct Server {
    /// The URL of a database, with `{}` for its name.
    url: String,
    _watch: Option<(Child, ChildStdin)>,
}

static SERVER: OnceCell<Server> = OnceCell::const_new();
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// The databases that no test needs any more.
static UNUSED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// A database of one test. The next test that creates one removes it.
pub struct Created {
    name: String,
    server: &'static Server,
}

impl Created {
    /// Its URL.
    pub fn url(&self) -> String {
        self.server.url.replace("{}", &self.name)
    }
}

impl Drop for Created {
    fn drop(&mut self) {
        let mut unused = UNUSED.lock().unwrap_or_else(PoisonError::into_inner);
        unused.push(std::mem::take(&mut self.name));
    }
}

/// Creates a migrated or an empty database, and removes those that are no longer used.
pub async fn create_database(migrated: bool) -> Created {
    let server = SERVER.get_or_init(start).await;
    let name = format!("topup_test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst));
    let template = if migrated { template_name() } else { "template0".to_owned() };
    let unused = std::mem::take(&mut *UNUSED.lock().unwrap_or_else(PoisonError::into_inner));
    let removals = unused.into_iter().map(|name| format!("DROP DATABASE {name} WITH (FORCE)"));
    run(server, removals.chain([format!("CREATE DATABASE {name} TEMPLATE {template}")])).await;
    Created { name, server }
}

/// Copies a database into an empty one, with PostgreSQL's own backup tools.
pub fn dump(from: &str, to: &str) {
    let program = |name: &str| programs().join(name);
    let dump = Command::new(program("pg_dump")).arg(from).output().expect("pg_dump runs");
    assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
    let mut restore = Command::new(program("psql"));
    restore.args(["--quiet", "--set", "ON_ERROR_STOP=1", to]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut restore = restore.spawn().expect("psql runs");
    std::io::Write::write_all(&mut restore.stdin.take().expect("piped"), &dump.stdout).expect("is read");
    assert!(restore.wait().expect("ends").success());
}

fn template_name() -> String {
    format!("topup_template_{}", std::process::id())
}

async fn run(server: &Server, statements: impl IntoIterator<Item = String>) {
    let url = server.url.replace("{}", "postgres");
    let mut connection = sqlx::PgConnection::connect(&url).await.expect("PostgreSQL answers");
    for sql in statements {
        connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql))).await.expect("the database is made or removed");
    }
    connection.close().await.expect("closes");
}

async fn start() -> Server {
    let server = match std::env::var("TEST_POSTGRES_URL") {
        Ok(url) => Server { url: with_placeholder(&url), _watch: None },
        Err(_) => start_private(),
    };
    run(&server, [format!("CREATE DATABASE {} TEMPLATE template0", template_name())]).await;
    let template = Db::connect(&server.url.replace("{}", &template_name()), false).await.expect("connects");
    template.migrate_and_close().await.expect("migrates");
    server
}

fn with_placeholder(url: &str) -> String {
    let mut url = url::Url::parse(url).expect("TEST_POSTGRES_URL is a URL");
    url.set_path("/DATABASE");
    url.to_string().replace("/DATABASE", "/{}")
}

#[expect(clippy::zombie_processes, reason = "it ends when we do, and is kept until then")]
fn start_private() -> Server {
    let data = tempfile::Builder::new().prefix("topup-pg-").tempdir_in(place()).expect("a folder").keep();
    let mut command = as_unprivileged(&data);
    command.args(["sh", "-c", WATCH]).env("BIN", programs()).env("DATA", &data);
    let mut watch = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("PostgreSQL's watch starts");
    let mut said = String::new();
    let stdin = watch.stdin.take().expect("piped");
    let mut output = BufReader::new(watch.stdout.take().expect("piped"));
    while output.read_line(&mut said).expect("readable") > 0 {
        if said.ends_with("ready\n") {
            let url = format!("postgres://topup@localhost/{{}}?host={}", data.display());
            return Server { url, _watch: Some((watch, stdin)) };
        }
    }
    panic!("PostgreSQL does not start: {said}");
}

/// Memory, if there is enough of it: a database is some three hundred files, and file systems take their time to create
/// so many after as many were removed.
fn place() -> &'static str {
    let memory = "/dev/shm";
    let free = Command::new("df").args(["--output=avail", "--block-size=1G", memory]).output();
    let free = free.ok().and_then(|free| String::from_utf8(free.stdout).ok()?.lines().nth(1)?.trim().parse().ok());
    if free.unwrap_or(0) >= 4 { memory } else { "/tmp" }
}

/// PostgreSQL refuses to run as root.
pub fn as_unprivileged(data: &PathBuf) -> Command {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|self_| std::os::unix::fs::MetadataExt::uid(&self_) == 0);
    if !is_root {
        return Command::new("env");
    }
    let owned = Command::new("chown").arg("postgres").arg(data).status().is_ok_and(|status| status.success());
    assert!(owned, "there is no user `postgres`: install PostgreSQL (apt-get install postgresql)");
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--", "env"]);
    command
}

/// The newest installed PostgreSQL. Debian does not put its programs on the path.
fn programs() -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|path| path.join("initdb").exists() && path.join("postgres").exists())
        .collect();
    found.extend(
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
            .filter(|path| path.join("initdb").exists() && path.join("pg_ctl").exists()),
    );
    found.sort_by_key(|path| path.to_string_lossy().split('/').find_map(|part| part.parse::<u32>().ok()).unwrap_or(0));
    found.pop().expect("PostgreSQL is not installed: apt-get install postgresql, or set TEST_POSTGRES_URL")
}
