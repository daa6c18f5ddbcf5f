# Made from _async/_open_hold.py by scripts/generate.py. Change that file.
"""A hold for the length of a block."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal, TypeAlias

from ..errors import TopupError
from . import _runtime

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from ..models import CreateHold, Hold, OnShortfall, Spend
    from ._holds import Holds

__all__ = ["OnError", "OpenHold"]

OnError: TypeAlias = Literal["release", "capture"]
"""What becomes of a hold whose block fails: nothing is charged, or what was used until then."""

_log = logging.getLogger("topup_client")


class OpenHold:
    """Credits reserved for a block; made by `Topup.hold`.

    Attributes:
        used: How many credits the work came to so far.
        spend: What was captured; None before, and if the hold was released.

    """

    def __init__(self, holds: Holds, account_id: str, request: CreateHold, key: str, on_error: OnError) -> None:
        self._holds = holds
        self._account_id = account_id
        self._request = request
        self._key = key
        self._on_error = on_error
        self._hold: Hold | None = None
        self._is_resolved = False
        self.used = 0
        self.spend: Spend | None = None

    @property
    def hold(self) -> Hold:
        """The hold as it was told last."""
        if self._hold is None:
            raise RuntimeError("the hold begins with its block: with topup.hold(...) as hold")
        return self._hold

    @property
    def id(self) -> str:
        """The id of the hold."""
        return self.hold.id

    @property
    def credits(self) -> int:
        """How many credits are reserved. With `minimum_credits` they may be fewer than were asked for."""
        return self.hold.credits

    @property
    def left(self) -> int:
        """How many of the reserved credits are not used yet; below 0 if more were used."""
        return self.credits - self.used

    def use(self, credits: int) -> None:
        """Count credits that the work has used. Sends nothing."""
        if credits < 0:
            raise ValueError("used credits must not be negative")
        self.used += credits

    def extend(
        self,
        credits: int | None = None,
        *,
        expires_in_seconds: int | None = None,
    ) -> Hold:
        """Reserve a new *total* of credits, give the hold a new life from now on, or both.

        If it is refused, the hold is as before: stop the work, and capture what was used.
        """
        self._hold = self._holds.extend_hold(self.id, credits, expires_in_seconds=expires_in_seconds)
        return self._hold

    def capture(
        self,
        credits: int | None = None,
        *,
        metadata: dict[str, str] | None = None,
        on_shortfall: OnShortfall | None = None,
    ) -> Spend:
        """Take credits, by default what was used, before the block ends."""
        taken = self.used if credits is None else credits
        self.spend = self._holds.capture_hold(self.id, taken, metadata=metadata, on_shortfall=on_shortfall)
        self._is_resolved = True
        return self.spend

    def release(self) -> Hold:
        """Free the credits before the block ends. Nothing is charged."""
        self._hold = self._holds.release_hold(self.id)
        self._is_resolved = True
        return self._hold

    def __enter__(self) -> Self:
        request = self._request
        self._hold = self._holds.create_hold(
            self._account_id,
            request.credits,
            minimum_credits=request.minimum_credits,
            expires_in_seconds=request.expires_in_seconds,
            operation=request.operation,
            subject=request.subject,
            metadata=request.metadata,
            idempotency_key=self._key,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_resolved:
            return
        if error is None:
            self.capture()
            return
        # Exceptions are failures of the work. What is none, such as a cancellation, says that the client has gone.
        charges = self._on_error == "capture" or not isinstance(error, Exception)
        try:
            with _runtime.shielded():
                if charges and self.used > 0:
                    self.capture()
                else:
                    self.release()
        except TopupError:
            # The failure of the block is what the caller must hear of. The hold ends by itself.
            what = f"{self.used} used credits are not charged" if charges else "it ends by itself"
            _log.exception("hold %s could not be resolved; %s", self.id, what)
