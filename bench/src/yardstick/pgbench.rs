//! The three statements with pgbench, PostgreSQL's own load generator, as prepared statements over the same socket.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::{FIRST_BALANCE, TABLES};
use crate::books::Books;
use crate::failure::Failure;
use crate::latency::Latencies;
use crate::postgres::Postgres;
use crate::purchase::{ACCOUNTS, Buyers, HOT_ACCOUNT};
use crate::results::Sample;

const DATABASE: &str = "yardstick";
const CHECKOUT_SCRIPT: &str = "checkout.sql";

/// pgbench, ready to run.
pub struct Pgbench {
    program: PathBuf,
    socket_folder: PathBuf,
    folder: PathBuf,
}

impl Pgbench {
    /// Creates its database, and the scripts in a folder.
    ///
    /// # Errors
    /// If the database returns an error or the folder cannot be written.
    pub async fn prepare(postgres: &Postgres, folder: &Path) -> Result<Self, Failure> {
        let mut books = Books::connect(&postgres.create(DATABASE).await?).await?;
        books.run(TABLES).await?;
        let accounts = format!(
            "INSERT INTO accounts SELECT 'account_' || n, {FIRST_BALANCE}, 0 FROM generate_series(0, {ACCOUNTS} - 1) n"
        );
        books.run(&accounts).await?;
        books.run(&format!("INSERT INTO accounts VALUES ('{HOT_ACCOUNT}', {FIRST_BALANCE}, 0)")).await?;
        books.run("VACUUM ANALYZE").await?;
        for (buyers, account) in [(Buyers::Many, "'account_' || :account"), (Buyers::One, "'account_hot'")] {
            std::fs::write(folder.join(script_name(buyers)), script(account))?;
            std::fs::write(folder.join(debit_script_name(buyers)), debit_script(account))?;
        }
        std::fs::write(folder.join(CHECKOUT_SCRIPT), checkout_script())?;
        let program = postgres.program("pgbench");
        Ok(Self { program, socket_folder: postgres.folder().to_owned(), folder: folder.to_owned() })
    }

    /// Runs pgbench for the given duration.
    ///
    /// # Errors
    /// If it fails, or its output cannot be parsed.
    pub async fn run(&self, buyers: Buyers, clients: usize, duration: Duration) -> Result<Sample, Failure> {
        self.run_script(script_name(buyers), clients, duration).await
    }

    /// Runs the writes of debits for the given duration.
    ///
    /// # Errors
    /// If it fails, or its output cannot be parsed.
    pub async fn run_debits(&self, buyers: Buyers, clients: usize, duration: Duration) -> Result<Sample, Failure> {
        self.run_script(debit_script_name(buyers), clients, duration).await
    }

    /// Runs the writes of checkouts for some time: two transactions each.
    ///
    /// # Errors
    /// When it fails, or says what cannot be read.
    pub async fn run_checkouts(&self, clients: usize, duration: Duration) -> Result<Sample, Failure> {
        self.run_script(CHECKOUT_SCRIPT, clients, duration).await
    }

    async fn run_script(&self, script: &str, clients: usize, duration: Duration) -> Result<Sample, Failure> {
        let logs = tempfile::Builder::new().prefix("pgbench-").tempdir_in(&self.folder)?;
        let mut command = Command::new(&self.program);
        command.arg("-h").arg(&self.socket_folder).args(["-U", "topup", "-n", "-M", "prepared", "-l"]);
        command.args(["-c", &clients.to_string(), "-j", &clients.min(2).to_string()]);
        command.args(["-T", &duration.as_secs().saturating_add(1).to_string(), "-f"]);
        command.arg(self.folder.join(script)).arg(DATABASE);
        command.current_dir(logs.path()).stdin(Stdio::null()).kill_on_drop(true);
        let output = command.output().await?;
        let said = String::from_utf8(output.stdout)?;
        if !output.status.success() {
            return Err(format!("pgbench: {said}{}", String::from_utf8_lossy(&output.stderr)).into());
        }
        let rate = rate(&said).ok_or_else(|| format!("pgbench says no rate: {said}"))?;
        let mut times = Vec::new();
        for entry in std::fs::read_dir(logs.path())? {
            times.extend(std::fs::read_to_string(entry?.path())?.lines().filter_map(logged_ns));
        }
        Ok(Sample::new(rate, &Latencies::new(times)?))
    }
}

