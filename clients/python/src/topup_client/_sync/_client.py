# Made from _async/_client.py by scripts/generate.py. Change that file.
"""The client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._books import Books
from ._buying import Buying
from ._operating import Operating
from ._spending import Spending
from ._subscribing import Subscribing

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["Topup"]


class Topup(Buying, Spending, Subscribing, Books, Operating):
    """A Topup service.

        with Topup("http://127.0.0.1:8080", api_key=key) as topup:
            topup.debit("user_1", 12, idempotency_key="image-81f3")

    Make one and keep it: it reuses connections. Requests whose answer was lost, and those that the service asks to
    repeat, are repeated with the same idempotency key; `retries` says how often. `timeout_seconds` is for each attempt.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
