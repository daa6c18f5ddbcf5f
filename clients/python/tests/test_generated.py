"""What is generated is up to date, and what is packed is whole."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import topup_client
from topup_client import models
from topup_client._codec import InvalidShapeError, decode, encode, member_name

CLIENT = Path(__file__).resolve().parents[1]
DOCUMENT = json.loads((CLIENT.parents[1] / "openapi" / "openapi.json").read_text())


def test_the_models_and_the_client_without_await_are_up_to_date() -> None:
    program = [sys.executable, str(CLIENT / "scripts" / "generate.py"), "--check"]
    checked = subprocess.run(program, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_member_has_its_name_in_the_api() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    compared = 0
    for name, model in vars(models).items():
        if not dataclasses.is_dataclass(model):
            continue
        parts = schemas[name].get("allOf", [schemas[name]])
        resolved = [schemas[part["$ref"].rpartition("/")[2]] if "$ref" in part else part for part in parts]
        members = {member for part in resolved for member in part["properties"]}
        assert {member_name(field.name) for field in dataclasses.fields(model)} == members, name
        compared += 1
    assert compared > 30


def test_the_version_is_that_of_the_package() -> None:
    assert f'\nversion = "{topup_client.__version__}"\n' in (CLIENT / "pyproject.toml").read_text()
    assert DOCUMENT["info"]["version"] == topup_client.__version__


def test_the_package_has_its_types_and_nothing_else(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--wheel-dir", str(tmp_path), str(CLIENT)], check=True)
    (wheel,) = tmp_path.glob("topup_client-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    code = {f"topup_client/{path.relative_to(CLIENT / 'src/topup_client')}" for path in (CLIENT / "src").rglob("*.py")}
    information = {name for name in names if name.startswith(f"topup_client-{topup_client.__version__}.dist-info/")}
    assert "topup_client/py.typed" in names
    assert names - information == code | {"topup_client/py.typed"}


def test_newer_answers_are_read_and_broken_ones_are_not() -> None:
    balance = {"accountId": "a", "remainingCredits": 1, "heldCredits": 0, "availableCredits": 1, "owedCredits": 0}
    known = decode(models.AccountBalance, balance)
    assert decode(models.AccountBalance, {**balance, "aNewMember": {"x": 1}}) == known
    assert encode(known) == balance
    for broken in (
        {**balance, "heldCredits": "0"},
        {**balance, "heldCredits": 0.5},
        {**balance, "heldCredits": True},
        {**balance, "heldCredits": None},
        {name: value for name, value in balance.items() if name != "heldCredits"},
    ):
        with pytest.raises(InvalidShapeError, match=r"AccountBalance\.heldCredits"):
            decode(models.AccountBalance, broken)
    for other in (list[object](), "text", None):
        with pytest.raises(InvalidShapeError):
            decode(models.AccountBalance, other)


def test_new_words_are_read() -> None:
    assert decode(models.Grants, {"data": [], "nextCursor": None}) == models.Grants(data=[])
    problem = {"type": "t", "title": "t", "status": 402, "code": "a_new_code", "detail": "d", "error": "d"}
    error = topup_client.error_of(decode(models.Problem, problem))
    assert (type(error), error.code) == (topup_client.TopupError, "a_new_code")


@pytest.mark.parametrize("name", topup_client.__all__)
def test_everything_that_is_exported_is_there(name: str) -> None:
    assert hasattr(topup_client, name)
