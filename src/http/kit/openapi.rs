//! The API's documentation, generated from the code: served at `/openapi.json`, browsable at `/docs`, checked in under
//! `openapi/`.

use utoipa::IntoResponses;

use crate::http::kit::problem::Problem;

/// What can be wrong with a request that needs credentials.
#[derive(IntoResponses)]
pub enum CallerProblems {
    /// The request is not right; `errors` names the fields.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// There are no valid credentials.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(Problem),
    /// The credentials are not for this account or this use.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// Too many requests without valid credentials came from this address; `Retry-After` says when to try again. Valid
    /// credentials are always let in.
    #[response(status = 429, content_type = "application/problem+json")]
    TooManyAttempts(Problem),
    /// Something went wrong on our side; the `x-request-id` finds it in the log.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(Problem),
}

/// What can be wrong with a request that needs no credentials.
#[derive(IntoResponses)]
pub enum PublicProblems {
    /// The request is not right; `errors` names the fields.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
}

/// What can go wrong at Stripe.
#[derive(IntoResponses)]
pub enum ProviderProblems {
    /// Stripe refused, such as for a missing permission, or opened no checkout that can be paid.
    #[response(status = 502, content_type = "application/problem+json")]
    Refused(Problem),
    /// Stripe is not available or wants us to wait, or tokens cannot be verified; `Retry-After` says when to try again.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
    /// Stripe did not answer in time.
    #[response(status = 504, content_type = "application/problem+json")]
    TooSlow(Problem),
}

/// There is no such thing.
#[derive(IntoResponses)]
#[response(
    status = 404,
    content_type = "application/problem+json",
    description = "There is no such thing that the caller may know of."
)]
#[expect(dead_code, reason = "documentation only")]
pub struct Problem404(Problem);

/// The idempotency key cannot be used now.
#[derive(IntoResponses)]
#[response(
    status = 409,
    content_type = "application/problem+json",
    description = "The first request with this key is still running, or its checkout has ended."
)]
#[expect(dead_code, reason = "documentation only")]
pub struct Problem409(Problem);

/// The idempotency key belongs to another request.
#[derive(IntoResponses)]
#[response(
    status = 422,
    content_type = "application/problem+json",
    description = "The key came with another request before."
)]
#[expect(dead_code, reason = "documentation only")]
pub struct Problem422(Problem);

/// The request itself came too slowly. The connection is closed, without a body.
#[derive(IntoResponses)]
#[response(status = 408, description = "The request did not arrive in time.")]
pub struct SlowRequest;

/// The service cannot work at the moment.
#[derive(IntoResponses)]
#[response(
    status = 503,
    content_type = "application/problem+json",
    description = "Not now; `Retry-After` says when to try again."
)]
#[expect(dead_code, reason = "documentation only")]
pub struct Problem503(Problem);
