//! The API's documentation, generated from the code: served at `/openapi.json`, browsable at `/docs`, checked in under
//! `openapi/`.

use utoipa::IntoResponses;

use crate::http::kit::problem::Problem;

/// Errors of every request that needs credentials.
#[derive(IntoResponses)]
pub enum CallerProblems {
    /// The request is invalid; `errors` lists the invalid fields, if any.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// The credentials are missing or invalid.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(Problem),
    /// The credentials are not valid for this account, or lack the scope for this request.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// Too many requests without valid credentials from this address; `Retry-After` says when to try again. This limit
    /// does not apply to requests with valid credentials.
    #[response(status = 429, content_type = "application/problem+json")]
    TooManyAttempts(Problem),
    /// Internal error. The log has the cause under the `x-request-id` of this response.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(Problem),
}

/// Errors of a request that needs no credentials.
#[derive(IntoResponses)]
pub enum PublicProblems {
    /// The request is invalid; `errors` lists the invalid fields, if any.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
}

/// Errors of a request that calls Stripe.
#[derive(IntoResponses)]
pub enum ProviderProblems {
    /// Stripe refused the request, for example because the Stripe key lacks a permission (`provider_refused`), or
    /// opened a checkout session that cannot be used (`provider_mismatch`, `provider_no_url`).
    #[response(status = 502, content_type = "application/problem+json")]
    Refused(Problem),
    /// Stripe is unavailable (`provider_unavailable`) or limits the rate of requests (`provider_rate_limited`), or
    /// tokens cannot be verified (`keys_unavailable`); `Retry-After` says when to try again.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
    /// Stripe did not answer in time (`provider_timeout`).
    #[response(status = 504, content_type = "application/problem+json")]
    TooSlow(Problem),
}

/// The resource does not exist or is hidden from the caller.
#[derive(IntoResponses)]
#[response(
    status = 404,
    content_type = "application/problem+json",
    description = "Not found, or not visible to the caller."
)]
#[expect(dead_code, reason = "documentation only")]
pub struct Problem404(Problem);

/// The idempotency key cannot be used now.
#[derive(IntoResponses)]
#[response(
    status = 409,
    content_type = "application/problem+json",
    description = "The first request with this key is still running (`idempotency_key_in_use`), or its checkout \
        session was paid or has expired (`session_ended`)."
)]
#[expect(dead_code, reason = "documentation only")]
pub struct Problem409(Problem);

/// The idempotency key was used with a different request.
#[derive(IntoResponses)]
#[response(
    status = 422,
    content_type = "application/problem+json",
    description = "The key was already used with a different request (`idempotency_key_reused`)."
)]
#[expect(dead_code, reason = "documentation only")]
pub struct Problem422(Problem);

/// The request arrived too slowly. The connection is closed without a response body.
#[derive(IntoResponses)]
#[response(status = 408, description = "The request did not arrive in time.")]
pub struct SlowRequest;

/// The service cannot handle the request at the moment.
#[derive(IntoResponses)]
#[response(
    status = 503,
    content_type = "application/problem+json",
    description = "The service cannot handle the request at the moment; `Retry-After` says when to try again."
)]
#[expect(dead_code, reason = "documentation only")]
pub struct Problem503(Problem);
