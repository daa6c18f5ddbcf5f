//! What the service needs from the machine it runs on, as contracts: the time, and randomness.

/// The time. Nothing in this crate asks the operating system for it in another way.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970, UTC.
    fn now_ms(&self) -> i64;
}

/// Where ids and secrets come from.
pub trait IdGenerator: Send + Sync {
    /// 128 bits that nobody else has. They need not be secret.
    fn id_bits(&self) -> u128;

    /// 256 bits that nobody can guess.
    ///
    /// # Errors
    /// When the operating system has no randomness to give.
    fn secret_bytes(&self) -> std::io::Result<[u8; 32]>;
}
