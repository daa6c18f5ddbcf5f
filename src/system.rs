//! The real clock, real randomness and the limit of open files: the only file that asks the operating system for them.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::ports::{Clock, IdGenerator};

/// The most open files that the process asks for; for more connections, run more processes.
const MOST_FILES: u64 = 65_536;
/// The limit assumed where the system does not tell it.
#[cfg(not(unix))]
const USUAL_FILES: u64 = 1_024;

/// Raises this process's limit of open files as far as its administrator allows, up to 65,536. Returns the new limit.
/// Many systems start with 1,024, which 1,024 client connections alone would use up.
#[must_use]
pub fn raise_open_files() -> u64 {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        let current = limit.current.unwrap_or(u64::MAX);
        let wanted = limit.maximum.unwrap_or(u64::MAX).min(MOST_FILES);
        if current < wanted && setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), ..limit }).is_ok() {
            return wanted;
        }
        current.min(MOST_FILES)
    }
    #[cfg(not(unix))]
    USUAL_FILES
}

/// The operating system's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX).saturating_add(crate::checkpoints::clock_offset_ms())
    }
}

/// Ids are UUIDs of version 7, which are ordered by time and therefore cheap for indexes. Secrets come from the
/// operating system.
#[derive(Debug, Clone, Copy)]
pub struct SystemIds;

impl IdGenerator for SystemIds {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    fn id_bits(&self) -> u128 {
        uuid::Uuid::now_v7().as_u128()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    fn secret_bytes(&self) -> std::io::Result<[u8; 32]> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).map_err(std::io::Error::from)?;
        Ok(bytes)
    }
}
