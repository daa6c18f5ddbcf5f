"""An account is looked at."""

from __future__ import annotations

import csv
import datetime
import io
from typing import TYPE_CHECKING

import pytest

from topup_client import InvalidRequestError, NoAnswerError

if TYPE_CHECKING:
    from proxy import Proxy

    from topup_client import Topup

DAY = datetime.timedelta(days=1)


def today() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)


def test_lists_go_on_page_by_page(topup: Topup, account: str) -> None:
    for number in range(60):
        topup.debit(account, 1, idempotency_key=f"job-{number}")
    entries = list(topup.transactions(account))
    assert len({entry.id for entry in entries}) == 61
    assert [entry.balance_after for entry in entries] == [*range(40, 101)]
    first = topup.transactions(account)
    assert next(first).balance_after == 40


def test_grants_usage_and_statements_agree(topup: Topup, account: str) -> None:
    spend = topup.debit(account, 30, operation="image")
    topup.debit(account, 10, operation="chat")
    topup.refund_spend(spend.id, 5)
    (grant,) = topup.grants(account)
    assert (grant.category, grant.remaining_credits, grant.reason) == ("promotional", 65, "Welcome")

    start = today() - DAY
    usage = topup.usage(account, start, by="operation")
    assert [(entry.key, entry.credits, entry.refunded_credits) for entry in usage.data] == [
        ("image", 30, 5),
        ("chat", 10, 0),
    ]
    statement = topup.statement(account, start.isoformat())
    moved = {kind.kind: kind.credits for kind in statement.data}
    assert moved == {"promotion": 100, "spend": -40, "spend_refund": 5}
    assert (statement.opening_credits, statement.closing_credits) == (0, 65)
    text = b"".join(topup.statement_csv(account, start)).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 4


def test_a_period_that_is_over_is_empty(topup: Topup, account: str) -> None:
    statement = topup.statement(account, today() - 3 * DAY, today() - 2 * DAY)
    assert (statement.data, statement.closing_credits) == ([], 0)


def test_bad_times_are_named(topup: Topup, account: str) -> None:
    with pytest.raises(ValueError, match="zone"):
        topup.usage(account, today().replace(tzinfo=None))
    with pytest.raises(InvalidRequestError) as caught:
        list(topup.statement_csv(account, "yesterday"))
    assert [error.field for error in caught.value.errors] == ["from"]


def test_a_statement_that_breaks_off_is_an_error(lossy: Topup, proxy: Proxy, account: str) -> None:
    proxy.next("cut answer")
    with pytest.raises(NoAnswerError):
        list(lossy.statement_csv(account, today()))
    assert len(proxy.seen) == 1
