//! The real clock, the real randomness and the limit of open files: the only file that asks the operating system for them.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::ports::{Clock, IdGenerator};

/// The most files that the process asks for; more connections than that are for more processes.
const MOST_FILES: u64 = 65_536;
/// What is assumed where the system does not say.
#[cfg(not(unix))]
const USUAL_FILES: u64 = 1_024;

/// Allows this process as many open files as its administrator lets it have, up to 65,536; gives how many there may be now.
/// Many systems allow 1,024 at first, which is one connection each for 1,024 clients and nothing for anything else.
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

/// Ids of UUID version 7, which are in the order of time and so gentle to indexes; secrets from the operating system.
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
