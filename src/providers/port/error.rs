//! What a call to a provider comes to when it does not succeed.

/// Why a call to a provider did not succeed. It says nothing about earlier calls of the same request; see
/// [`crate::domain::attempt`]. The texts are for the log, never for the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The provider understood and refused: this call did nothing, and the same request would be refused again.
    #[error("the payment provider refused: {0}")]
    Refused(ProviderFailure),
    /// The provider says that the charge is below what the account's settlement currency needs: final.
    #[error("the payment provider finds the amount too small: {0}")]
    AmountTooSmall(ProviderFailure),
    /// The provider failed with a 5xx: unknown whether anything was done, or will be done later. Stripe replays this answer under
    /// the same idempotency key.
    #[error("the payment provider failed: {0}")]
    Failed(ProviderFailure),
    /// The provider is not reachable, or the answer is not the provider's: unknown whether anything was done.
    #[error("the payment provider cannot be reached: {0}")]
    Unreachable(String),
    /// Too many requests, or something is locked: this call did nothing. Or an earlier call with the key is still running
    /// (`idempotency_key_in_use`).
    #[error("the payment provider wants us to wait: {0}")]
    Limited(ProviderFailure),
    /// No answer in time: unknown whether anything was done.
    #[error("the payment provider did not answer in time")]
    TimedOut,
    /// What the provider was asked about does not exist there.
    #[error("the payment provider does not know it: {0}")]
    Unknown(ProviderFailure),
    /// The provider has no such ability.
    #[error("the payment provider is not able {0}")]
    Unsupported(&'static str),
}

impl ProviderError {
    /// Whether the key is not accepted at all.
    #[must_use]
    pub const fn is_unknown_key(&self) -> bool {
        matches!(self, Self::Refused(ProviderFailure { status: 401, .. }))
    }

    /// Whether the key is accepted and may not do this: asking again does not help until the operator changes the key.
    #[must_use]
    pub const fn is_missing_permission(&self) -> bool {
        matches!(self, Self::Refused(ProviderFailure { status: 403, .. }))
    }

    /// The permission that would allow it, by Stripe's name (`rak_charge_read`), if Stripe's message has it.
    #[must_use]
    pub fn missing_permission(&self) -> Option<&str> {
        let Self::Refused(ProviderFailure { status: 403, message, .. }) = self else { return None };
        let rest = message.get(message.find("'rak_")?.saturating_add(1)..)?;
        rest.split('\'').next()
    }
}

/// What the provider said about a failure, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderFailure {
    /// The HTTP status.
    pub status: u16,
    /// Its code; of Stripe the `code`, or the `type` when there is none.
    pub code: String,
    /// Its message.
    pub message: String,
    /// Its request id, by which its support and its dashboard find the call.
    pub request_id: Option<String>,
}

impl std::fmt::Display for ProviderFailure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let request = self.request_id.as_deref().unwrap_or("unknown");
        write!(formatter, "{} {}: {} (request {request})", self.status, self.code, self.message)
    }
}
