"""Looking at an account: balance, ledger, grants, usage, statements, and its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from .._call import Call, Time, path, query
from ..models import Credits, Grant, Limit, SetLimit, Statement, Transaction, Usage
from ._caller import AsyncCaller

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["AsyncBooks", "By", "Period"]

Period: TypeAlias = Literal["day", "month", "total"]
"""The time for which a limit counts. Days and months are those of UTC."""

By: TypeAlias = Literal["day", "hour", "operation", "subject"]
"""By what usage is told."""


class AsyncBooks(AsyncCaller):
    """The calls that look. The API key needs the scope `read`; to set limits, `spend`."""

    async def balance(self, account_id: str) -> Credits:
        """Look at a balance. `available_credits` is what can be spent now."""
        return await self._read(Credits, Call(method="GET", path=path("accounts", account_id, "credits")))

    def transactions(self, account_id: str) -> AsyncIterator[Transaction]:
        """Ledger entries, newest first. More are fetched as you go on."""
        place = path("accounts", account_id, "credits", "transactions")
        return self._pages(Transaction, Call(method="GET", path=place))

    def grants(self, account_id: str, *, state: Literal["open", "all"] | None = None) -> AsyncIterator[Grant]:
        """Grants with what remains of each, newest first. Without a state, those that can be spent."""
        place = path("accounts", account_id, "credits", "grants")
        return self._pages(Grant, Call(method="GET", path=place, query=query(state=state)))

    async def usage(self, account_id: str, start: Time, end: Time | None = None, *, by: By | None = None) -> Usage:
        """What was spent and given back from `start` to before `end` (now), by day or by something else."""
        parameters = query(from_=start, to=end, by=by)
        place = path("accounts", account_id, "credits", "usage")
        return await self._read(Usage, Call(method="GET", path=place, query=parameters))

    async def statement(self, account_id: str, start: Time, end: Time | None = None) -> Statement:
        """The opening balance, what each kind of entry moved, and the closing balance."""
        place = path("accounts", account_id, "credits", "statement")
        return await self._read(Statement, Call(method="GET", path=place, query=query(from_=start, to=end)))

    async def statement_csv(self, account_id: str, start: Time, end: Time | None = None) -> AsyncIterator[bytes]:
        """All entries of a statement as CSV, in pieces, oldest first.

        Raises:
            NoAnswerError: If the transfer breaks off. The pieces are then not the whole statement.

        """
        place = path("accounts", account_id, "credits", "statement")
        call = Call(method="GET", path=place, query=query(from_=start, to=end), accept="text/csv")
        async with self._stream(call) as response:
            async for piece in response.aiter_bytes():
                yield piece

    def limits(self, account_id: str, *, subject: str | None = None) -> AsyncIterator[Limit]:
        """The limits of an account and of its subjects, or of one subject."""
        place = path("accounts", account_id, "credits", "limits")
        return self._pages(Limit, Call(method="GET", path=place, query=query(subject=subject)))

    async def get_limit(self, account_id: str, period: Period, *, subject: str | None = None) -> Limit:
        """Look at a limit, and how much of it is used."""
        place = path("accounts", account_id, "credits", "limits", period)
        return await self._read(Limit, Call(method="GET", path=place, query=query(subject=subject)))

    async def set_limit(
        self,
        account_id: str,
        period: Period,
        credits: int,
        *,
        subject: str | None = None,
    ) -> Limit:
        """Set how many credits an account, or one subject within it, may spend in a period."""
        place = path("accounts", account_id, "credits", "limits", period)
        call = Call(method="PUT", path=place, query=query(subject=subject), body=SetLimit(credits=credits))
        return await self._read(Limit, call)

    async def remove_limit(self, account_id: str, period: Period, *, subject: str | None = None) -> None:
        """Remove a limit. To remove one that does not exist changes nothing."""
        place = path("accounts", account_id, "credits", "limits", period)
        await self._send(Call(method="DELETE", path=place, query=query(subject=subject)))
