//! The places between two steps of a write, where a process can die.
//!
//! The simulator sets a hook for its own thread ([`set_hook`]), at which it ends the process that it simulates, or lets
//! something else happen. No setting can do that: only code that is compiled in. Without a hook a place costs the look
//! at one thread-local.
//!
//! Tests also stop a `topup` process at the n-th place and kill it there, to see that nothing is lost and nothing is done
//! twice. Only debug builds have that.
//!
//! With `TOPUP_PAUSE_AT_CHECKPOINT=n` the process prints `paused at checkpoint n: <name>` to standard error when it
//! comes to the n-th one after the first [`arm`], and goes on when a line arrives on its standard input; `n,m` pauses at
//! both. With
//! `TOPUP_CLOCK_OFFSET_MS=n` its clock is that far ahead, so that a lease of a process that was killed has ended.

use std::cell::RefCell;

use futures_util::future::BoxFuture;

/// What a simulation makes of a place: nothing, or something that has to be waited for first.
pub type Hook = Box<dyn Fn(&'static str) -> Option<BoxFuture<'static, ()>>>;

thread_local! {
    static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
}

/// Sets what happens at the places that this thread comes to, or ends it.
pub fn set_hook(hook: Option<Hook>) {
    HOOK.with(|slot| drop(slot.replace(hook)));
}

/// Comes to a place between two steps.
pub async fn reach(name: &'static str) {
    let detour = HOOK.with(|slot| slot.borrow().as_ref().and_then(|hook| hook(name)));
    if let Some(detour) = detour {
        detour.await;
    }
    #[cfg(debug_assertions)]
    active::pause(name).await;
}

#[cfg(debug_assertions)]
mod active {
    use std::io::Read;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    static ARMED: AtomicBool = AtomicBool::new(false);
    static REACHED: AtomicU64 = AtomicU64::new(0);

    fn pause_at() -> &'static [u64] {
        static PAUSE_AT: OnceLock<Vec<u64>> = OnceLock::new();
        PAUSE_AT.get_or_init(|| {
            let wanted = std::env::var("TOPUP_PAUSE_AT_CHECKPOINT").unwrap_or_default();
            wanted.split(',').filter_map(|number| number.parse().ok()).collect()
        })
    }

    /// How far the clock is ahead, in milliseconds.
    pub fn clock_offset_ms() -> i64 {
        static OFFSET: OnceLock<i64> = OnceLock::new();
        let read = || std::env::var("TOPUP_CLOCK_OFFSET_MS").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
        *OFFSET.get_or_init(read)
    }

    /// Starts to count: what happens at start-up is not of interest.
    pub fn arm() {
        ARMED.store(true, Ordering::SeqCst);
    }

    /// Waits at the place that the environment names.
    pub async fn pause(name: &'static str) {
        if pause_at().is_empty() || !ARMED.load(Ordering::SeqCst) {
            return;
        }
        let number = REACHED.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        if pause_at().contains(&number) {
            eprintln!("paused at checkpoint {number}: {name}");
            let wait = tokio::task::spawn_blocking(|| std::io::stdin().read(&mut [0_u8; 1]));
            // Whatever came on standard input, also its end, means: go on.
            drop(wait.await);
        }
    }
}

#[cfg(debug_assertions)]
pub use active::{arm, clock_offset_ms};

/// How far the clock is ahead; nothing in a release build.
#[cfg(not(debug_assertions))]
#[must_use]
pub const fn clock_offset_ms() -> i64 {
    0
}

/// Starts to count; nothing in a release build.
#[cfg(not(debug_assertions))]
pub const fn arm() {}
