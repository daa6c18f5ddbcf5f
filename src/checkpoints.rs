//! The places between two steps of a write, where a process can die.
//!
//! Tests stop a `topup` process at the n-th of them and kill it there, to see that nothing is lost and nothing is done
//! twice. Only debug builds have them: in a release build [`reach`] is nothing.
//!
//! With `TOPUP_PAUSE_AT_CHECKPOINT=n` the process prints `paused at checkpoint n: <name>` to standard error when it
//! comes to the n-th one after the first [`arm`], and goes on when a line arrives on its standard input. With
//! `TOPUP_CLOCK_OFFSET_MS=n` its clock is that far ahead, so that a lease of a process that was killed has ended.

#[cfg(debug_assertions)]
mod active {
    use std::io::Read;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    static ARMED: AtomicBool = AtomicBool::new(false);
    static REACHED: AtomicU64 = AtomicU64::new(0);

    fn pause_at() -> Option<u64> {
        static PAUSE_AT: OnceLock<Option<u64>> = OnceLock::new();
        *PAUSE_AT.get_or_init(|| std::env::var("TOPUP_PAUSE_AT_CHECKPOINT").ok()?.parse().ok())
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

    /// Comes to a place between two steps.
    pub async fn reach(name: &'static str) {
        let Some(wanted) = pause_at() else { return };
        if !ARMED.load(Ordering::SeqCst) {
            return;
        }
        let number = REACHED.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        if number == wanted {
            eprintln!("paused at checkpoint {number}: {name}");
            let wait = tokio::task::spawn_blocking(|| std::io::stdin().read(&mut [0_u8; 1]));
            // Whatever came on standard input, also its end, means: go on.
            drop(wait.await);
        }
    }
}

#[cfg(debug_assertions)]
pub use active::{arm, clock_offset_ms, reach};

/// How far the clock is ahead; nothing in a release build.
#[cfg(not(debug_assertions))]
#[must_use]
pub const fn clock_offset_ms() -> i64 {
    0
}

/// Starts to count; nothing in a release build.
#[cfg(not(debug_assertions))]
pub const fn arm() {}

/// Comes to a place between two steps; nothing in a release build.
#[cfg(not(debug_assertions))]
pub async fn reach(_name: &'static str) {}
