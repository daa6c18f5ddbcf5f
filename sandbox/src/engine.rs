//! The model behind a lock, with its clock, its ids and its state file.
//!
//! Invariants: every change is made under the lock in one step. With a state file, an answer or a webhook is sent only
//! after the change behind it is saved. The lock is never held across an `await`.

use std::{
    collections::{HashSet, VecDeque},
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;
use serde_json::Value;
use tokio::{
    runtime::Handle,
    sync::{Notify, watch},
    time::{Duration, Instant},
};

use crate::{
    clock,
    config::RetryPolicy,
    delivery_mode::DeliveryMode,
    faults::Fault,
    model::{Cause, Context, State, ids::IdSource, limits},
    outage::Outage,
    permissions::Permissions,
    persist::StateFile,
    receivers::Receivers,
};

const MAX_RECORDS: usize = 10_000;

/// The state shared by requests, deliveries and pages.
pub(crate) struct Engine {
    core: Mutex<Core>,
    base_url: String,
    pub(crate) address: SocketAddr,
    pub(crate) secret_key: String,
    pub(crate) retry: RetryPolicy,
    pub(crate) redirect_wait: Duration,
    /// Locked during a write.
    state_file: Option<Arc<tokio::sync::Mutex<StateFile>>>,
    /// Runs the requests, so that a client that disconnects interrupts nothing.
    pub(crate) runtime: Handle,
    /// Wakes the delivery loop: there may be something to deliver.
    pub(crate) wake: Notify,
    /// Counts changes of any kind; waiters check their condition after each.
    changes: watch::Sender<u64>,
    /// The last version of the state that was saved.
    saved: watch::Sender<u64>,
    pub(crate) stopping: watch::Sender<bool>,
}

/// The data behind the lock.
pub(crate) struct Core {
    pub(crate) state: State,
    pub(crate) ids: IdSource,
    /// Counts changes of `state`.
    pub(crate) version: u64,
    pub(crate) in_progress: HashSet<String>,
    pub(crate) faults: Vec<Fault>,
    /// The number of requests held now, and how often they were released.
    pub(crate) held: usize,
    pub(crate) releases: u64,
    pub(crate) mode: DeliveryMode,
    pub(crate) outage: Option<Outage>,
    pub(crate) permissions: Permissions,
    pub(crate) running: HashSet<u64>,
    pub(crate) receivers: Receivers,
    pub(crate) requests: VecDeque<RecordedRequest>,
    pub(crate) next_request: u64,
    pub(crate) attempts: VecDeque<Attempt>,
    /// How many older attempts were forgotten.
    pub(crate) attempts_forgotten: u64,
}

/// A request as `GET /_sandbox/requests` shows it. `status` is null while it runs and when it got no answer.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RecordedRequest {
    pub(crate) number: u64,
    pub(crate) request_id: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) params: Value,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) stripe_version: String,
    pub(crate) replayed: bool,
    pub(crate) status: Option<u16>,
}

/// A webhook attempt as `GET /_sandbox/deliveries` shows it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Attempt {
    pub(crate) event: String,
    pub(crate) r#type: String,
    pub(crate) endpoint: String,
    pub(crate) url: String,
    #[serde(rename = "attempt")]
    pub(crate) number: u32,
    pub(crate) at_ms: i64,
    pub(crate) status: Option<u16>,
    pub(crate) error: Option<String>,
    pub(crate) body: String,
}

/// The parts an engine is built from.
pub(crate) struct Setup {
    pub(crate) ids: IdSource,
    pub(crate) state: State,
    pub(crate) address: SocketAddr,
    pub(crate) secret_key: String,
    pub(crate) retry: RetryPolicy,
    pub(crate) redirect_wait: Duration,
    pub(crate) state_file: Option<PathBuf>,
}

