"""Holds by their id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._call import Call, path, valid_key
from ..models import CaptureHold, CreateHold, ExtendHold, Hold, OnShortfall, Spend
from ._caller import AsyncCaller

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["AsyncHolds"]


class AsyncHolds(AsyncCaller):
    """The calls that reserve credits, and take or free what was reserved."""

    async def create_hold(
        self,
        account_id: str,
        credits: int,
        *,
        minimum_credits: int | None = None,
        expires_in_seconds: int | None = None,
        operation: str | None = None,
        subject: str | None = None,
        metadata: dict[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> Hold:
        """Reserve credits without a block: another process can capture or release them by the hold's id."""
        body = CreateHold(
            credits=credits,
            minimum_credits=minimum_credits,
            expires_in_seconds=expires_in_seconds,
            operation=operation,
            subject=subject,
            metadata=metadata,
        )
        place = path("accounts", account_id, "credits", "holds")
        key = valid_key(idempotency_key)
        return await self._read(Hold, Call(method="POST", path=place, body=body, idempotency_key=key))

    async def get_hold(self, hold_id: str) -> Hold:
        """Look at a hold."""
        return await self._read(Hold, Call(method="GET", path=path("credits", "holds", hold_id)))

    def holds(self, account_id: str) -> AsyncIterator[Hold]:
        """Open holds, those that end first before the others."""
        return self._pages(Hold, Call(method="GET", path=path("accounts", account_id, "credits", "holds")))

    async def extend_hold(
        self,
        hold_id: str,
        credits: int | None = None,
        *,
        expires_in_seconds: int | None = None,
    ) -> Hold:
        """Give a hold a new *total* of credits, a new life from now on, or both. It never shrinks."""
        body = ExtendHold(credits=credits, expires_in_seconds=expires_in_seconds)
        return await self._read(Hold, Call(method="POST", path=path("credits", "holds", hold_id, "extend"), body=body))

    async def capture_hold(
        self,
        hold_id: str,
        credits: int,
        *,
        metadata: dict[str, str] | None = None,
        on_shortfall: OnShortfall | None = None,
    ) -> Spend:
        """Take what the work came to, and free the rest. Up to what is held, it always succeeds.

        More than that comes from what is available. What is missing is `uncollected_credits`.
        """
        body = CaptureHold(credits=credits, metadata=metadata, on_shortfall=on_shortfall)
        place = path("credits", "holds", hold_id, "capture")
        return await self._read(Spend, Call(method="POST", path=place, body=body))

    async def release_hold(self, hold_id: str) -> Hold:
        """Free a hold. To release one that was released or has ended changes nothing."""
        return await self._read(Hold, Call(method="POST", path=path("credits", "holds", hold_id, "release")))
