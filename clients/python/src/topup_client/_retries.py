"""When a request is repeated, and how long to wait before.

Repeated is what may succeed the next time and cannot be done twice: every write has an idempotency key or names its
result. Refusals are not repeated.
"""

from __future__ import annotations

import dataclasses
import random

from .errors import UNEXPECTED_ANSWER, NoAnswerError, TopupError

# The first request is still running; the next one gets its result.
_STILL_RUNNING = frozenset({"idempotency_key_in_use", "refund_in_progress"})
# It lasts until a checkout ends, which is no matter of seconds.
_LASTING = frozenset({"too_many_open_checkouts"})
# 502 is a refusal of the payment provider, unless a proxy says it.
_PASSING_STATUSES = frozenset({408, 429, 503, 504})
_BAD_GATEWAY = 502


@dataclasses.dataclass(frozen=True, kw_only=True)
class Retries:
    """How often and how patiently a request is repeated.

    Attributes:
        attempts: How often a request is sent at most; 1 never repeats.
        first_delay_seconds: The longest pause before the first repetition; it doubles with each. The pause is random.
        longest_delay_seconds: The limit of these pauses.
        longest_retry_after_seconds: If the service asks for a longer pause than this, the error is raised at once.

    """

    attempts: int = 5
    first_delay_seconds: float = 0.25
    longest_delay_seconds: float = 8.0
    longest_retry_after_seconds: float = 30.0

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError("attempts must be at least 1")
        if min(self.first_delay_seconds, self.longest_delay_seconds, self.longest_retry_after_seconds) < 0:
            raise ValueError("delays must not be negative")

    def pause_after(self, error: TopupError, attempt: int) -> float | None:
        """The seconds to wait after the attempt of this number, counted from 1; None if it was the last."""
        if attempt >= self.attempts or not may_pass(error):
            return None
        longest = min(self.longest_delay_seconds, self.first_delay_seconds * 2.0 ** (attempt - 1))
        # Random, so that clients that failed together do not come back together.
        pause = random.uniform(longest / 2, longest)  # noqa: S311 - not for cryptography
        if error.retry_after_seconds is None:
            return pause
        if error.retry_after_seconds > self.longest_retry_after_seconds:
            return None
        return max(pause, error.retry_after_seconds)


def may_pass(error: TopupError) -> bool:
    """Whether the same request may succeed in a moment."""
    if isinstance(error, NoAnswerError) or error.code in _STILL_RUNNING:
        return True
    if error.code in _LASTING:
        return False
    return error.status in _PASSING_STATUSES or (error.status == _BAD_GATEWAY and error.code == UNEXPECTED_ANSWER)
