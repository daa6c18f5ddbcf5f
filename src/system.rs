//! The real clock and the real randomness: the only file that asks the operating system for either.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::ports::{Clock, IdGenerator};

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
