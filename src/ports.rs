//! The service's contracts with its machine: time and randomness.

/// The clock. Nothing in this crate gets the time from the operating system in another way.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970, UTC.
    fn now_ms(&self) -> i64;
}

/// Generates ids and secrets.
pub trait IdGenerator: Send + Sync {
    /// 128 unique bits. They need not be secret.
    fn id_bits(&self) -> u128;

    /// 256 unguessable bits.
    ///
    /// # Errors
    /// When the operating system provides no randomness.
    fn secret_bytes(&self) -> std::io::Result<[u8; 32]>;
}
