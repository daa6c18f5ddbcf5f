//! The wall clock, for signatures and checkouts.

/// The wall-clock time in milliseconds since 1970.
pub fn wall_clock_ms() -> i64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "signatures and checkouts have the real time; nothing is replayed here"
    )]
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
