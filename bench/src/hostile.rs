//! Valid deliveries while hostile clients hold 300 connections, each with an unfinished request. The service has fewer
//! connection slots, so it must close some of them.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::clock::wall_clock_ms;
use crate::event::{Mix, deliveries, delivery};
use crate::failure::Failure;
use crate::http::Client;
use crate::latency::{Latencies, nanoseconds};
use crate::load::{Outcome, Request};
use crate::purchase::{Buyers, HOT_ACCOUNT};
use crate::results::{Results, Sample};
use crate::rounds::say;
use crate::service::Program;
use crate::target::Target;

/// Hostile connections of each kind.
pub const STRANGERS: usize = 300;
/// The service's connection limit.
const PLACES: &str = "256";
/// Valid deliveries sent for each kind.
pub const DELIVERIES: u64 = 102;
/// Concurrent deliveries, each on its own connection.
const AT_ONCE: usize = 8;
/// How long a delivery waits for its answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the hostile clients get to fill the slots.
const SETTLE: Duration = Duration::from_millis(1_500);
/// The pause between the bytes of a slow client, and before a closed one reconnects.
const TRICKLE: Duration = Duration::from_millis(200);
/// A file that is large even when compressed.
const LARGE_FILE: &str = "/docs/swagger-ui-bundle.js";

/// The name of the series of valid deliveries, with or without hostile connections.
pub fn name(kind: Option<Kind>) -> String {
    kind.map_or_else(
        || "deliveries, each on a new connection".to_owned(),
        |kind| format!("the same beside {STRANGERS} connections {}", kind.name()),
    )
}

/// The name of the figure that counts deliveries answered with 200.
pub fn figure(kind: Kind) -> String {
    format!("good deliveries of {DELIVERIES} beside {STRANGERS} connections {}", kind.name())
}

/// What a hostile connection does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Sends an endless chunked body to a path that does not exist.
    EndlessBody,
    /// Requests a large file and does not read the responses.
    ReadsNothing,
    /// Sends half a delivery with a well-formed but wrong signature.
    HalfDelivery,
    /// Sends the request head byte by byte.
    SlowHead,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::EndlessBody, Self::ReadsNothing, Self::HalfDelivery, Self::SlowHead];

    fn name(self) -> &'static str {
        match self {
            Self::EndlessBody => "with a body that never ends",
            Self::ReadsNothing => "that read no answer",
            Self::HalfDelivery => "with half a delivery, wrongly signed",
            Self::SlowHead => "with a slow head",
        }
    }

    /// The bytes sent at once, and those sent repeatedly after that.
    fn bytes(self) -> (Vec<u8>, &'static [u8]) {
        match self {
            Self::EndlessBody => (
                b"POST /nowhere HTTP/1.1\r\nhost: topup\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n".to_vec(),
                b"5\r\nhello\r\n",
            ),
            Self::ReadsNothing => {
                (format!("GET {LARGE_FILE} HTTP/1.1\r\nhost: topup\r\n\r\n").repeat(8).into_bytes(), b"")
            }
            Self::HalfDelivery => {
                let body = " ".repeat(40_000);
                let whole = delivery(&body, "whsec_of_a_stranger_0123456789", wall_clock_ms() / 1_000).bytes;
                (whole.get(..whole.len().saturating_sub(10_000)).unwrap_or_default().to_vec(), b"")
            }
            Self::SlowHead => (b"GET /credits HTTP/1.1\r\nhost: to".to_vec(), b"p"),
        }
    }
}

