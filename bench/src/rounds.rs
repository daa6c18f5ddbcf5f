//! The measurements and their order. Measurements that are compared take turns: each round runs everything once, with
//! the databases and their yardsticks next to each other.

use std::time::Duration;

use crate::clock::wall_clock_ms;
use crate::event::Mix;
use crate::failure::Failure;
use crate::load::{self, Load, Request};
use crate::names::{
    AS_SENT, BESIDE_HELD, BESIDE_READS, BY_KEY, BY_TOKEN, CHECKOUT_CONNECTIONS, CHECKOUTS, COMPLETED, FREE, HALF_LOAD,
    LIVE, LOOP_EACH, LOOP_TOGETHER, PGBENCH_CHECKOUTS, PGBENCH_MANY, PGBENCH_ONE, POSTGRES, READERS, READS, SQLITE,
    STRIPE_ALONE,
};
use crate::purchase::{ACCOUNTS, Buyers};
use crate::recording::Recording;
use crate::results::{Results, Sample};
use crate::service::{by_key, by_token, get};
use crate::stripe::Stripe;
use crate::target::Target;
use crate::token;
use crate::yardstick::pgbench::Pgbench;
use crate::yardstick::sqlite::BareLoop;

/// Everything the measurements need.
pub struct Bench {
    pub targets: Vec<Target>,
    pub pgbench: Pgbench,
    pub bare: BareLoop,
    pub stripe: Stripe,
    pub results: Results,
    pub rounds: u32,
    /// The duration of one run.
    pub duration: Duration,
}

impl Bench {
    /// Measures deliveries of every mix with every number of connections, and the yardsticks between them.
    ///
    /// # Errors
    /// If a response or the books are wrong, or a step fails.
    pub async fn deliveries(&mut self, mixes: &[Mix], connections: &[usize]) -> Result<(), Failure> {
        for round in 1..=self.rounds {
            for mix in mixes {
                for connections in connections {
                    say(&format!("round {round} of {}: {}, {connections} connections", self.rounds, mix.name()));
                    self.yardsticks_of(*mix, *connections).await?;
                    for target in &mut self.targets {
                        let outcome = target.deliver(*mix, *connections, self.duration).await?;
                        self.results.add(mix.name(), target.name, *connections, Sample::from(&outcome));
                    }
                }
            }
        }
        for target in &self.targets {
            let peak = target.service.memory()?.peak_kib;
            self.results.add_figure("memory after the deliveries, at most", target.name, "KiB", peak);
        }
        Ok(())
    }

    /// Measures the yardsticks of one row.
    async fn yardsticks_of(&mut self, mix: Mix, connections: usize) -> Result<(), Failure> {
        match (mix, connections) {
            (Mix::ManyAccounts, 1) => {
                self.pgbench(Buyers::Many, 1).await?;
                self.bare_loop(1)?;
                self.live().await
            }
            (Mix::ManyAccounts, 32) => {
                self.pgbench(Buyers::Many, 32).await?;
                self.bare_loop(100)
            }
            (Mix::OneAccount, 8 | 64) => self.pgbench(Buyers::One, connections).await,
            _ => Ok(()),
        }
    }

    async fn pgbench(&mut self, buyers: Buyers, clients: usize) -> Result<(), Failure> {
        let name = if buyers == Buyers::Many { PGBENCH_MANY } else { PGBENCH_ONE };
        let sample = self.pgbench.run(buyers, clients, self.duration).await?;
        self.results.add(name, POSTGRES, clients, sample);
        Ok(())
    }

    fn bare_loop(&mut self, together: u64) -> Result<(), Failure> {
        let name = if together == 1 { LOOP_EACH } else { LOOP_TOGETHER };
        // This blocks the runtime, which has nothing else to do meanwhile.
        let sample = self.bare.run(together, self.duration)?;
        self.results.add(name, SQLITE, 1, sample);
        Ok(())
    }

    /// Measures a request that does nothing: the cost of HTTP alone.
    async fn live(&mut self) -> Result<(), Failure> {
        for target in &self.targets {
            for connections in [1, READERS] {
                let requests = vec![get("/health/live", "")];
                let load = Load::closed(target.service.address, requests, connections, self.duration / 2);
                let load = Load { repeated: true, ..load };
                let outcome = load::run(load).await?;
                self.results.add(LIVE, target.name, connections, Sample::from(&outcome));
            }
        }
        Ok(())
    }

    /// Measures checkouts, and the same requests directly to the Stripe endpoint.
    ///
    /// # Errors
    /// If a checkout is not opened.
    pub async fn checkouts(&mut self) -> Result<(), Failure> {
        for round in 1..=self.rounds {
            for connections in CHECKOUT_CONNECTIONS {
                say(&format!("round {round} of {}: checkouts, {connections} connections", self.rounds));
                for target in &mut self.targets {
                    target.books.checkpoint().await?;
                    let load = target.checkouts(connections, self.duration);
                    let outcome = load::run(load).await?;
                    target.saw_checkouts(connections, &outcome);
                    self.results.add(CHECKOUTS, target.name, connections, Sample::from(&outcome));
                }
                let sample = self.pgbench.run_checkouts(connections, self.duration).await?;
                self.results.add(PGBENCH_CHECKOUTS, POSTGRES, connections, sample);
                let load = self.stripe_alone(round, connections);
                let outcome = load::run(load).await?;
                self.results.add(STRIPE_ALONE, "", connections, Sample::from(&outcome));
            }
        }
        Ok(())
    }

