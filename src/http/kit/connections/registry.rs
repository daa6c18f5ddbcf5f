//! All open connections, and the rules that close them.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ipnet::IpNet;

use crate::http::kit::client_address::network_of;
use crate::http::kit::connections::phase::{Connection, Phase};

/// A connection that has kept the service waiting for this long gives way before an idle one.
const PATIENCE: Duration = Duration::from_secs(1);
/// How much later than the web server's own timers these limits apply, so that its answers such as 408 come first.
const GRACE: Duration = Duration::from_secs(2);
/// How often limits are enforced.
const SWEEP_EVERY: Duration = Duration::from_millis(250);
/// How often a shortage of connections is logged.
const REPORT_EVERY: Duration = Duration::from_mins(1);
/// One address may have this fraction of all connections: one in four.
const PART_OF_ONE_ADDRESS: usize = 4;

/// How long a connection may stay in each phase.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionTimes {
    /// From the start of the connection, or the first byte of a later request, to the end of the request's head.
    pub head: Duration,
    /// While the service waits for a body. Reading it has its own, shorter limit.
    pub body: Duration,
    /// While a request is processed. Use cases have their own, shorter limits.
    pub work: Duration,
    /// From the answer until the client has read all of it.
    pub answer: Duration,
    /// From an answer that came before the end of the body until that end.
    pub drain: Duration,
    /// Between two requests. Longer than proxies keep their connections (nginx and AWS 60 seconds, Azure 4 minutes,
    /// Google 10 minutes, Cloudflare 15), because a proxy that sends a request while we close answers its caller with
    /// 502.
    pub idle: Duration,
}

impl Default for ConnectionTimes {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            body: Duration::from_secs(20),
            work: Duration::from_mins(2),
            answer: Duration::from_mins(1),
            drain: Duration::from_secs(5),
            idle: Duration::from_secs(920),
        }
    }
}

impl ConnectionTimes {
    fn limit(&self, phase: Phase) -> Duration {
        match phase {
            Phase::New | Phase::Head => self.head.saturating_add(GRACE),
            Phase::Body => self.body,
            Phase::Working => self.work,
            Phase::Sending => self.answer,
            Phase::Draining => self.drain,
            Phase::Idle => self.idle.saturating_add(GRACE),
        }
    }
}

/// All client connections.
pub struct Connections {
    max: usize,
    times: ConnectionTimes,
    trusted: Vec<IpNet>,
    open: Mutex<Open>,
    refused: AtomicU64,
    displaced: AtomicU64,
}

/// The connections by network.
#[derive(Default)]
struct Open {
    count: usize,
    next: u64,
    networks: HashMap<IpAddr, HashMap<u64, Arc<Connection>>>,
}

impl Open {
    fn remove(&mut self, network: IpAddr, number: u64) {
        let Some(connections) = self.networks.get_mut(&network) else { return };
        if connections.remove(&number).is_some() {
            self.count = self.count.saturating_sub(1);
        }
        if connections.is_empty() {
            self.networks.remove(&network);
        }
    }

    /// The connections of the networks that have the most.
    fn of_the_largest(&self) -> impl Iterator<Item = &Arc<Connection>> {
        let most = self.networks.values().map(HashMap::len).max().unwrap_or_default();
        self.networks.values().filter(move |connections| connections.len() == most).flat_map(HashMap::values)
    }
}

/// A connection's place, released when dropped.
pub struct Admitted {
    connections: Arc<Connections>,
    connection: Arc<Connection>,
}

impl Admitted {
    pub(crate) fn connection(&self) -> Arc<Connection> {
        self.connection.clone()
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.connections.open().remove(self.connection.network, self.connection.number);
    }
}

impl Connections {
    /// Allows at most `max` connections. One address may have a quarter of them, except trusted proxies and this
    /// machine, which stand for many callers.
    #[must_use]
    pub fn new(max: usize, times: ConnectionTimes, trusted: Vec<IpNet>) -> Self {
        let (refused, displaced) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { max: max.max(1), times, trusted, open: Mutex::default(), refused, displaced }
    }

    /// The most connections allowed.
    #[must_use]
    pub const fn max(&self) -> usize {
        self.max
    }

