//! The service under test: the release binary as a process, configured by environment variables.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};

use crate::event::SECRET;
use crate::failure::Failure;
use crate::http::Client;
use crate::load::Request;
use crate::token;

/// The log file of the services.
pub const LOG: &str = "service.log";
/// At start-up the service checks a large SQLite file first.
const START_TIMEOUT: Duration = Duration::from_mins(2);
/// How often a command's memory is sampled.
const LOOK_EVERY: Duration = Duration::from_millis(10);
const READY: &[u8] = b"GET /health/ready HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";

/// How the service is started.
#[derive(Debug, Clone)]
pub struct Program {
    /// The release binary.
    pub binary: PathBuf,
    /// The working directory, without an `.env`.
    pub folder: PathBuf,
    /// The address of Stripe's API.
    pub stripe: SocketAddr,
    /// The LOG setting.
    pub log: String,
    /// Additional settings.
    pub settings: Vec<(&'static str, String)>,
}

/// A running service. Dropping it kills it.
pub struct Service {
    process: Child,
    pub address: SocketAddr,
    /// The time from start to ready.
    pub started_in: Duration,
}

/// The memory of a process, in KiB.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    pub now_kib: u64,
    pub peak_kib: u64,
}

impl Program {
    fn log_file(&self) -> PathBuf {
        self.folder.join(LOG)
    }

    fn command(&self, database_url: &str) -> Command {
        let mut command = Command::new(&self.binary);
        command.env_clear().current_dir(&self.folder).kill_on_drop(true);
        command.env("DATABASE_URL", database_url);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        command
    }

    /// Runs one of the service's commands. Returns its output.
    ///
    /// # Errors
    /// If it fails.
    pub async fn run(&self, database_url: &str, arguments: &[&str]) -> Result<String, Failure> {
        let output = self.command(database_url).args(arguments).stderr(Stdio::piped()).output().await?;
        if output.status.success() {
            return Ok(String::from_utf8(output.stdout)?.trim().to_owned());
        }
        let said = [output.stdout, output.stderr].concat();
        Err(format!("topup {}: {}", arguments.join(" "), String::from_utf8_lossy(&said)).into())
    }

    /// Runs a command. Returns its output, how long it took, and its peak memory in KiB.
    ///
    /// # Errors
    /// If it fails.
    pub async fn measure(&self, database_url: &str, arguments: &[&str]) -> Result<(String, Duration, u64), Failure> {
        let start = Instant::now();
        let mut process = self.command(database_url).args(arguments).stderr(Stdio::piped()).spawn()?;
        let id = process.id().ok_or("the command has ended")?;
        let mut peak_kib = 0;
        // The output fits into a pipe, so it can be read at the end.
        let status = loop {
            if let Some(status) = process.try_wait()? {
                break status;
            }
            // The process may have just ended.
            peak_kib = memory_of(id).map_or(peak_kib, |memory| memory.peak_kib);
            tokio::time::sleep(LOOK_EVERY).await;
        };
        let time = start.elapsed();
        let output = process.wait_with_output().await?;
        if status.success() {
            return Ok((String::from_utf8(output.stdout)?.trim().to_owned(), time, peak_kib));
        }
        let said = [output.stdout, output.stderr].concat();
        Err(format!("topup {}: {}", arguments.join(" "), String::from_utf8_lossy(&said)).into())
    }

    /// Starts the service and waits until it is ready.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn serve(&self, database_url: &str) -> Result<Service, Failure> {
        // A port that was free a moment ago: the service reports a port it picks itself only in the log.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let mut command = self.command(database_url);
        command.arg("serve").stdout(Stdio::null()).envs([
            ("BIND_ADDRESS", address.to_string()),
            ("STRIPE_SECRET_KEY", "sk_test_8d1f0a6b7c3e".to_owned()),
            ("STRIPE_WEBHOOK_SECRET", SECRET.to_owned()),
            ("STRIPE_API_BASE", format!("http://{}", self.stripe)),
            ("JWT_SECRET", token::SECRET.to_owned()),
            ("ALLOWED_ORIGINS", "https://app.example.com".to_owned()),
            ("RATE_LIMIT_PER_MINUTE", "100000000".to_owned()),
            ("MAX_OPEN_CHECKOUTS", "100000".to_owned()),
            ("LOG", self.log.clone()),
            // A reconciliation would run during the measurement, against a Stripe endpoint without the data.
            ("RECONCILE_EVERY_HOURS", "0".to_owned()),
        ]);
        command.envs(self.settings.iter().cloned());
        // Logging refused deliveries is part of the measurement, but the log is not printed.
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log_file())?;
        command.stderr(log);
        let start = Instant::now();
        let mut process = command.spawn()?;
        loop {
            if is_ready(address).await {
                return Ok(Service { process, address, started_in: start.elapsed() });
            }
            if let Some(status) = process.try_wait()? {
                let log = std::fs::read_to_string(self.log_file())?;
                return Err(format!("the service ended: {status}\n{log}").into());
            }
            if start.elapsed() > START_TIMEOUT {
                return Err("the service does not become ready".into());
            }
            // It does not report when it is listening.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

async fn is_ready(address: SocketAddr) -> bool {
    let Ok(mut client) = Client::connect(address).await else { return false };
    matches!(client.exchange(READY).await, Ok(200))
}

impl Service {
    /// The processor time that the service has used, in milliseconds.
    ///
    /// # Errors
    /// If it has ended.
    pub fn processor_ms(&self) -> Result<u64, Failure> {
        processor_ms_of(self.process.id().ok_or("the service has ended")?)
    }

    /// Reads the current and the peak memory.
    ///
    /// # Errors
    /// If the process has ended.
    pub fn memory(&self) -> Result<Memory, Failure> {
        memory_of(self.process.id().ok_or("the service has ended")?)
    }
}

/// The processor time that a process has used, in milliseconds. The kernel counts in hundredths of a second.
fn processor_ms_of(process: u32) -> Result<u64, Failure> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name in parentheses may contain spaces.
    let after_name = text.rsplit_once(") ").ok_or("no name in /proc/…/stat")?.1;
    let mut fields = after_name.split(' ').skip(11).map(str::parse::<u64>);
    let (user, system) = (fields.next().ok_or("no user time")??, fields.next().ok_or("no system time")??);
    Ok(user.saturating_add(system).saturating_mul(10))
}

fn memory_of(process: u32) -> Result<Memory, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).ok_or("unknown form of /proc")
    };
    Ok(Memory { now_kib: kib("VmRSS:")?, peak_kib: kib("VmHWM:")? })
}

/// A request without a body. `credentials` is a header, or empty.
pub fn get(path: &str, credentials: &str) -> Request {
    let text = format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{credentials}\r\n");
    Request { bytes: text.into_bytes().into(), expected: 200 }
}

/// The header for an API key.
pub fn by_key(api_key: &str) -> String {
    format!("x-api-key: {api_key}\r\n")
}

/// The header for a customer's token.
pub fn by_token(token: &str) -> String {
    format!("authorization: Bearer {token}\r\n")
}
