//! The environment of a measurement: machine, versions, commit.

use std::path::Path;
use std::process::Command;

use serde::Serialize;

use crate::books::Books;
use crate::failure::Failure;

/// The environment of a measurement.
#[derive(Debug, Serialize)]
pub struct Machine {
    pub cpu: String,
    pub cores: usize,
    pub memory_mib: u64,
    pub kernel: String,
    pub filesystem: String,
    pub rustc: String,
    pub postgresql: String,
    /// Settings that differ from the defaults.
    pub postgres_settings: Vec<String>,
    pub sqlite: String,
    pub commit: String,
    /// The load average at the start: on a busy machine the figures mean little.
    pub load_average: String,
}

impl Machine {
    /// Collects the environment. What the system does not report stays empty.
    ///
    /// # Errors
    /// If a database does not report its version.
    pub async fn describe(folder: &Path, postgres_url: &str, postgres_settings: &[String]) -> Result<Self, Failure> {
        let memory_kib = field("/proc/meminfo", "MemTotal").split(' ').next().and_then(|kib| kib.parse::<u64>().ok());
        let postgresql = Books::connect(postgres_url).await?.text("SHOW server_version").await?;
        let sqlite = Books::connect("sqlite::memory:").await?.text("SELECT sqlite_version()").await?;
        let dirty = !output("git", &["status", "--porcelain", "--untracked-files=no"]).is_empty();
        let commit = output("git", &["rev-parse", "--short=12", "HEAD"]);
        Ok(Self {
            cpu: field("/proc/cpuinfo", "model name"),
            cores: std::thread::available_parallelism().map_or(1, Into::into),
            memory_mib: memory_kib.unwrap_or_default() / 1_024,
            kernel: output("uname", &["-sr"]),
            filesystem: output("stat", &["-f", "-c", "%T", &folder.to_string_lossy()]),
            rustc: output("rustc", &["--version"]),
            postgresql,
            postgres_settings: postgres_settings.to_vec(),
            sqlite,
            commit: if dirty { format!("{commit} with changes") } else { commit },
            load_average: std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim().to_owned(),
        })
    }

    /// All of it in one line.
    pub fn line(&self) -> String {
        let settings = self.postgres_settings.iter().flat_map(|setting| [", ", setting]).collect::<String>();
        format!(
            "{} × {}, {} MiB, {}, {}; {}, PostgreSQL {}{}, SQLite {}; commit {}; load average before: {}",
            self.cores,
            self.cpu,
            self.memory_mib,
            self.kernel,
            self.filesystem,
            self.rustc,
            self.postgresql,
            settings,
            self.sqlite,
            self.commit,
            self.load_average
        )
    }
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

/// The value of `name : value` in one of the kernel's files.
fn field(file: &str, name: &str) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let mut pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
}
