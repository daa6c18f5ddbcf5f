"""Sell and spend prepaid credits with Topup, from your server.

`Topup` is the client, `AsyncTopup` the same for asyncio and trio. All errors are `TopupError`s. `models` has the
objects that the methods return.
"""

from __future__ import annotations

from . import errors, models
from ._async._client import AsyncTopup
from ._async._open_hold import AsyncOpenHold
from ._call import new_idempotency_key
from ._retries import Retries
from ._sync._client import Topup
from ._sync._open_hold import OpenHold
from ._version import __version__
from .errors import (
    AuthenticationError,
    ConflictError,
    CreditsHeldError,
    InsufficientCreditsError,
    InvalidRequestError,
    NoAnswerError,
    NotFoundError,
    PaymentProviderError,
    PermissionDeniedError,
    RateLimitedError,
    SpendLimitReachedError,
    TopupError,
    UnavailableError,
    UnexpectedAnswerError,
    error_of,
)
from .models import BatchItem
from .webhooks import WebhookEvent, WebhookVerificationError, verify_webhook

__all__ = [
    "AsyncOpenHold",
    "AsyncTopup",
    "AuthenticationError",
    "BatchItem",
    "ConflictError",
    "CreditsHeldError",
    "InsufficientCreditsError",
    "InvalidRequestError",
    "NoAnswerError",
    "NotFoundError",
    "OpenHold",
    "PaymentProviderError",
    "PermissionDeniedError",
    "RateLimitedError",
    "Retries",
    "SpendLimitReachedError",
    "Topup",
    "TopupError",
    "UnavailableError",
    "UnexpectedAnswerError",
    "WebhookEvent",
    "WebhookVerificationError",
    "__version__",
    "error_of",
    "errors",
    "models",
    "new_idempotency_key",
    "verify_webhook",
]
