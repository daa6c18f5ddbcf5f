"""Credits are held, extended, captured and released."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from topup_client import ConflictError, InsufficientCreditsError, NoAnswerError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy import Fate, Proxy

    from topup_client import Topup

FIVE_LOST: list[Fate] = ["lose request"] * 5


def test_holds_by_their_id(topup: Topup, account: str) -> None:
    hold = topup.create_hold(account, 300, minimum_credits=10, expires_in_seconds=60, operation="chat", subject="m")
    assert (hold.state, hold.credits, hold.requested_credits) == ("open", 100, 300)
    smaller = topup.release_hold(hold.id)
    assert smaller.state == "released"
    hold = topup.create_hold(account, 20, metadata={"a": "b"})
    assert [open_hold.id for open_hold in topup.holds(account)] == [hold.id]
    assert topup.extend_hold(hold.id, 30, expires_in_seconds=600).credits == 30
    spend = topup.capture_hold(hold.id, 25, metadata={"tokens": "250"})
    assert (spend.credits, spend.hold_id, spend.balance.available_credits) == (25, hold.id, 75)
    assert topup.capture_hold(hold.id, 25).id == spend.id
    captured = topup.get_hold(hold.id)
    assert (captured.state, captured.captured_credits, captured.spend_id) == ("captured", 25, spend.id)
    with pytest.raises(ConflictError) as caught:
        topup.capture_hold(hold.id, 26)
    assert caught.value.code == "hold_captured"


def test_a_block_captures_what_was_used(topup: Topup, account: str) -> None:
    with topup.hold(account, 50, operation="chat", metadata={"model": "large"}) as hold:
        assert topup.balance(account).held_credits == 50
        hold.use(20)
        hold.use(22)
        assert (hold.used, hold.left) == (42, 8)
        assert hold.extend(60).credits == 60
        assert hold.left == 18
    assert hold.spend is not None
    assert (hold.spend.credits, hold.spend.operation, hold.spend.metadata) == (42, "chat", {"model": "large"})
    assert topup.balance(account).available_credits == 58


def test_a_block_that_used_nothing_is_recorded_with_nothing(topup: Topup, account: str) -> None:
    with topup.hold(account, 50) as hold:
        pass
    assert hold.spend is not None
    assert hold.spend.credits == 0


def test_a_block_that_fails_charges_nothing(topup: Topup, account: str) -> None:
    hold = topup.hold(account, 50)
    with pytest.raises(ZeroDivisionError), hold:
        hold.use(10)
        raise ZeroDivisionError
    assert hold.spend is None
    assert topup.get_hold(hold.id).state == "released"
    assert topup.balance(account).available_credits == 100


def test_a_block_that_fails_charges_what_was_used_if_it_shall(topup: Topup, account: str) -> None:
    with pytest.raises(ZeroDivisionError), topup.hold(account, 50, on_error="capture") as hold:
        hold.use(10)
        raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError), topup.hold(account, 50, on_error="capture") as unused:
        raise ZeroDivisionError
    assert topup.balance(account).available_credits == 90
    assert topup.get_hold(unused.id).state == "released"


def test_a_generator_whose_reader_has_gone_is_charged(topup: Topup, account: str) -> None:
    def words() -> Iterator[str]:
        with topup.hold(account, 50) as hold:
            for number in range(10):
                hold.use(3)
                yield str(number)

    stream = words()
    assert [next(stream), next(stream)] == ["0", "1"]
    stream.close()  # type: ignore[attr-defined]
    assert topup.balance(account).available_credits == 94


@pytest.mark.parametrize("way", ["capture", "release"])
def test_a_block_can_resolve_its_hold_itself(topup: Topup, account: str, way: str) -> None:
    with topup.hold(account, 50) as hold:
        hold.use(7)
        if way == "capture":
            assert hold.capture(9, metadata={"why": "rounded"}).credits == 9
        else:
            hold.release()
    assert topup.balance(account).available_credits == (91 if way == "capture" else 100)


def test_a_block_does_not_begin_without_credits(topup: Topup, account: str) -> None:
    hold = topup.hold(account, 101)
    with pytest.raises(InsufficientCreditsError), hold:
        raise AssertionError("the block began")
    with pytest.raises(RuntimeError, match="begins with its block"):
        _ = hold.id
    with topup.hold(account, 101, minimum_credits=100) as smaller:
        assert smaller.credits == 100


def test_a_refused_extension_leaves_the_hold(topup: Topup, account: str) -> None:
    with topup.hold(account, 50) as hold:
        hold.use(50)
        with pytest.raises(InsufficientCreditsError):
            hold.extend(101)
        assert hold.credits == 50
    assert topup.balance(account).available_credits == 50


def test_used_credits_are_not_negative(topup: Topup, account: str) -> None:
    with topup.hold(account, 50) as hold, pytest.raises(ValueError, match="negative"):
        hold.use(-1)


def test_the_failure_of_a_block_is_told_rather_than_that_of_its_release(
    lossy: Topup, topup: Topup, proxy: Proxy, account: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ZeroDivisionError), lossy.hold(account, 50) as hold:
        proxy.next(*FIVE_LOST)
        raise ZeroDivisionError
    assert "could not be resolved" in caplog.text
    assert topup.get_hold(hold.id).state == "open"


def test_a_capture_that_is_not_answered_is_told(lossy: Topup, proxy: Proxy, account: str) -> None:
    with pytest.raises(NoAnswerError), lossy.hold(account, 50) as hold:
        hold.use(5)
        proxy.next(*FIVE_LOST)
