"""Waiting. Written by hand, unlike the other files of this folder."""

from __future__ import annotations

from contextlib import contextmanager
from time import monotonic
from time import sleep as _sleep
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["monotonic", "shielded", "sleep"]


def sleep(seconds: float) -> None:
    """Wait."""
    _sleep(seconds)


@contextmanager
def shielded() -> Generator[None]:
    """Do what is inside. Threads are not cancelled."""
    yield
