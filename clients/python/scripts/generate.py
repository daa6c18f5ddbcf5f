"""Makes what is generated: `models.py` from the API's document, and `_sync` from `_async`.

python scripts/generate.py            writes the files
python scripts/generate.py --check    exits with 1 and names the files that would change
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, cast

CLIENT = Path(__file__).resolve().parent.parent
PACKAGE = CLIENT / "src" / "topup_client"
DOCUMENT = CLIENT.parent.parent / "openapi" / "openapi.json"

# The routes that have methods. Objects of other routes are not generated.
OPERATIONS = {
    "getQuote", "createCheckout", "getCheckout",
    "createDebit", "createDebits", "getDebit", "refundDebit", "getAccountAccess",
    "createHold", "getHold", "listHolds", "extendHold", "captureHold", "releaseHold",
    "getAccountBalance", "listAccountTransactions", "listAccountGrants", "getAccountUsage", "getAccountStatement",
    "listAccountLimits", "getAccountLimit", "setAccountLimit", "removeAccountLimit",
    "getAccount", "blockAccount", "unblockAccount", "createGrant", "voidGrant", "createAdjustment", "listAdjustments",
    "listTopups", "getTopup", "previewRefund", "createRefund",
    "listPlans", "getEntitlement", "listSubscriptions", "getSubscription", "createSubscriptionCheckout",
    "previewSubscriptionChange", "changeSubscription", "cancelSubscription", "resumeSubscription",
    "createPortalSession",
}  # fmt: skip

# From the names of `_async` to those of `_sync`.
REPLACEMENTS = [
    (r"\basync def\b", "def"),
    (r"\basync (with|for)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\bAsync([A-Z]\w*)", r"\1"),
    (r"\b__a(enter|exit)__\b", r"__\1__"),
    (r"\ba(close|read|iter_bytes)\b", r"\1"),
    (r"\basynccontextmanager\b", "contextmanager"),
]
BY_HAND = {"_runtime.py", "__init__.py"}
HEADER = '"""The API\'s objects. Made from openapi/openapi.json by scripts/generate.py."""\n'
NOTE = "# Made from _async/{name} by scripts/generate.py. Change that file.\n"


def main() -> int:
    """Write the files, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a file would change")
    check: bool = parser.parse_args().check
    generated = {PACKAGE / "models.py": models(), **synchronous()}
    old = [path for path, text in generated.items() if not path.is_file() or path.read_text() != text]
    superfluous = [
        path for path in (PACKAGE / "_sync").glob("*.py") if path.name not in BY_HAND and path not in generated
    ]
    if check:
        for path in old + superfluous:
            print(f"{path.relative_to(CLIENT)} is not up to date; run clients/python/check generate")
        return 1 if old or superfluous else 0
    for path in old:
        path.write_text(generated[path])
    for path in superfluous:
        path.unlink()
    return 0


def models() -> str:
    """The dataclasses of the API's objects."""
    with tempfile.TemporaryDirectory() as folder:
        document, output = Path(folder, "openapi.json"), Path(folder, "models.py")
        document.write_text(json.dumps(reduced(json.loads(DOCUMENT.read_text()))))
        options = [
            "--input-file-type", "openapi", "--output-model-type", "dataclasses.dataclass",
            "--target-python-version", "3.10", "--snake-case-field", "--frozen-dataclasses", "--keyword-only",
            "--enum-field-as-literal", "all", "--use-standard-collections", "--use-union-operator",
            "--use-schema-description", "--use-field-description", "--disable-timestamp", "--formatters", "builtin",
            "--custom-file-header", HEADER,
        ]  # fmt: skip
        program = [sys.executable, "-m", "datamodel_code_generator"]
        subprocess.run([*program, "--input", str(document), "--output", str(output), *options], check=True)
        return formatted(output.read_text())


def reduced(document: dict[str, Any]) -> dict[str, Any]:
    """The document with only the routes that have methods, and the objects of these."""
    paths = {
        path: {method: operation for method, operation in item.items() if operation.get("operationId") in OPERATIONS}
        for path, item in document["paths"].items()
    }
    found = {operation["operationId"] for item in paths.values() for operation in item.values()}
    if found != OPERATIONS:
        sys.exit(f"openapi.json lacks {', '.join(sorted(OPERATIONS - found))}; change OPERATIONS and the methods")
    schemas: dict[str, Any] = document["components"]["schemas"]
    needed: set[str] = set()
    waiting = references(paths)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting |= references(schemas[name])
    components = {"schemas": {name: schema for name, schema in schemas.items() if name in needed}}
    return {"openapi": document["openapi"], "info": document["info"], "paths": paths, "components": components}


def references(value: object) -> set[str]:
    """The names of the objects that a part of the document refers to."""
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        here = members.get("$ref")
        found = {here.rpartition("/")[2]} if isinstance(here, str) else set[str]()
        return found.union(*(references(member) for member in members.values()))
    if isinstance(value, list):
        return set[str]().union(*(references(item) for item in cast("list[object]", value)))
    return set()


def synchronous() -> dict[Path, str]:
    """The files of `_sync`."""
    files: dict[Path, str] = {}
    for source in sorted((PACKAGE / "_async").glob("*.py")):
        if source.name in BY_HAND:
            continue
        text = source.read_text()
        for pattern, replacement in REPLACEMENTS:
            text = re.sub(pattern, replacement, text)
        files[PACKAGE / "_sync" / source.name] = formatted(NOTE.format(name=source.name) + text)
    return files


def formatted(text: str) -> str:
    """The text as `ruff` leaves it."""
    for arguments in (
        ["check", "--select", "I,RUF022,UP028", "--fix", "--unsafe-fixes", "--quiet"],
        ["format", "--quiet"],
    ):
        ruff = [sys.executable, "-m", "ruff", *arguments, "--stdin-filename", str(PACKAGE / "generated.py"), "-"]
        text = subprocess.run(ruff, input=text, capture_output=True, text=True, check=True, cwd=CLIENT).stdout
    return text


if __name__ == "__main__":
    sys.exit(main())
