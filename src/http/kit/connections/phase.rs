//! One connection: its phase, since when, and how it is told to close.
//!
//! The stream reports incoming bytes and blocked writes, the middleware reports the start and end of requests, and
//! reading a body reports itself. Together they show what the client is expected to do next. Only one thread uses a
//! connection at a time; others only look at its phase and close it.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;
use std::time::Instant;

use futures_util::task::AtomicWaker;

/// What a connection is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The first byte of the first request.
    New,
    /// The rest of a request's head.
    Head,
    /// The body of a request that a handler reads.
    Body,
    /// The service's own work.
    Working,
    /// The client, which is not reading its answer.
    Sending,
    /// The rest of a body after the answer.
    Draining,
    /// The next request.
    Idle,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    since: Instant,
    /// The request has a chunked body that is not read to its end. The web server reads the rest after the answer and
    /// keeps the connection for as long as that takes.
    has_unread_chunks: bool,
}

/// A client's connection.
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

    /// Closes the connection: wakes its task, which drops it.
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Whether it was told to close; if not, wakes the task when it is.
    pub(crate) fn poll_closed(&self, context: &Context<'_>) -> bool {
        self.waker.register(context.waker());
        self.is_closed.load(Ordering::Acquire)
    }

    /// Records incoming bytes. They belong to a new request unless one is being read or processed.
    pub(crate) fn bytes_came(&self, now: Instant) {
        let mut state = self.state();
        match state.phase {
            // The time limit of the first head counts from the start of the connection.
            Phase::New => state.phase = Phase::Head,
            Phase::Idle => (state.phase, state.since) = (Phase::Head, now),
            _ => {}
        }
    }

    /// Records that the client accepts no more bytes at the moment.
    pub(crate) fn write_blocks(&self) {
        let mut state = self.state();
        if state.phase == Phase::Idle {
            // Keeps the time of the answer, so that reading a little now and then does not extend the limit.
            state.phase = Phase::Sending;
        }
    }

    /// Records that the client accepted bytes.
    pub(crate) fn write_goes_on(&self) {
        let mut state = self.state();
        if state.phase == Phase::Sending {
            state.phase = Phase::Idle;
        }
    }

    /// Records that a handler begins to read the body.
    pub fn waits_for_body(&self, now: Instant) {
        let mut state = self.state();
        (state.phase, state.since) = (Phase::Body, now);
    }

    /// Records that the body was read to its end.
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

/// A request that is being processed, until this is dropped.
pub struct Exchange(Option<Arc<Connection>>);

impl Exchange {
    /// Records that a request began. Without a connection, as in tests of single handlers, there is nothing to limit.
    #[must_use]
    pub fn begin(connection: Option<Arc<Connection>>, has_chunked_body: bool) -> Self {
        if let Some(connection) = &connection {
            connection.request_began(has_chunked_body, Instant::now());
        }
        Self(connection)
    }

    /// Whether the answer comes before the end of the body, so that the connection cannot be reused.
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
