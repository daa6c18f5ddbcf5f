//! Generates load on the service from one thread: either as fast as the connections allow, or at predetermined times
//! whether or not the service keeps up.
//!
//! Requests are sent in order and at most once each (unless `repeated` is set), so a run always sends a prefix of its
//! list.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::failure::Failure;
use crate::http::{Client, find};
use crate::latency::{Latencies, nanoseconds, per_second};

/// A request, ready to be sent.
pub struct Request {
    pub bytes: Box<[u8]>,
    /// The expected status; any other ends the run with an error.
    pub expected: u16,
}

/// When requests are sent.
pub enum Pace {
    /// Closed loop: each connection sends its next request as soon as the previous one is answered.
    Closed,
    /// Open loop: requests are due at these times after the start, in order. Latency counts from the due time, even if
    /// no connection was free.
    Open(Vec<Duration>),
}

/// What happens after a request was answered with the expected status.
pub enum Then {
    /// Nothing: the connection goes on with its next request.
    Nothing,
    /// The body must pass this check.
    Check(fn(&[u8]) -> bool),
    /// A second request follows on the same connection. The two count as one, and their latency is that of both.
    FollowUp(FollowUp),
}

/// A request whose path contains an id that only the answer before it tells.
pub struct FollowUp {
    pub before_id: Box<[u8]>,
    pub after_id: Box<[u8]>,
    pub expected: u16,
}

impl FollowUp {
    /// The request for the object in this body, whose first `id` counts.
    fn request(&self, body: &[u8]) -> Option<Vec<u8>> {
        const START: &[u8] = b"\"id\":\"";
        let rest = body.get(find(body, START)?.checked_add(START.len())?..)?;
        let id = rest.get(..find(rest, b"\"")?)?;
        Some([&self.before_id, id, &self.after_id].concat())
    }
}

/// A load to run.
pub struct Load {
    pub address: SocketAddr,
    pub requests: Vec<Request>,
    /// Whether to restart with the first request after the last one; otherwise the run ends.
    pub repeated: bool,
    pub connections: usize,
    pub duration: Duration,
    pub pace: Pace,
    pub then: Then,
}

impl Load {
    /// Each request at most once, as fast as the connections allow.
    pub fn closed(address: SocketAddr, requests: Vec<Request>, connections: usize, duration: Duration) -> Self {
        let (pace, then) = (Pace::Closed, Then::Nothing);
        Self { address, requests, repeated: false, connections, duration, pace, then }
    }
}

/// The result of a run.
pub struct Outcome {
    /// The number of requests that were sent and answered as expected.
    pub sent: usize,
    pub elapsed: Duration,
    pub latencies: Latencies,
}

impl Outcome {
    pub fn per_second(&self) -> u64 {
        per_second(self.latencies.count(), self.elapsed)
    }
}

struct Shared {
    load: Load,
    next: AtomicUsize,
    due: Semaphore,
}

/// Runs a load on its own thread.
///
/// # Errors
/// If a connection fails or a response has an unexpected status.
pub async fn run(load: Load) -> Result<Outcome, Failure> {
    tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(run_here(load))
    })
    .await?
}

async fn run_here(load: Load) -> Result<Outcome, Failure> {
    let mut clients = Vec::new();
    for _ in 0..load.connections {
        clients.push(Client::connect(load.address).await?);
    }
    let shared = Arc::new(Shared { load, next: AtomicUsize::new(0), due: Semaphore::new(0) });
    let start = Instant::now();
    let pacer = std::thread::spawn({
        let shared = shared.clone();
        move || shared.release_when_due(start)
    });
    let mut workers = JoinSet::new();
    for client in clients {
        workers.spawn(work(client, shared.clone(), start));
    }
    let mut times = Vec::new();
    while let Some(result) = workers.join_next().await {
        times.extend(result??);
    }
    let elapsed = start.elapsed();
    pacer.join().map_err(|_| "the pacer failed")?;
    Ok(Outcome { sent: times.len(), elapsed, latencies: Latencies::new(times)? })
}