impl Engine {
    pub(crate) fn new(setup: Setup) -> Self {
        Self {
            core: Mutex::new(Core {
                state: setup.state,
                ids: setup.ids,
                version: 0,
                in_progress: HashSet::new(),
                faults: Vec::new(),
                held: 0,
                releases: 0,
                mode: DeliveryMode::default(),
                outage: None,
                permissions: Permissions::default(),
                running: HashSet::new(),
                receivers: Receivers::default(),
                requests: VecDeque::new(),
                next_request: 1,
                attempts: VecDeque::new(),
                attempts_forgotten: 0,
            }),
            base_url: format!("http://{}", setup.address),
            address: setup.address,
            secret_key: setup.secret_key,
            retry: setup.retry,
            redirect_wait: setup.redirect_wait,
            state_file: setup.state_file.map(|path| Arc::new(tokio::sync::Mutex::new(StateFile::new(path)))),
            runtime: Handle::current(),
            wake: Notify::new(),
            changes: watch::Sender::new(0),
            saved: watch::Sender::new(0),
            stopping: watch::Sender::new(false),
        }
    }

    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Accesses the data behind the lock. For reads, and for changes outside the state.
    pub(crate) fn with<R>(&self, look: impl FnOnce(&mut Core) -> R) -> R {
        look(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sandbox's time: the machine's time plus the offset of its clock.
    pub(crate) fn now_ms(&self) -> i64 {
        self.with(|core| core.now_ms())
    }

    /// Runs a command. Returns its result and the version of the state after it.
    pub(crate) fn run<R>(
        &self,
        cause: Option<Cause>,
        api_version: &str,
        command: impl FnOnce(&mut State, &mut Context<'_>) -> R,
    ) -> (R, u64) {
        let done = {
            let mut core = self.lock();
            let core = &mut *core;
            let now_ms = core.now_ms();
            let mut context = Context { now_ms, ids: &mut core.ids, base_url: &self.base_url, cause, api_version };
            core.state.tick(&mut context);
            limits::trim(&mut core.state, limits::LIMITS);
            let result = command(&mut core.state, &mut context);
            core.state.follow(&mut context);
            core.version = core.version.saturating_add(1);
            (result, core.version)
        };
        self.changed();
        done
    }

    /// Reads the state, after everything that is due now has been done.
    pub(crate) fn read<R>(&self, api_version: &str, look: impl FnOnce(&mut State, &mut Context<'_>) -> R) -> R {
        let (result, ticked) = {
            let mut core = self.lock();
            let core = &mut *core;
            let now_ms = core.now_ms();
            let mut context =
                Context { now_ms, ids: &mut core.ids, base_url: &self.base_url, cause: None, api_version };
            let ticked = core.state.tick(&mut context);
            if ticked {
                core.version = core.version.saturating_add(1);
            }
            (look(&mut core.state, &mut context), ticked)
        };
        if ticked {
            self.changed();
        }
        result
    }

    /// Wakes all waiters.
    pub(crate) fn changed(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
        self.wake.notify_one();
    }

    /// How many changes there were so far.
    pub(crate) fn changes(&self) -> u64 {
        *self.changes.borrow()
    }

    /// Waits until the number of changes is another than `seen`, `limit` passes, or the sandbox stops. Returns the
    /// number.
    pub(crate) async fn change_after(&self, seen: u64, limit: Duration) -> u64 {
        let mut changes = self.changes.subscribe();
        let mut stopping = self.stopping.subscribe();
        tokio::select! {
            _ = changes.wait_for(|count| *count != seen) => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
            () = tokio::time::sleep(limit) => {}
        }
        self.changes()
    }

    /// Waits until `is_so` holds. Returns false if `limit` passes or the sandbox stops first.
    pub(crate) async fn wait_until(&self, limit: Duration, is_so: impl Fn(&mut Core) -> bool) -> bool {
        let deadline = Instant::now() + limit;
        let mut changes = self.changes.subscribe();
        let mut stopping = self.stopping.subscribe();
        loop {
            changes.mark_unchanged();
            if self.with(|core| is_so(core)) {
                return true;
            }
            tokio::select! {
                _ = changes.changed() => {}
                _ = stopping.wait_for(|stopping| *stopping) => return false,
                () = tokio::time::sleep_until(deadline) => return self.with(|core| is_so(core)),
            }
        }
    }

    /// Waits until this version of the state is saved. Returns at once without a state file.
    pub(crate) async fn saved(&self, version: u64) {
        if self.state_file.is_none() {
            return;
        }
        let mut saved = self.saved.subscribe();
        // An error means that the sandbox is gone, and its waiters with it.
        saved.wait_for(|saved| *saved >= version).await.ok();
    }

    /// Saves the state after every change; changes in quick succession share one write. Ends after the last write.
    pub(crate) async fn keep_saving(&self) {
        if self.state_file.is_none() {
            return;
        }
        let mut changes = self.changes.subscribe();
        let mut stopping = self.stopping.subscribe();
        loop {
            changes.mark_unchanged();
            self.save_now().await.ok();
            if *stopping.borrow() {
                return;
            }
            tokio::select! {
                _ = changes.changed() => {}
                _ = stopping.wait_for(|stopping| *stopping) => {}
            }
        }
    }

    /// Saves the changes since the last write, if there are any.
    ///
    /// # Errors
    /// If the write fails, which is logged here. The next write then saves the whole state.
    pub(crate) async fn save_now(&self) -> io::Result<()> {
        let Some(file) = &self.state_file else { return Ok(()) };
        let mut file = Arc::clone(file).lock_owned().await;
        let already = *self.saved.borrow();
        let (content, version) = {
            let mut core = self.lock();
            if core.version == already && already > 0 {
                return Ok(());
            }
            (file.take(&mut core.state), core.version)
        };
        let written = blocking(move || file.write(content?)).await;
        if let Err(error) = &written {
            tracing::error!(%error, "the state file could not be written; this state is lost at the next restart");
        }
        self.saved.send_replace(version);
        written
    }

    /// Saves the whole state into one file at shutdown.
    pub(crate) async fn save_at_the_end(&self) {
        let Some(file) = &self.state_file else { return };
        let mut file = Arc::clone(file).lock_owned().await;
        let content = self.with(|core| StateFile::take_all(&mut core.state));
        if let Err(error) = blocking(move || file.finish(content?)).await {
            tracing::error!(%error, "the state file could not be written; its journal stays beside it");
        }
    }
}

/// Runs blocking work on a thread for blocking tasks.
async fn blocking(work: impl FnOnce() -> io::Result<()> + Send + 'static) -> io::Result<()> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

impl Core {
    /// See [`Engine::now_ms`].
    pub(crate) fn now_ms(&self) -> i64 {
        clock::now_ms().saturating_add(self.state.clock_offset_ms)
    }

    pub(crate) fn record_attempt(&mut self, attempt: Attempt) {
        if self.attempts.len() >= MAX_RECORDS {
            self.attempts.pop_front();
            self.attempts_forgotten = self.attempts_forgotten.saturating_add(1);
        }
        self.attempts.push_back(attempt);
    }

    /// Records a request on arrival. Returns its number, under which its answer is recorded later.
    pub(crate) fn record_request(&mut self, mut request: RecordedRequest) -> u64 {
        let number = self.next_request;
        self.next_request = number.saturating_add(1);
        request.number = number;
        if self.requests.len() >= MAX_RECORDS {
            self.requests.pop_front();
        }
        self.requests.push_back(request);
        number
    }

    pub(crate) fn recorded(&mut self, number: u64) -> Option<&mut RecordedRequest> {
        self.requests.iter_mut().rev().find(|request| request.number == number)
    }
}
