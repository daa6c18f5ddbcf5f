"""Sends requests, repeats them, and reads the answers."""

from __future__ import annotations

import json
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from .._call import Call, valid_api_key, valid_base_url
from .._codec import InvalidShapeError, decode, encode
from .._retries import Retries
from .._version import __version__
from ..errors import NO_ANSWER, UNEXPECTED_ANSWER, NoAnswerError, TopupError, UnexpectedAnswerError, error_of_answer
from . import _runtime

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping

__all__ = ["AsyncCaller"]

T = TypeVar("T")

_log = logging.getLogger("topup_client")


class AsyncCaller:
    """What all groups of methods share: the connection, the key and the patience."""

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str,
        timeout_seconds: float = 35.0,
        retries: Retries | None = None,
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        self._base_url = valid_base_url(base_url)
        self._api_key = valid_api_key(api_key)
        self._timeout = httpx.Timeout(timeout_seconds, connect=min(5.0, timeout_seconds))
        self._retries = retries or Retries()
        self._owns_http = http_client is None
        self._http = http_client or httpx.AsyncClient()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._base_url!r})"

    async def aclose(self) -> None:
        """Close the connections, unless they are those of an `http_client` that was passed."""
        if self._owns_http:
            await self._http.aclose()

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        idempotency_key: str | None = None,
    ) -> Any:  # noqa: ANN401 - JSON
        """Send a request to a route that has no method here, and return the JSON of the answer.

        It is repeated like every other request. So pass an `idempotency_key` where the route wants one.
        """
        call = Call(method=method, path=path, query=query or {}, body=body, idempotency_key=idempotency_key)
        response = await self._send(call)
        return _json(response, call) if response.content else None

    async def _read(self, model: type[T], call: Call) -> T:
        response = await self._send(call)
        try:
            return decode(model, _json(response, call))
        except InvalidShapeError as cause:
            raise _unexpected(response, call, str(cause)) from cause

    async def _pages(self, model: type[T], call: Call) -> AsyncIterator[T]:
        """All entries of a list, page by page."""
        query = dict(call.query)
        while True:
            page = Call(method=call.method, path=call.path, query=query)
            response = await self._send(page)
            try:
                members = _members(_json(response, page))
                entries = [decode(model, entry) for entry in members["data"]]
            except (InvalidShapeError, KeyError, TypeError) as cause:
                raise _unexpected(response, page, f"no page of {model.__name__}") from cause
            for entry in entries:
                yield entry
            if not members.get("nextCursor"):
                return
            query["cursor"] = str(members["nextCursor"])

    async def _send(self, call: Call) -> httpx.Response:
        """Send a request until it has an answer, is refused, or is out of attempts."""
        attempt = 1
        while True:
            try:
                return await self._send_once(call)
            except TopupError as error:
                pause = self._retries.pause_after(error, attempt)
                if pause is None:
                    raise
                _log.info("%s %s: %s; again in %.1f s", call.method, call.path, error, pause)
            await _runtime.sleep(pause)
            attempt += 1

    async def _send_once(self, call: Call) -> httpx.Response:
        try:
            response = await self._http.send(self._request(call))
        except httpx.RequestError as cause:
            raise _no_answer(call, cause) from cause
        if not response.is_success:
            raise error_of_answer(response.status_code, response.headers, response.content, call.idempotency_key)
        return response

    @asynccontextmanager
    async def _stream(self, call: Call) -> AsyncGenerator[httpx.Response]:
        """An answer that is read piece by piece. Not repeated, because pieces of it may have been used."""
        try:
            response = await self._http.send(self._request(call), stream=True)
            try:
                if not response.is_success:
                    body = await response.aread()
                    raise error_of_answer(response.status_code, response.headers, body, call.idempotency_key)
                yield response
            finally:
                await response.aclose()
        except httpx.RequestError as cause:
            raise _no_answer(call, cause) from cause

    def _request(self, call: Call) -> httpx.Request:
        headers = {
            "accept": call.accept,
            "x-api-key": self._api_key,
            "user-agent": f"topup-client-python/{__version__}",
        }
        content = None
        if call.body is not None:
            headers["content-type"] = "application/json"
            content = json.dumps(encode(call.body), allow_nan=False).encode()
        if call.idempotency_key is not None:
            headers["idempotency-key"] = call.idempotency_key
        url = self._base_url + call.path
        # No parameters at all would remove those of the path.
        return self._http.build_request(
            call.method, url, params=dict(call.query) or None, headers=headers, content=content, timeout=self._timeout
        )


def _json(response: httpx.Response, call: Call) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(response.content)
    except ValueError as cause:
        raise _unexpected(response, call, "it is no JSON") from cause


def _members(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidShapeError("no object")
    return value  # pyright: ignore[reportUnknownVariableType] - JSON's names are texts


def _no_answer(call: Call, cause: Exception) -> NoAnswerError:
    what = str(cause) or type(cause).__name__
    detail = f"{call.method} {call.path} got no answer: {what}. It may or may not have been done."
    return NoAnswerError(detail, code=NO_ANSWER, idempotency_key=call.idempotency_key)


def _unexpected(response: httpx.Response, call: Call, reason: str) -> UnexpectedAnswerError:
    return UnexpectedAnswerError(
        f"the answer to {call.method} {call.path} is not of Topup: {reason}; is the base URL right?",
        code=UNEXPECTED_ANSWER,
        status=response.status_code,
        request_id=response.headers.get("x-request-id"),
        idempotency_key=call.idempotency_key,
    )