    fn stripe_alone(&self, round: u32, connections: usize) -> Load {
        let form = self.stripe.latest_form();
        let requests = (0..20_000).map(|number| {
            let text = format!(
                "POST /v1/checkout/sessions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/x-www-form-urlencoded\r\n\
                 idempotency-key: alone-{round}-{connections}-{number}\r\ncontent-length: {}\r\n\r\n{form}",
                form.len()
            );
            Request { bytes: text.into_bytes().into(), expected: 200 }
        });
        Load::closed(self.stripe.address, requests.collect(), connections, self.duration / 2)
    }

    /// Reads balances as fast as 8 connections allow, while deliveries arrive on 32.
    ///
    /// # Errors
    /// If a response or the books are wrong.
    pub async fn reads(&mut self) -> Result<(), Failure> {
        for round in 1..=self.rounds {
            say(&format!("round {round} of {}: reads while deliveries run", self.rounds));
            for target in &mut self.targets {
                let deliveries = target.prepare_for(Mix::ManyAccounts, 32, self.duration).await?;
                let requests = (0..ACCOUNTS)
                    .map(|number| get(&format!("/accounts/account_{number}/credits"), &by_key(&target.api_key)))
                    .collect();
                let reads = Load::closed(target.service.address, requests, READERS, self.duration);
                let reads = Load { repeated: true, ..reads };
                let (deliveries, reads) = tokio::try_join!(load::run(deliveries), load::run(reads))?;
                target.check(Mix::ManyAccounts, &deliveries).await?;
                self.results.add(READS, target.name, READERS, Sample::from(&reads));
                self.results.add(BESIDE_READS, target.name, 32, Sample::from(&deliveries));
            }
        }
        Ok(())
    }

    /// Measures deliveries on PostgreSQL, in turn with and without a row lock on another account. The first group that
    /// meets the row waits for it, so runs are longer than elsewhere.
    ///
    /// # Errors
    /// If a response or the books are wrong.
    pub async fn held_row(&mut self) -> Result<(), Failure> {
        for round in 1..=self.rounds {
            say(&format!("round {round} of {}: one account's row is held", self.rounds));
            let duration = self.duration.saturating_mul(4);
            for target in self.targets.iter_mut().filter(|target| target.name == POSTGRES) {
                let free = target.deliver(Mix::ManyAccounts, 32, duration).await?;
                self.results.add(FREE, target.name, 32, Sample::from(&free));
                let held = target.deliver_beside_held(32, duration).await?;
                self.results.add(BESIDE_HELD, target.name, 32, Sample::from(&held));
            }
        }
        Ok(())
    }

    /// Measures the full mix of events that Stripe sends and, in turn, only those that credit.
    ///
    /// # Errors
    /// If a response or the books are wrong.
    pub async fn as_sent(&mut self, recording: &Recording, connections: usize) -> Result<(), Failure> {
        for round in 1..=self.rounds {
            say(&format!("round {round} of {}: as Stripe sends them, {connections} connections", self.rounds));
            for target in &mut self.targets {
                let completed = target.deliver(Mix::ManyAccounts, connections, self.duration).await?;
                self.results.add(COMPLETED, target.name, connections, Sample::from(&completed));
                let as_sent = target.deliver_as_sent(recording, connections, self.duration).await?;
                self.results.add(AS_SENT, target.name, connections, Sample::from(&as_sent));
            }
        }
        Ok(())
    }

    /// Reads balances with a customer's token and, in turn, with an API key, without other load.
    ///
    /// # Errors
    /// If a balance is not read.
    pub async fn credentials(&mut self) -> Result<(), Failure> {
        let now_seconds = wall_clock_ms() / 1_000;
        for round in 1..=self.rounds.saturating_mul(2) {
            say(&format!("round {round} of {}: balances by token and by key", self.rounds.saturating_mul(2)));
            for target in &mut self.targets {
                let accounts = (0..1_000_u64).map(|number| format!("account_{number}"));
                let (mut with_token, mut with_key) = (Vec::new(), Vec::new());
                for account in accounts {
                    with_token.push(get("/credits", &by_token(&token::sign(&account, now_seconds)?)));
                    with_key.push(get(&format!("/accounts/{account}/credits"), &by_key(&target.api_key)));
                }
                for (name, requests) in [(BY_TOKEN, with_token), (BY_KEY, with_key)] {
                    let load = Load::closed(target.service.address, requests, READERS, self.duration / 2);
                    let outcome = load::run(Load { repeated: true, ..load }).await?;
                    self.results.add(name, target.name, READERS, Sample::from(&outcome));
                }
            }
        }
        Ok(())
    }

    /// Measures deliveries at half the maximum rate, in an open loop.
    ///
    /// # Errors
    /// If a response or the books are wrong.
    pub async fn half_load(&mut self) -> Result<(), Failure> {
        for round in 1..=self.rounds {
            say(&format!("round {round} of {}: half of the maximum load", self.rounds));
            for target in &mut self.targets {
                let maximum = self.results.highest_rate(Mix::ManyAccounts.name(), target.name);
                let rate = maximum.ok_or("the maximum is not known")? / 2;
                let outcome = target.deliver_paced(rate, self.duration.saturating_mul(2)).await?;
                self.results.add(HALF_LOAD, target.name, 64, Sample::from(&outcome));
            }
        }
        Ok(())
    }
}

/// Reports progress to the user.
pub fn say(what: &str) {
    eprintln!("bench: {what}");
}
