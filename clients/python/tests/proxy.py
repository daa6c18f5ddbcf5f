"""A proxy that loses answers, and answers in place of the service."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import http.client
import http.server
import threading
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Generator


@dataclasses.dataclass(frozen=True)
class Answer:
    """An answer that is not of the service."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


Fate: TypeAlias = Literal["pass", "lose request", "lose answer", "cut answer"] | Answer
"""What happens to a request. After `lose answer` and `cut answer` the service has done it."""


@dataclasses.dataclass(frozen=True)
class Seen:
    """A request that came."""

    method: str
    path: str
    idempotency_key: str | None
    headers: dict[str, str]
    body: bytes


class Proxy:
    """Listens on a free port. Requests beyond those of `fates` pass."""

    def __init__(self, url: str, fates: collections.deque[Fate], seen: list[Seen]) -> None:
        self.url = url
        self.fates = fates
        self.seen = seen

    def next(self, *fates: Fate) -> None:
        """What happens to the next requests."""
        self.seen.clear()
        self.fates.extend(fates)


@contextlib.contextmanager
def running(upstream: str) -> Generator[Proxy]:
    """Run a proxy in front of a service."""
    fates: collections.deque[Fate] = collections.deque()
    seen: list[Seen] = []
    handler = type("Handler", (_Handler,), {"upstream": urlsplit(upstream).netloc, "fates": fates, "seen": seen})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield Proxy(f"http://127.0.0.1:{server.server_address[1]}", fates, seen)
        finally:
            server.shutdown()
            thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    upstream: str
    fates: collections.deque[Fate]
    seen: list[Seen]

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.seen.append(Seen(self.command, self.path, headers.get("idempotency-key"), headers, body))
        fate = self.fates.popleft() if self.fates else "pass"
        self.close_connection = True
        if fate == "lose request":
            return
        answer = fate if isinstance(fate, Answer) else self._forward(headers, body)
        if fate != "lose answer":
            self._send(answer, half=fate == "cut answer")

    do_GET = do_POST = do_PUT = do_DELETE = _handle  # noqa: N815 - names of http.server

    def _forward(self, headers: dict[str, str], body: bytes) -> Answer:
        connection = http.client.HTTPConnection(self.upstream)
        try:
            passed = {name: value for name, value in headers.items() if name not in ("host", "connection")}
            connection.request(self.command, self.path, body, passed)
            response = connection.getresponse()
            headers_back = tuple(
                (name, value)
                for name, value in response.getheaders()
                if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server")
            )
            return Answer(response.status, response.read(), headers_back)
        finally:
            connection.close()

    def _send(self, answer: Answer, *, half: bool) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body[: len(answer.body) // 2] if half else answer.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of http.server
        """Stay quiet."""
