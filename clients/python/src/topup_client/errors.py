"""What can go wrong, as exceptions.

Every answer of the service that is no success is a `TopupError` with the stable `code` of its problem (RFC 9457). Codes
that a program handles differently have classes of their own.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ._codec import InvalidShapeError, decode
from .models import FieldError, Problem, ReachedLimit

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "AuthenticationError",
    "ConflictError",
    "CreditsHeldError",
    "FieldError",
    "InsufficientCreditsError",
    "InvalidRequestError",
    "NoAnswerError",
    "NotFoundError",
    "PaymentProviderError",
    "PermissionDeniedError",
    "RateLimitedError",
    "ReachedLimit",
    "SpendLimitReachedError",
    "TopupError",
    "UnavailableError",
    "UnexpectedAnswerError",
    "error_of",
]

NO_ANSWER = "no_answer"
UNEXPECTED_ANSWER = "unexpected_answer"


class TopupError(Exception):
    """The service refused a request, could not handle it, or did not answer.

    Attributes:
        code: The stable code of the problem, such as `insufficient_credits`.
        detail: What is wrong and how to fix it, in words.
        status: The HTTP status; None if there was no answer.
        errors: The invalid fields; empty unless the request was invalid.
        required_credits: How many credits the request needs.
        available_credits: How many the account can spend now.
        held_credits: How many open holds reserve.
        owed_credits: How far the balance is below zero.
        limit: The limit of spending that was reached.
        retry_after_seconds: After how many seconds the service wants to be asked again; None if it does not say.
        request_id: The `x-request-id` under which the service's log has more.
        idempotency_key: The key that the request had. To repeat the same work later, pass it again.

    """

    def __init__(
        self,
        detail: str,
        *,
        code: str,
        status: int | None = None,
        problem: Problem | None = None,
        retry_after_seconds: float | None = None,
        request_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        self.status = status
        self.errors: tuple[FieldError, ...] = tuple((problem and problem.errors) or ())
        self.required_credits: int | None = problem.required_credits if problem else None
        self.available_credits: int | None = problem.available_credits if problem else None
        self.held_credits: int | None = problem.held_credits if problem else None
        self.owed_credits: int | None = problem.owed_credits if problem else None
        self.limit: ReachedLimit | None = problem.limit if problem else None
        self.retry_after_seconds = retry_after_seconds
        self.request_id = request_id
        self.idempotency_key = idempotency_key

    def __str__(self) -> str:
        status = f"{self.status} " if self.status else ""
        request = f" (request {self.request_id})" if self.request_id else ""
        return f"{status}{self.code}: {self.detail}{request}"


class InvalidRequestError(TopupError):
    """400, 413, 415 or 422: the request is invalid. `errors` names the fields."""


class AuthenticationError(TopupError):
    """401: the API key is missing, unknown or revoked."""


class InsufficientCreditsError(TopupError):
    """402 `insufficient_credits`: the customer must top up. Then repeat with the same idempotency key."""


class SpendLimitReachedError(TopupError):
    """402 `spend_limit_reached`: a limit leaves too few credits. `limit` says which, and when it begins anew."""


class PermissionDeniedError(TopupError):
    """403: the API key lacks a scope, is for another account, or the account is blocked."""


class NotFoundError(TopupError):
    """404: there is no such thing, or the API key may not see it."""


class ConflictError(TopupError):
    """409: the request does not fit the state of what it acts on, such as a hold that was released."""


class CreditsHeldError(ConflictError):
    """409 `credits_held`: the balance would do, but open holds reserve it. Repeat later; a top-up is not needed."""


class RateLimitedError(TopupError):
    """429: too many requests, or too many open checkouts."""


class PaymentProviderError(TopupError):
    """502: the payment provider refused, or answered what was not agreed. Nothing was charged or refunded.

    A key, a permission or a setting is probably wrong; the service's log has the reason.
    """


class UnavailableError(TopupError):
    """408, 500, 503 or 504: the service or the payment provider could not do it in time.

    The work may or may not have been done. Repeat with the same idempotency key.
    """


class NoAnswerError(TopupError):
    """No answer came, or only a part of one.

    The work may or may not have been done. Repeat with the same idempotency key.
    """


class UnexpectedAnswerError(TopupError):
    """An answer that is not of this API: is `base_url` right, and is a proxy in between?"""


_BY_CODE: dict[str, type[TopupError]] = {
    "insufficient_credits": InsufficientCreditsError,
    "spend_limit_reached": SpendLimitReachedError,
    "credits_held": CreditsHeldError,
    NO_ANSWER: NoAnswerError,
}

_BY_STATUS: dict[int, type[TopupError]] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    408: UnavailableError,
    409: ConflictError,
    413: InvalidRequestError,
    415: InvalidRequestError,
    422: InvalidRequestError,
    429: RateLimitedError,
    500: UnavailableError,
    502: PaymentProviderError,
    503: UnavailableError,
    504: UnavailableError,
}

# What a proxy says while the service restarts, or for it.
_OF_PROXIES: dict[int, type[TopupError]] = {
    429: RateLimitedError,
    502: UnavailableError,
    503: UnavailableError,
    504: UnavailableError,
}


def error_of(
    problem: Problem,
    *,
    retry_after_seconds: float | None = None,
    request_id: str | None = None,
    idempotency_key: str | None = None,
) -> TopupError:
    """The exception for a problem, such as that of one debit in a batch."""
    kind = _BY_CODE.get(problem.code) or _BY_STATUS.get(problem.status) or TopupError
    return kind(
        problem.detail,
        code=problem.code,
        status=problem.status,
        problem=problem,
        retry_after_seconds=retry_after_seconds,
        request_id=request_id,
        idempotency_key=idempotency_key,
    )


def error_of_answer(status: int, headers: Mapping[str, str], body: bytes, idempotency_key: str | None) -> TopupError:
    """The exception for an answer that is no success."""
    retry_after = _seconds(headers.get("retry-after"))
    request_id = headers.get("x-request-id")
    try:
        problem = decode(Problem, json.loads(body))
    except (ValueError, InvalidShapeError):
        # Answered by something in between, such as a proxy whose backend restarts.
        return _OF_PROXIES.get(status, UnexpectedAnswerError)(
            f"the answer with status {status} is not of Topup; is the base URL right?",
            code=UNEXPECTED_ANSWER,
            status=status,
            retry_after_seconds=retry_after,
            request_id=request_id,
            idempotency_key=idempotency_key,
        )
    return error_of(problem, retry_after_seconds=retry_after, request_id=request_id, idempotency_key=idempotency_key)


def _seconds(retry_after: str | None) -> float | None:
    """`Retry-After` in seconds. A date is left out: Topup sends none."""
    text = (retry_after or "").strip()
    return float(text) if text.isascii() and text.isdigit() else None
