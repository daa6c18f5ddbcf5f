//! One connection: which phase it is in, since when, and how it is told to end.
//!
//! The stream sees bytes come and writes that block, the middleware sees requests begin and end, and reading a body says so.
//! Together they tell what the client is to do next. A connection is used by one thread at a time; others only look at its
//! phase and close it.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;
use std::time::Instant;

use futures_util::task::AtomicWaker;

/// What a connection waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The first byte of the first request.
    New,
    /// The rest of a request's head.
    Head,
    /// The body of a request that a handler reads.
    Body,
    /// The service.
    Working,
    /// The client, which does not take its answer.
    Sending,
    /// The rest of a body whose request is answered.
    Draining,
    /// The next request.
    Idle,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    since: Instant,
    /// The request has a chunked body that is not read to its end. The web server reads such a rest after the answer and
    /// keeps the connection as long as that takes.
    has_unread_chunks: bool,
}

/// A connection of a client.
#[derive(Debug)]
pub struct Connection {
    pub(crate) network: IpAddr,
    pub(crate) number: u64,
    state: Mutex<State>,
    is_closed: AtomicBool,
    waker: AtomicWaker,
}

impl Connection {
    pub(crate) fn new(network: IpAddr, number: u64, now: Instant) -> Self {
        let state = Mutex::new(State { phase: Phase::New, since: now, has_unread_chunks: false });
        Self { network, number, state, is_closed: AtomicBool::new(false), waker: AtomicWaker::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn phase(&self) -> (Phase, Instant) {
        let state = self.state();
        (state.phase, state.since)
    }

    /// Ends it: its task is woken and drops it.
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Whether it was told to end; if not, the task is woken when it is.
    pub(crate) fn poll_closed(&self, context: &Context<'_>) -> bool {
        self.waker.register(context.waker());
        self.is_closed.load(Ordering::Acquire)
    }

    /// Bytes came: of a new request, unless one is being read or worked on.
    pub(crate) fn bytes_came(&self, now: Instant) {
        let mut state = self.state();
        match state.phase {
            // The time of the first head counts from the connection.
            Phase::New => state.phase = Phase::Head,
            Phase::Idle => (state.phase, state.since) = (Phase::Head, now),
            _ => {}
        }
    }

    /// The client takes no more bytes at the moment.
    pub(crate) fn write_blocks(&self) {
        let mut state = self.state();
        if state.phase == Phase::Idle {
            // Since the answer, so that taking a little now and then gives no more time.
            state.phase = Phase::Sending;
        }
    }

    /// The client has taken bytes.
    pub(crate) fn write_goes_on(&self) {
        let mut state = self.state();
        if state.phase == Phase::Sending {
            state.phase = Phase::Idle;
        }
    }

    /// A handler begins to read the body.
    pub fn waits_for_body(&self, now: Instant) {
        let mut state = self.state();
        (state.phase, state.since) = (Phase::Body, now);
    }

    /// The body has been read to its end.
    pub fn body_came(&self) {
        let mut state = self.state();
        *state = State { phase: Phase::Working, since: Instant::now(), has_unread_chunks: false };
    }

    pub(crate) fn request_began(&self, has_chunks: bool, now: Instant) {
        *self.state() = State { phase: Phase::Working, since: now, has_unread_chunks: has_chunks };
    }

    pub(crate) fn answered(&self, now: Instant) {
        let mut state = self.state();
        state.phase = if state.has_unread_chunks { Phase::Draining } else { Phase::Idle };
        state.since = now;
    }
}

/// A request that is being worked on, until this is dropped.
pub struct Exchange(Option<Arc<Connection>>);

impl Exchange {
    /// A request began. Without a connection, as in tests of single handlers, there is nothing to bound.
    #[must_use]
    pub fn begin(connection: Option<Arc<Connection>>, has_chunked_body: bool) -> Self {
        if let Some(connection) = &connection {
            connection.request_began(has_chunked_body, Instant::now());
        }
        Self(connection)
    }

    /// Whether the answer comes before the end of the body, so that the connection cannot be used again.
    #[must_use]
    pub fn leaves_unread(&self) -> bool {
        self.0.as_ref().is_some_and(|connection| connection.state().has_unread_chunks)
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if let Some(connection) = &self.0 {
            connection.answered(Instant::now());
        }
    }
}