fn script_name(buyers: Buyers) -> &'static str {
    if buyers == Buyers::Many { "many.sql" } else { "one.sql" }
}

fn debit_script_name(buyers: Buyers) -> &'static str {
    if buyers == Buyers::Many { "debit_many.sql" } else { "debit_one.sql" }
}

fn script(account: &str) -> String {
    format!(
        "\\set account random(0, {ACCOUNTS} - 1)\n\
         \\set event random(1, 9000000000000000000)\n\
         BEGIN;\n\
         INSERT INTO events (id, type, received_at) VALUES ('evt_' || :event, 'checkout.session.completed', 1800000000000) \
         ON CONFLICT (id) DO NOTHING;\n\
         UPDATE accounts SET balance = balance + 1000, updated_at = 1800000000000 WHERE id = {account} \
         RETURNING balance \\gset\n\
         INSERT INTO ledger (source, account, credits, balance_after, created_at) \
         VALUES ('topup_' || :event, {account}, 1000, :balance, 1800000000000);\n\
         COMMIT;\n"
    )
}

/// What a debit writes at least: its key, so that it is done once, the balance if it is enough, and the ledger.
fn debit_script(account: &str) -> String {
    format!(
        "\\set account random(0, {ACCOUNTS} - 1)\n\
         \\set number random(1, 9000000000000000000)\n\
         BEGIN;\n\
         INSERT INTO spends (key, account, credits, created_at) \
         VALUES ('key_' || :number, {account}, 1, 1800000000000) ON CONFLICT (key) DO NOTHING;\n\
         UPDATE accounts SET balance = balance - 1, updated_at = 1800000000000 WHERE id = {account} AND balance >= 1 \
         RETURNING balance \\gset\n\
         INSERT INTO ledger (source, account, credits, balance_after, created_at) \
         VALUES ('spend_' || :number, {account}, -1, :balance, 1800000000000);\n\
         COMMIT;\n"
    )
}

/// What a checkout writes: the idempotency key and the purchase before the provider is called, and both again when it has
/// opened the session.
fn checkout_script() -> String {
    let request = format!(
        "{{\"credits\":250,\"currency\":\"usd\",\"fee_label\":\"Processing fee\",\"success_url\":\"{}\"}}",
        "https://app.example.com/credits".repeat(8)
    );
    format!(
        "\\set account random(0, {ACCOUNTS} - 1)\n\
         \\set number random(1, 9000000000000000000)\n\
         BEGIN;\n\
         INSERT INTO keys (key, hash, purchase, created_at) VALUES ('key_' || :number, 'hash_' || :number, \
         'topup_' || :number, 1800000000000) ON CONFLICT (key) DO NOTHING;\n\
         INSERT INTO purchases (id, account, state, credits, total, request, created_at) VALUES ('topup_' || :number, \
         'account_' || :account, 'creating', 250, 289, '{request}', 1800000000000);\n\
         COMMIT;\n\
         BEGIN;\n\
         UPDATE purchases SET state = 'open', session = 'cs_test_' || :number, \
         url = 'https://checkout.stripe.com/c/pay/cs_test_' || :number WHERE id = 'topup_' || :number;\n\
         UPDATE keys SET status = 200 WHERE key = 'key_' || :number;\n\
         COMMIT;\n"
    )
}

/// The whole number of `tps = 1234.567 (without initial connection time)`.
fn rate(said: &str) -> Option<u64> {
    let line = said.lines().find_map(|line| line.strip_prefix("tps = "))?;
    line.split(['.', ' ']).next()?.parse().ok()
}

/// The duration of a transaction: the third column of pgbench's log, in microseconds.
fn logged_ns(line: &str) -> Option<u64> {
    line.split(' ').nth(2)?.parse::<u64>().ok()?.checked_mul(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pgbench_says_is_read() {
        let said = "scaling factor: 1\nlatency average = 4.418 ms\ntps = 7242.815 (without initial connection time)\n";
        assert_eq!(rate(said), Some(7_242));
        assert_eq!(rate("nothing"), None);
        assert_eq!(logged_ns("0 199 2241 0 1175850568 995598"), Some(2_241_000));
    }
}
