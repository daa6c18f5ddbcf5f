//! Good deliveries while strangers hold 300 connections and leave something undone on each. The service has fewer places
//! than that, so it has to take some back.

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

/// Hostile connections of a kind.
pub const STRANGERS: usize = 300;
/// Places that the service has for connections.
const PLACES: &str = "256";
/// Good deliveries beside each kind.
pub const DELIVERIES: u64 = 102;
/// Deliveries at a time, each on a connection of its own.
const AT_ONCE: usize = 8;
/// How long Stripe may wait for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long strangers have to take their places.
const SETTLE: Duration = Duration::from_millis(1_500);
/// The pause between the bytes of a stranger who trickles, and before one who was sent away comes back.
const TRICKLE: Duration = Duration::from_millis(200);
/// Large even when it is compressed.
const LARGE_FILE: &str = "/docs/swagger-ui-bundle.js";

/// What good deliveries are called, beside a kind or beside nobody.
pub fn name(kind: Option<Kind>) -> String {
    kind.map_or_else(
        || "deliveries, each on a new connection".to_owned(),
        |kind| format!("the same beside {STRANGERS} connections {}", kind.name()),
    )
}

/// What the figure of the deliveries that were answered with 200 is called.
pub fn figure(kind: Kind) -> String {
    format!("good deliveries of {DELIVERIES} beside {STRANGERS} connections {}", kind.name())
}

/// What a stranger leaves undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A chunked body that never ends, to a path that does not exist.
    EndlessBody,
    /// The answers to requests for a large file are not read.
    ReadsNothing,
    /// Half a delivery with a well-formed signature that is wrong.
    HalfDelivery,
    /// A head that comes byte by byte.
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

    /// What is sent at once, and what is sent again and again after that.
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

/// A service of its own with few places, on a database of its own.
///
/// # Errors
/// When the books are wrong, or a part fails.
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

/// One stranger. Sent away, it comes back.
async fn come_again(kind: Kind, address: SocketAddr) {
    let (first, more) = kind.bytes();
    loop {
        // That it ends is what the service should do.
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
            // Only whether it is still there can be asked without reading.
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

/// Good deliveries, each on a connection of its own as from another of Stripe's machines; gives how many were answered
/// with 200 in time.
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
    // One that was answered too late may have been applied all the same.
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
