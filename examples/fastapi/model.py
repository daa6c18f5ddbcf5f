"""Stands in for a language model: writes words, some for each word of the prompt."""

from __future__ import annotations

import asyncio
import itertools
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

WORDS = ["credits", "are", "held", "before", "the", "work", "begins", "and", "captured", "when", "it", "has", "ended"]
WORDS_FOR_EACH = 20


async def answer(prompt: str) -> AsyncIterator[str]:
    """Write 20 words for each word of the prompt. The word `fail` makes it fail halfway."""
    pause = float(os.environ.get("SECONDS_FOR_EACH_WORD", "0.05"))
    length = WORDS_FOR_EACH * len(prompt.split())
    for number, word in enumerate(itertools.islice(itertools.cycle(WORDS), length)):
        if "fail" in prompt and number == length // 2:
            raise RuntimeError("the model has failed")
        await asyncio.sleep(pause)
        yield f"{word} "