/// Runs against a separate service with few connection slots, on its own database.
///
/// # Errors
/// If the books are wrong, or a step fails.
pub async fn run(
    program: &Program,
    database: &'static str,
    url: String,
    rounds: u32,
    results: &mut Results,
) -> Result<(), Failure> {
    let mut program = program.clone();
    program.settings.push(("MAX_CONNECTIONS", PLACES.to_owned()));
    let mut target = Target::start(&program, database, url).await?;
    target.warm_up().await?;
    for round in 1..=rounds {
        for kind in std::iter::once(None).chain(Kind::ALL.map(Some)) {
            let name = name(kind);
            say(&format!("round {round} of {rounds}: {database}, {name}"));
            let strangers = strangers(kind, target.service.address).await;
            let (outcome, good) = deliver(&mut target).await?;
            drop(strangers);
            if let Some(kind) = kind {
                results.add_figure(&figure(kind), database, "deliveries", good);
            }
            results.add(&name, database, AT_ONCE, Sample::from(&outcome));
        }
    }
    let peak = target.service.memory()?.peak_kib;
    results.add_figure("memory beside hostile connections, at most", database, "KiB", peak);
    Ok(())
}

async fn strangers(kind: Option<Kind>, address: SocketAddr) -> JoinSet<()> {
    let mut strangers = JoinSet::new();
    if let Some(kind) = kind {
        for _ in 0..STRANGERS {
            strangers.spawn(come_again(kind, address));
        }
        sleep(SETTLE).await;
    }
    strangers
}

/// One hostile client. It reconnects whenever it is closed.
async fn come_again(kind: Kind, address: SocketAddr) {
    let (first, more) = kind.bytes();
    loop {
        // An error is expected: the service should close this connection.
        hold(address, &first, more, kind != Kind::ReadsNothing).await.ok();
        sleep(TRICKLE).await;
    }
}

async fn hold(address: SocketAddr, first: &[u8], more: &[u8], reads: bool) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    stream.write_all(first).await?;
    let mut received = [0_u8; 1_024];
    loop {
        if !reads {
            // Without reading, a closed connection is noticed only by writing to it.
            sleep(TRICKLE).await;
            if stream.take_error()?.is_some() || stream.write_all(b"\r\n").await.is_err() {
                return Ok(());
            }
            continue;
        }
        match timeout(TRICKLE, stream.read(&mut received)).await {
            Ok(Ok(0)) => return Ok(()),
            Ok(read) => drop(read?),
            Err(_) => stream.write_all(more).await?,
        }
    }
}

/// Sends valid deliveries, each on its own connection, as from different Stripe machines. Returns how many were
/// answered with 200 in time.
async fn deliver(target: &mut Target) -> Result<(Outcome, u64), Failure> {
    let (first, now_ms) = (target.reserve(DELIVERIES), wall_clock_ms());
    target.books.seed_open_topups(first, DELIVERIES, Buyers::One, now_ms).await?;
    let requests = deliveries(Mix::OneAccount, first, DELIVERIES, now_ms / 1_000);
    let (address, start) = (target.service.address, Instant::now());
    let requests = std::sync::Arc::new(tokio::sync::Mutex::new(requests.into_iter()));
    let mut senders = JoinSet::new();
    for _ in 0..AT_ONCE {
        let requests = requests.clone();
        senders.spawn(async move {
            let mut times = Vec::new();
            loop {
                let Some(request) = requests.lock().await.next() else { break times };
                let since = Instant::now();
                if matches!(timeout(PATIENCE, exchange(address, &request)).await, Ok(Ok(200))) {
                    times.push(nanoseconds(since.elapsed()));
                }
            }
        });
    }
    let times = senders.join_all().await.concat();
    let elapsed = start.elapsed();
    let good = u64::try_from(times.len())?;
    // A delivery answered too late may have been applied.
    let credited = target.books.paid_of(first, DELIVERIES).await?;
    if credited < good {
        return Err(format!("{good} deliveries for {HOT_ACCOUNT} were answered, {credited} were applied").into());
    }
    target.check_paid(credited).await?;
    Ok((Outcome { sent: times.len(), elapsed, latencies: Latencies::new(times)? }, good))
}

async fn exchange(address: SocketAddr, request: &Request) -> std::io::Result<u16> {
    Client::connect(address).await?.exchange(&request.bytes).await
}