impl Shared {
    /// On a separate thread, because the runtime's timers have a resolution of a millisecond.
    fn release_when_due(&self, start: Instant) {
        let Pace::Open(moments) = &self.load.pace else { return };
        for moment in moments {
            let wait = moment.saturating_sub(start.elapsed());
            if !wait.is_zero() {
                std::thread::sleep(wait);
            }
            self.due.add_permits(1);
        }
        self.due.close();
    }

    /// The next request and the time from which its latency counts; `None` at the end.
    async fn next(&self, start: Instant) -> Option<(usize, Instant)> {
        match &self.load.pace {
            Pace::Closed => {
                let now = Instant::now();
                (now.duration_since(start) < self.load.duration).then_some(())?;
                Some((self.next.fetch_add(1, Ordering::Relaxed), now))
            }
            Pace::Open(moments) => {
                let permit = self.due.acquire().await;
                permit.map(tokio::sync::SemaphorePermit::forget).ok();
                let index = self.next.fetch_add(1, Ordering::Relaxed);
                let due = moments.get(index)?;
                Some((index, start.checked_add(*due)?))
            }
        }
    }
}

async fn work(mut client: Client, shared: Arc<Shared>, start: Instant) -> Result<Vec<u64>, Failure> {
    let mut times = Vec::with_capacity(16 * 1024);
    while let Some((index, since)) = shared.next(start).await {
        let requests = &shared.load.requests;
        let place = if shared.load.repeated { index.checked_rem(requests.len()).unwrap_or(0) } else { index };
        let Some(request) = requests.get(place) else { break };
        exchange(&mut client, &request.bytes, request.expected).await?;
        match &shared.load.then {
            Then::Nothing => {}
            Then::Check(is_right) if is_right(client.body()) => {}
            Then::Check(_) => return Err(format!("answered {}", String::from_utf8_lossy(client.body())).into()),
            Then::FollowUp(follow_up) => {
                let request = follow_up.request(client.body()).ok_or("an answer without an id")?;
                exchange(&mut client, &request, follow_up.expected).await?;
            }
        }
        times.push(nanoseconds(since.elapsed()));
    }
    Ok(times)
}

async fn exchange(client: &mut Client, request: &[u8], expected: u16) -> Result<(), Failure> {
    let status = client.exchange(request).await?;
    if status == expected {
        return Ok(());
    }
    Err(format!("answered {status} instead of {expected}: {}", String::from_utf8_lossy(client.body())).into())
}

/// `count` random times within the duration, as independent customers would arrive. The same seed gives the same times.
pub fn moments(count: usize, within: Duration, seed: u64) -> Vec<Duration> {
    let mut state = seed | 1;
    let mut moments: Vec<Duration> = (0..count)
        .map(|_| {
            // Marsaglia's xorshift: uniform enough for this.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            Duration::from_nanos(state.checked_rem(nanoseconds(within)).unwrap_or_default())
        })
        .collect();
    moments.sort_unstable();
    moments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_follow_up_is_for_the_object_of_the_answer() {
        let follow_up = FollowUp {
            before_id: b"POST /credits/holds/".as_slice().into(),
            after_id: b"/capture HTTP/1.1".as_slice().into(),
            expected: 200,
        };
        let body = br#"{"id":"hold_7","spendId":null,"balance":{"accountId":"account_1"}}"#;
        assert_eq!(follow_up.request(body).unwrap(), b"POST /credits/holds/hold_7/capture HTTP/1.1");
        assert!(follow_up.request(b"{}").is_none());
    }

    #[test]
    fn moments_are_in_order_within_the_time_and_spread_over_it() {
        let within = Duration::from_secs(2);
        let moments = moments(10_000, within, 7);
        assert!(moments.is_sorted());
        assert!(moments.iter().all(|moment| *moment < within));
        for tenth in 0..10_u32 {
            let (from, to) = (within * tenth / 10, within * (tenth + 1) / 10);
            let inside = moments.iter().filter(|moment| (from..to).contains(*moment)).count();
            assert!((800..1_200).contains(&inside), "{inside} of 10,000 in tenth {tenth}");
        }
    }
}
