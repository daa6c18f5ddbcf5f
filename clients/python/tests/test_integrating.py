"""The steps of docs/integrating.md lead from an empty folder to a page that sells and spends."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from browser import browse
from service import REPOSITORY, topup_program

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

PAGE = REPOSITORY / "docs" / "integrating.md"
TOPUP = "$TOPUP/target/release/topup"


def blocks(language: str) -> list[str]:
    """The code of the steps, in their order."""
    steps = PAGE.read_text().split("## From an empty folder")[1].split("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```$", steps, re.MULTILINE | re.DOTALL)


def free_port() -> int:
    """A port at which nothing listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextlib.contextmanager
def running(command: str, folder: Path, environment: dict[str, str], said: str) -> Generator[None]:
    """Run a printed command until the block ends. Begins when it has said something."""
    log = folder / f"{said.split()[0]}.log"
    with log.open("w") as output:
        options: dict[str, Any] = {"cwd": folder, "env": environment, "stdout": output, "stderr": subprocess.STDOUT}
        process = subprocess.Popen(["/bin/bash", "-c", f"exec {command}"], **options)
        try:
            end = time.monotonic() + 180
            while said not in log.read_text():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < end, f"{command} did not say {said!r}"
                time.sleep(0.05)
            yield
        finally:
            process.terminate()
            process.wait()


def test_from_an_empty_folder_to_a_page_that_sells_and_spends(tmp_path: Path) -> None:
    _build, start, prepare, serve = blocks("sh")
    (shop,) = blocks("python")
    (page,) = blocks("html")
    page_port, topup_port, sandbox_port = free_port(), free_port(), free_port()

    def here(text: str) -> str:
        """A step with the ports and programs of this test."""
        own = text.replace("8000", str(page_port)).replace("127.0.0.1:8080", f"127.0.0.1:{topup_port}")
        return own.replace(TOPUP, str(topup_program())).replace(".venv/bin/uvicorn", f"{sys.executable} -m uvicorn")

    # What this test has already.
    for line in ("python3 -m venv .venv\n", ".venv/bin/pip install $TOPUP/clients/python fastapi uvicorn\n"):
        assert line in prepare
        prepare = prepare.replace(line, "")
    (tmp_path / "shop.py").write_text(here(shop))
    (tmp_path / "page.html").write_text(page)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TOPUP_API")}
    ports = f" --port {topup_port} --sandbox-port {sandbox_port} --serve-port 0"
    with running(here(start).strip() + ports, tmp_path, environment, "Stop with Ctrl-C"):
        told = f"{here(prepare)}\nprintf %s $TOPUP_API_KEY"
        key = subprocess.check_output(["/bin/bash", "-euc", told], cwd=tmp_path, env=environment, text=True)
        with running(
            here(serve).strip(), tmp_path, {**environment, "TOPUP_API_KEY": key}, "Application startup complete"
        ):
            browse("shop", f"http://127.0.0.1:{page_port}")
            as_its_page_does(f"http://127.0.0.1:{page_port}", f"http://127.0.0.1:{sandbox_port}", tmp_path, page)


def as_its_page_does(url: str, sandbox: str, folder: Path, page: str) -> None:
    """Buy and spend."""
    with httpx.Client(base_url=url, timeout=60) as browser:
        assert browser.get("/").text == page
        refused = browser.post("/draw", json={"request_id": "1"})
        assert (refused.status_code, refused.json()["code"]) == (402, "insufficient_credits")
        checkout_page: str = browser.post("/buy", json={"credits": 250}).json()
        assert checkout_page.startswith(sandbox)
        checkout = checkout_page.partition("?")[0].rpartition("/")[2]
        secret = json.loads((folder / ".topup-dev/secrets.json").read_text())["stripe_secret_key"]
        confirm = f"{sandbox}/v1/payment_pages/{checkout}/confirm"
        payment = {"payment_method": "pm_card_visa", "expected_amount": "289"}
        httpx.post(confirm, auth=(secret, ""), data=payment).raise_for_status()
        assert browser.get(f"/bought/{checkout}").json() is True
        assert browser.get("/balance").json() == 250
        assert browser.post("/draw", json={"request_id": "1"}).json() == "An image for 12 credits."
        assert browser.post("/draw", json={"request_id": "1"}).json() == "An image for 12 credits."
        assert browser.get("/balance").json() == 238


@pytest.mark.parametrize(
    "path", [PAGE, REPOSITORY / "clients/python/README.md", REPOSITORY / "examples/fastapi/README.md"]
)
def test_every_link_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", path.read_text())
    assert links
    for link in links:
        if link.startswith("https://"):
            continue
        file, _, heading = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.exists(), link
        if heading:
            titles = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
            assert heading in {re.sub(r"[^a-z0-9 _-]", "", title.lower()).replace(" ", "-") for title in titles}, link
