"""A real service for the tests: `topup dev`, with its sandbox."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Generator

    from topup_client.models import CreatedSession

REPOSITORY = Path(__file__).resolve().parents[3]
SCOPES = "checkout,read,spend,admin"

_numbers = itertools.count(1)


@dataclasses.dataclass(frozen=True)
class Service:
    """A running service and its sandbox."""

    url: str
    sandbox: str
    sandbox_key: str
    api_key: str
    program: Path
    database: str

    def new_account(self) -> str:
        """An account that no other test has."""
        return f"user/{next(_numbers)} å"

    def new_key(self, *arguments: str) -> str:
        """An API key with these arguments of `topup keys create`."""
        return create_key(self.program, self.database, *arguments)

    def pay(self, checkout: CreatedSession, total_amount: int, payment_method: str = "pm_card_visa") -> httpx.Response:
        """Pay a checkout, as its customer does."""
        return httpx.post(
            f"{self.sandbox}/v1/payment_pages/{checkout.id}/confirm",
            auth=(self.sandbox_key, ""),
            data={"payment_method": payment_method, "expected_amount": str(total_amount)},
        )

    def settle(self) -> None:
        """Wait until every webhook that is due was delivered."""
        httpx.get(f"{self.sandbox}/_sandbox/idle", timeout=30).raise_for_status()


def topup_program() -> Path:
    """The program that `cargo build` makes, or that TOPUP_PROGRAM names.

    Raises:
        FileNotFoundError: With what to do, if it is not there.

    """
    program = Path(os.environ.get("TOPUP_PROGRAM") or REPOSITORY / "target" / "debug" / "topup")
    if not program.is_file():
        raise FileNotFoundError(f"{program} is missing: run `cargo build`, or set TOPUP_PROGRAM to the topup program")
    return program


def create_key(program: Path, database: str, *arguments: str) -> str:
    """Create an API key in the database of a service."""
    command = [str(program), "keys", "create", *arguments]
    environment = {**os.environ, "DATABASE_URL": database}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()


@contextlib.contextmanager
def running(folder: Path) -> Generator[Service]:
    """Run `topup dev` on free ports with its data in a folder."""
    program = topup_program()
    data = folder / "topup-dev"
    ports = ["--port", "0", "--sandbox-port", "0", "--serve-port", "0"]
    with (folder / "log").open("w+") as log:
        command = [str(program), "dev", "--data-dir", str(data), *ports]
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            found = _addresses(process, folder / "log")
            database = f"sqlite://{data}/topup.db"
            key = create_key(program, database, "--name", "tests", "--scope", SCOPES)
            yield Service(
                found["Demo"].rstrip("/"), found["Sandbox"].rstrip("/"), found["Its key"], key, program, database
            )
        finally:
            process.terminate()
            process.communicate()


def _addresses(process: subprocess.Popen[str], log: Path) -> dict[str, str]:
    """What the welcome text names."""
    found: dict[str, str] = {}
    for line in process.stdout or ():
        if match := re.fullmatch(r"  (Demo|Sandbox|Its key) +(\S+)\n", line):
            found[match[1]] = match[2]
        if len(found) == 3:
            return found
    raise AssertionError(f"`topup dev` did not start:\n{log.read_text()}")
