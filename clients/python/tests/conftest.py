"""What the tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import proxy as proxies
import pytest
import service as services

from topup_client import Retries, Topup

if TYPE_CHECKING:
    from collections.abc import Iterator

# Patient enough for what the tests do to it, and quick.
QUICK = Retries(attempts=5, first_delay_seconds=0.01, longest_delay_seconds=0.05)


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[services.Service]:
    """A service, which all tests share. Each has accounts of its own."""
    try:
        services.topup_program()
    except FileNotFoundError as missing:
        pytest.exit(str(missing), returncode=1)
    with services.running(tmp_path_factory.mktemp("service")) as service:
        yield service


@pytest.fixture
def proxy(service: services.Service) -> Iterator[proxies.Proxy]:
    """A proxy in front of the service."""
    with proxies.running(service.url) as proxy:
        yield proxy


@pytest.fixture
def topup(service: services.Service) -> Iterator[Topup]:
    """A client of the service."""
    with Topup(service.url, api_key=service.api_key) as topup:
        yield topup


@pytest.fixture
def lossy(service: services.Service, proxy: proxies.Proxy) -> Iterator[Topup]:
    """A client behind the proxy."""
    with Topup(proxy.url, api_key=service.api_key, retries=QUICK) as topup:
        yield topup


@pytest.fixture
def account(service: services.Service, topup: Topup) -> str:
    """An account with 100 credits."""
    account = service.new_account()
    topup.grant_credits(account, 100, reason="Welcome", create=True)
    return account


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses before repetitions, which are not waited for."""
    pauses: list[float] = []
    monkeypatch.setattr("topup_client._sync._runtime.sleep", pauses.append)
    return pauses
