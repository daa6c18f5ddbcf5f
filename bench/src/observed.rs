//! What metrics cost: deliveries to a service that offers none, and to one whose metrics are fetched every second.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use crate::event::Mix;
use crate::failure::Failure;
use crate::http::Client;
use crate::new_database;
use crate::postgres::Postgres;
use crate::results::{Results, Sample};
use crate::rounds::say;
use crate::service::{Program, get};
use crate::target::Target;

pub const WITHOUT_METRICS: &str = "10,000 accounts, without metrics";
pub const WITH_METRICS: &str = "10,000 accounts, metrics fetched every second";
pub const CONNECTIONS: usize = 32;
const FETCH_EVERY: Duration = Duration::from_secs(1);

pub struct Observed<'a> {
    pub program: &'a Program,
    pub postgres: &'a Postgres,
    pub folder: &'a Path,
    pub rounds: u32,
    pub duration: Duration,
}

impl Observed<'_> {
    /// Measures both in turn, each on a database of its own. The first round fills tables and caches, and does not count.
    ///
    /// # Errors
    /// If a response or the books are wrong.
    pub async fn run(&self, database: &'static str, results: &mut Results) -> Result<(), Failure> {
        let metrics = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let mut measured = self.program.clone();
        measured.settings.push(("METRICS_ADDRESS", metrics.to_string()));
        let mut targets = Vec::new();
        for (name, program, file) in
            [(WITHOUT_METRICS, self.program, "unobserved"), (WITH_METRICS, &measured, "observed")]
        {
            let url = new_database::create(database, file, self.postgres, self.folder).await?;
            let mut target = Target::start(program, database, url).await?;
            target.warm_up().await?;
            targets.push((name, target));
        }
        let fetching = tokio::spawn(fetch(metrics));
        for round in 0..=self.rounds {
            // Which of the two comes first changes, because the machine's speed does.
            targets.reverse();
            for (name, target) in &mut targets {
                say(&format!("round {round} of {}: {name} on {database}", self.rounds));
                let before_ms = target.service.processor_ms()?;
                let outcome = target.deliver(Mix::ManyAccounts, CONNECTIONS, self.duration).await?;
                let used_ms = target.service.processor_ms()?.saturating_sub(before_ms);
                if round > 0 {
                    results.add(name, database, CONNECTIONS, Sample::from(&outcome));
                    let sent = u64::try_from(outcome.sent)?.max(1);
                    let each_ns = used_ms.saturating_mul(1_000_000).checked_div(sent).unwrap_or_default();
                    results.add_figure(
                        &format!("{name}: the service's processor time for each"),
                        database,
                        "ns",
                        each_ns,
                    );
                }
            }
        }
        if fetching.is_finished() {
            fetching.await??;
        } else {
            fetching.abort();
        }
        Ok(())
    }
}

async fn fetch(metrics: SocketAddr) -> Result<(), Failure> {
    let request = get("/metrics", "");
    loop {
        let mut client = Client::connect(metrics).await?;
        let status = client.exchange(&request.bytes).await?;
        if status != request.expected {
            return Err(format!("the metrics are answered with {status}").into());
        }
        tokio::time::sleep(FETCH_EVERY).await;
    }
}
