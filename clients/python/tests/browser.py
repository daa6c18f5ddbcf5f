"""A real browser."""

from __future__ import annotations

import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent


def browse(kind: str, url: str) -> None:
    """Buy and spend on a page as a customer does."""
    playwright = HERE.parents[2] / "tests/browser/node_modules/playwright-core"
    assert playwright.is_dir(), "playwright-core is missing: run npm ci --prefix tests/browser"
    done = subprocess.run(["node", str(HERE / "browse.mjs"), kind, url], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
