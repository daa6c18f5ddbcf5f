"""Waiting, and finishing in spite of cancellation, on asyncio and trio."""

from __future__ import annotations

from contextlib import asynccontextmanager
from time import monotonic
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

__all__ = ["monotonic", "shielded", "sleep"]


async def sleep(seconds: float) -> None:
    """Wait."""
    await anyio.sleep(seconds)


@asynccontextmanager
async def shielded() -> AsyncGenerator[None]:
    """Finish what is inside, also when the task is being cancelled."""
    with anyio.CancelScope(shield=True):
        yield
