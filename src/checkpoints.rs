//! Checkpoints: points between two steps of a write at which a process can die.
//!
//! The simulator sets a hook for its own thread ([`set_hook`]), in which it ends the simulated process or runs
//! something else first. No setting can do that, only compiled code. Without a hook, a checkpoint costs one
//! thread-local look-up.
//!
//! Tests also stop a `topup` process at its n-th checkpoint and kill it there, to check that nothing is lost and
//! nothing is done twice. Only debug builds support this:
//!
//! With `TOPUP_PAUSE_AT_CHECKPOINT=n` the process prints `paused at checkpoint n: <name>` to standard error when it
//! reaches the n-th checkpoint after the first [`arm`], and continues when a line arrives on its standard input; `n,m`
//! pauses at both. With a text instead, it pauses at the first checkpoint whose name begins so. With
//! `TOPUP_CLOCK_OFFSET_MS=n` its clock is that far ahead, so that the lease of a killed process has expired.

use std::cell::RefCell;

use futures_util::future::BoxFuture;

/// A simulation's action at a checkpoint: `None`, or a future to wait for first.
pub type Hook = Box<dyn Fn(&'static str) -> Option<BoxFuture<'static, ()>>>;

thread_local! {
    static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
}

/// Sets the hook for the checkpoints of this thread, or removes it.
pub fn set_hook(hook: Option<Hook>) {
    HOOK.with(|slot| drop(slot.replace(hook)));
}

/// Reaches a checkpoint.
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

    /// Where to pause.
    enum Places {
        Nowhere,
        Numbers(Vec<u64>),
        /// Once, at a name that begins so.
        Name(String, AtomicBool),
    }

    impl Places {
        fn read() -> Self {
            let wanted = std::env::var("TOPUP_PAUSE_AT_CHECKPOINT").unwrap_or_default();
            let numbers: Result<Vec<u64>, _> = wanted.split(',').map(str::parse).collect();
            match numbers {
                _ if wanted.is_empty() => Self::Nowhere,
                Ok(numbers) => Self::Numbers(numbers),
                Err(_) => Self::Name(wanted, AtomicBool::new(false)),
            }
        }

        fn include(&self, number: u64, name: &str) -> bool {
            match self {
                Self::Nowhere => false,
                Self::Numbers(numbers) => numbers.contains(&number),
                Self::Name(beginning, has_paused) => {
                    name.starts_with(beginning.as_str()) && !has_paused.swap(true, Ordering::SeqCst)
                }
            }
        }
    }

    fn places() -> &'static Places {
        static PLACES: OnceLock<Places> = OnceLock::new();
        PLACES.get_or_init(Places::read)
    }

    /// How far the clock is ahead, in milliseconds.
    pub fn clock_offset_ms() -> i64 {
        static OFFSET: OnceLock<i64> = OnceLock::new();
        let read = || std::env::var("TOPUP_CLOCK_OFFSET_MS").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
        *OFFSET.get_or_init(read)
    }

    /// Starts counting, so that the checkpoints of the start-up are not counted.
    pub fn arm() {
        ARMED.store(true, Ordering::SeqCst);
    }

    /// Pauses at the checkpoints named in the environment.
    pub async fn pause(name: &'static str) {
        if matches!(places(), Places::Nowhere) || !ARMED.load(Ordering::SeqCst) {
            return;
        }
        let number = REACHED.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        if places().include(number, name) {
            eprintln!("paused at checkpoint {number}: {name}");
            let wait = tokio::task::spawn_blocking(|| std::io::stdin().read(&mut [0_u8; 1]));
            // Any input continues, including its end.
            drop(wait.await);
        }
    }
}

#[cfg(debug_assertions)]
pub use active::{arm, clock_offset_ms};

/// How far the clock is ahead; always 0 in a release build.
#[cfg(not(debug_assertions))]
#[must_use]
pub const fn clock_offset_ms() -> i64 {
    0
}

/// Starts counting; does nothing in a release build.
#[cfg(not(debug_assertions))]
pub const fn arm() {}
