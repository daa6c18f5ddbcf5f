"""The client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._books import AsyncBooks
from ._buying import AsyncBuying
from ._operating import AsyncOperating
from ._spending import AsyncSpending
from ._subscribing import AsyncSubscribing

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["AsyncTopup"]


class AsyncTopup(AsyncBuying, AsyncSpending, AsyncSubscribing, AsyncBooks, AsyncOperating):
    """A Topup service.

        async with AsyncTopup("http://127.0.0.1:8080", api_key=key) as topup:
            await topup.debit("user_1", 12, idempotency_key="image-81f3")

    Make one and keep it: it reuses connections. Requests whose answer was lost, and those that the service asks to
    repeat, are repeated with the same idempotency key; `retries` says how often. `timeout_seconds` is for each attempt.
    """

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
