//! Errors of calls to a provider.

/// Why a call to a provider failed. It says nothing about earlier calls of the same request; see
/// [`crate::domain::attempt`]. The texts are for the log, never for the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The provider understood the request and refused: nothing was done, and a retry would be refused again.
    #[error("the payment provider refused: {0}")]
    Refused(ProviderFailure),
    /// The charge is below the minimum for the account's settlement currency. Final.
    #[error("the payment provider finds the amount too small: {0}")]
    AmountTooSmall(ProviderFailure),
    /// The provider failed with a 5xx: it may have done the work, or may do it later. Stripe replays this answer under
    /// the same idempotency key.
    #[error("the payment provider failed: {0}")]
    Failed(ProviderFailure),
    /// The provider cannot be reached, or the answer is not the provider's: it may have done the work.
    #[error("the payment provider cannot be reached: {0}")]
    Unreachable(String),
    /// Too many requests, or an object is locked: this call did nothing. Or an earlier call with the key is still
    /// running (`idempotency_key_in_use`).
    #[error("the payment provider wants us to wait: {0}")]
    Limited(ProviderFailure),
    /// No answer in time: the provider may have done the work.
    #[error("the payment provider did not answer in time")]
    TimedOut,
    /// The requested object does not exist at the provider.
    #[error("the payment provider does not know it: {0}")]
    Unknown(ProviderFailure),
    /// The provider does not support this operation.
    #[error("the payment provider is not able {0}")]
    Unsupported(&'static str),
}

impl ProviderError {
    /// Whether the API key is not accepted at all.
    #[must_use]
    pub const fn is_unknown_key(&self) -> bool {
        matches!(self, Self::Refused(ProviderFailure { status: 401, .. }))
    }

    /// Whether the API key lacks the permission: a retry fails until the operator changes the key.
    #[must_use]
    pub const fn is_missing_permission(&self) -> bool {
        matches!(self, Self::Refused(ProviderFailure { status: 403, .. }))
    }

    /// The missing permission by the provider's name, if the provider says it.
    #[must_use]
    pub fn missing_permission(&self) -> Option<&str> {
        let Self::Refused(ProviderFailure { status: 403, permission, .. }) = self else { return None };
        permission.as_deref()
    }
}

/// The provider's error, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderFailure {
    /// The HTTP status.
    pub status: u16,
    /// The error code; for Stripe the `code`, or the `type` if there is none.
    pub code: String,
    /// The error message.
    pub message: String,
    /// The permission that the API key lacks, by the provider's name, if the provider says it.
    pub permission: Option<String>,
    /// The provider's request id, which identifies the call in its dashboard and for its support.
    pub request_id: Option<String>,
}

impl std::fmt::Display for ProviderFailure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let request = self.request_id.as_deref().unwrap_or("unknown");
        write!(formatter, "{} {}: {} (request {request})", self.status, self.code, self.message)
    }
}
