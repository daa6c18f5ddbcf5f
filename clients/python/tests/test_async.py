"""The client for asyncio and trio, whose code is that of the other one."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest
from conftest import QUICK

from topup_client import AsyncTopup, BatchItem, InsufficientCreditsError, NoAnswerError, Topup

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from proxy import Fate, Proxy
    from service import Service

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Both are supported."""
    backend: str = request.param
    return backend


@pytest.fixture
async def client(service: Service) -> AsyncIterator[AsyncTopup]:
    """A client of the service."""
    async with AsyncTopup(service.url, api_key=service.api_key) as client:
        yield client


async def test_a_purchase(service: Service, client: AsyncTopup) -> None:
    account = service.new_account()
    quote = await client.quote(250)
    checkout = await client.create_checkout(account, 250, success_url=service.url)
    service.pay(checkout, quote.total_amount)
    assert (await client.wait_for_checkout(checkout.id)).state == "paid"
    (summary,) = [topup async for topup in client.topups(account)]
    assert (await client.get_topup(summary.id)).state == "paid"
    assert (await client.preview_refund(summary.id)).credits == 250
    await client.refund_topup(summary.id, unspent=True)
    assert (await client.balance(account)).remaining_credits == 0


async def test_spending(client: AsyncTopup, account: str) -> None:
    spend = await client.debit(account, 12)
    assert (await client.get_spend(spend.id)).credits == 12
    await client.refund_spend(spend.id, 2)
    (result,) = await client.debit_batch([BatchItem(key="a", account_id=account, credits=5)])
    assert result.status == 200
    assert (await client.access(account, 85)).allowed
    with pytest.raises(InsufficientCreditsError):
        await client.debit(account, 1_000)
    hold = await client.create_hold(account, 10)
    assert [each.id async for each in client.holds(account)] == [hold.id]
    assert (await client.extend_hold(hold.id, 20)).credits == 20
    assert (await client.get_hold(hold.id)).credits == 20
    assert (await client.capture_hold(hold.id, 15)).credits == 15
    await client.release_hold((await client.create_hold(account, 10)).id)
    assert (await client.balance(account)).available_credits == 70


async def test_looking_and_operating(client: AsyncTopup, account: str) -> None:
    start = datetime.datetime.now(datetime.timezone.utc).replace(minute=0, second=0, microsecond=0)
    await client.debit(account, 10)
    await client.adjust(account, 5, reason="Goodwill")
    grant = await client.grant_credits(account, 7, reason="A present")
    assert (await client.void_grant(grant.id, reason="A mistake")).remaining_credits == 0
    assert len([entry async for entry in client.transactions(account)]) == 5
    assert len([grant async for grant in client.grants(account, state="all")]) >= 2
    assert len([each async for each in client.adjustments(account)]) == 1
    assert (await client.usage(account, start)).data[0].credits == 10
    assert (await client.statement(account, start)).closing_credits == 95
    assert b"".join([piece async for piece in client.statement_csv(account, start)]).count(b"\n") == 6
    await client.set_limit(account, "month", 50)
    assert (await client.get_limit(account, "month")).credits == 50
    assert len([limit async for limit in client.limits(account)]) == 1
    await client.remove_limit(account, "month")
    await client.block_account(account, reason="Its key was stolen")
    assert (await client.get_account(account)).blocked
    await client.unblock_account(account, reason="It has a new one")
    assert (await client.request("GET", "/health/ready"))["status"]


@pytest.mark.parametrize("fate", ["lose request", "lose answer", "cut answer"])
async def test_a_lost_answer_is_charged_once(
    service: Service, proxy: Proxy, topup: Topup, account: str, fate: Fate
) -> None:
    proxy.next(fate, fate)
    async with AsyncTopup(proxy.url, api_key=service.api_key, retries=QUICK) as client:
        await client.debit(account, 12)
        assert len({seen.idempotency_key for seen in proxy.seen}) == 1
        proxy.next(fate, fate, fate, fate, fate)
        with pytest.raises(NoAnswerError):
            await client.debit(account, 12, idempotency_key="job-1")
        await client.debit(account, 12, idempotency_key="job-1")
    assert topup.balance(account).available_credits == 76


async def test_a_block_captures_or_releases(client: AsyncTopup, account: str) -> None:
    async with client.hold(account, 50) as hold:
        hold.use(20)
        await hold.extend(60)
    assert hold.spend is not None
    assert hold.spend.credits == 20
    with pytest.raises(ZeroDivisionError):
        async with client.hold(account, 50) as failed:
            failed.use(20)
            raise ZeroDivisionError
    balance = await client.balance(account)
    assert (balance.available_credits, balance.held_credits) == (80, 0)


async def test_a_client_that_goes_away_is_charged(client: AsyncTopup, account: str) -> None:
    async def words() -> AsyncGenerator[int]:
        async with client.hold(account, 50) as hold:
            for number in range(10):
                hold.use(3)
                yield number

    stream = words()
    assert [await anext(stream), await anext(stream)] == [0, 1]
    await stream.aclose()
    balance = await client.balance(account)
    assert (balance.available_credits, balance.held_credits) == (94, 0)


async def test_a_task_that_is_cancelled_is_charged_what_it_used(client: AsyncTopup, account: str) -> None:
    started = anyio.Event()

    async def work() -> None:
        async with client.hold(account, 50) as hold:
            hold.use(8)
            started.set()
            await anyio.sleep_forever()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work)
        await started.wait()
        tasks.cancel_scope.cancel()
    balance = await client.balance(account)
    assert (balance.available_credits, balance.held_credits) == (92, 0)


async def test_a_client_of_the_callers_is_used_and_left_open(service: Service, account: str) -> None:
    async with httpx.AsyncClient(headers={"x-mine": "1"}) as http:
        async with AsyncTopup(service.url, api_key=service.api_key, http_client=http) as client:
            await client.balance(account)
        assert not http.is_closed
        client = AsyncTopup(service.url, api_key=service.api_key)
        await client.aclose()
        with pytest.raises(RuntimeError):
            await client.balance(account)