    /// The time limits.
    #[must_use]
    pub const fn times(&self) -> ConnectionTimes {
        self.times
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn max_of(&self, address: IpAddr) -> usize {
        let has_many_callers =
            address.is_loopback() || self.trusted.iter().any(|network| network.contains(&address.to_canonical()));
        if has_many_callers { self.max } else { (self.max / PART_OF_ONE_ADDRESS).max(1) }
    }

    /// Takes a place for a connection; `None` if every connection that it could replace has a request in progress.
    pub(crate) fn admit(self: &Arc<Self>, peer: Option<SocketAddr>, now: Instant) -> Option<Admitted> {
        let address = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip().to_canonical());
        let network = network_of(address);
        let mut open = self.open();
        let of_network = open.networks.get(&network).map_or(0, HashMap::len);
        let is_too_many = of_network >= self.max_of(address);
        if is_too_many || open.count >= self.max {
            let victim = if is_too_many {
                longest_waiting(open.networks.get(&network).into_iter().flat_map(HashMap::values), now)
            } else {
                let victim = longest_waiting(open.of_the_largest(), now);
                victim.or_else(|| longest_waiting(open.networks.values().flat_map(HashMap::values), now))
            };
            let victim = victim?;
            victim.close();
            open.remove(victim.network, victim.number);
            self.displaced.fetch_add(1, Ordering::Relaxed);
        }
        let number = open.next;
        open.next = open.next.wrapping_add(1);
        let connection = Arc::new(Connection::new(network, number, now));
        open.networks.entry(network).or_default().insert(number, connection.clone());
        open.count = open.count.saturating_add(1);
        Some(Admitted { connections: self.clone(), connection })
    }

    pub(crate) fn count_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Closes the connections that exceed their limits.
    fn sweep(&self, now: Instant) {
        let mut open = self.open();
        let is_over = |connection: &&Arc<Connection>| {
            let (phase, since) = connection.phase();
            now.saturating_duration_since(since) >= self.times.limit(phase)
        };
        let over: Vec<_> = open.networks.values().flat_map(HashMap::values).filter(is_over).cloned().collect();
        for connection in over {
            connection.close();
            open.remove(connection.network, connection.number);
        }
    }

    /// Enforces the limits until the last other reference is dropped.
    pub async fn keep_bounded(self: Arc<Self>) {
        let this = Arc::downgrade(&self);
        drop(self);
        let mut turn = tokio::time::interval(SWEEP_EVERY);
        turn.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut reported: Option<Instant> = None;
        loop {
            turn.tick().await;
            let Some(this) = this.upgrade() else { return };
            let now = Instant::now();
            this.sweep(now);
            if reported.is_none_or(|reported| now.saturating_duration_since(reported) >= REPORT_EVERY) && this.report()
            {
                reported = Some(now);
            }
        }
    }

    /// Logs a shortage of connections. Returns whether there was one.
    fn report(&self) -> bool {
        let (refused, displaced) = (self.refused.swap(0, Ordering::Relaxed), self.displaced.swap(0, Ordering::Relaxed));
        let were_short = refused > 0 || displaced > 0;
        if were_short {
            let max = self.max;
            let hint = "more open files (ulimit -n) or MAX_CONNECTIONS allow more";
            tracing::warn!(max, displaced, refused, hint, "connections were short: the longest waiting gave way");
        }
        were_short
    }
}

/// The connection that gives way: first one that has kept the service waiting for a while, then an idle one, then any
/// other; the oldest of each. `None` if every request is being processed.
fn longest_waiting<'c>(
    connections: impl Iterator<Item = &'c Arc<Connection>>,
    now: Instant,
) -> Option<Arc<Connection>> {
    let rank = |connection: &Arc<Connection>| {
        let (phase, since) = connection.phase();
        let age = now.saturating_duration_since(since);
        let class = match phase {
            Phase::Working => return None,
            Phase::Idle => 1,
            _ if age >= PATIENCE => 2,
            _ => 0,
        };
        Some((class, age))
    };
    let ranked = connections.filter_map(|connection| Some((rank(connection)?, connection)));
    ranked.max_by_key(|(rank, _)| *rank).map(|(_, connection)| connection.clone())
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
