"""Sends requests so carelessly that answers are lost, and so patiently that each is known in the end."""

import http.client
import json
import select
import socket
import struct
import threading
import time
import urllib.parse

from books import Request, Wrong, check

PATIENCE_SECONDS = 90  # for one request with all its repetitions
ATTEMPT_SECONDS = 20


class Sender:
    """Sends requests to one of the servers, until an answer is known."""

    def __init__(self, options, books, chance, careless):
        self.options, self.books, self.chance, self.careless = options, books, chance, careless

    def headers(self, request):
        headers = {"content-type": "application/json"}
        if request.key:
            headers["idempotency-key"] = request.key
        credential = self.options.admin if request.admin else self.options.key
        if credential.startswith("topup_sk_"):
            headers["x-api-key"] = credential
        else:
            headers["authorization"] = f"Bearer {credential}"
        return headers

    def attempt(self, request, mishap=None):
        """The status and the answer; None if there is none. The server may have done it, or not."""
        url = urllib.parse.urlsplit(self.chance.choice(self.options.server))
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=ATTEMPT_SECONDS)
        body = None if request.body is None else json.dumps(request.body)
        try:
            if mishap == "half":  # the server never gets all of it
                connection.putrequest("POST", request.path)
                for name, value in {**self.headers(request), "content-length": str(len(body))}.items():
                    connection.putheader(name, value)
                connection.endheaders(body[: len(body) // 2].encode())
                return None
            connection.request("GET" if body is None else "POST", request.path, body, self.headers(request))
            if mishap == "sent":
                return None
            if mishap == "answered":  # it was done for certain, and nobody reads of it
                select.select([connection.sock], [], [], ATTEMPT_SECONDS)
                return None
            response = connection.getresponse()
            return response.status, json.loads(response.read()), response.headers
        except (OSError, http.client.HTTPException, ValueError):
            return None
        finally:
            if mishap and connection.sock:  # a reset, not a polite end
                connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

    def known(self, request):
        """Sends a request until its answer is known. Returns it, and whether an attempt got none."""
        deadline, lost, tries = time.monotonic() + PATIENCE_SECONDS, False, 0
        while time.monotonic() < deadline:
            tries += 1
            mishap = None
            if self.careless and tries < 4 and self.chance.random() < 0.2:
                mishap = self.chance.choice(["sent", "sent", "answered", "answered", "half"])
                mishap = None if request.body is None else mishap
            answer = self.attempt(request, mishap)
            if answer is None:
                lost = True
                self.books.add("lost answers")
            elif answer[0] in (408, 429, 503):  # it may be done, or not; the documentation says: repeat
                lost = True
                self.books.add(f"repeated after {answer[0]}")
            else:
                self.books.add("repeated requests", int(tries > 1))
                return answer[0], answer[1], lost
            if mishap is None:
                time.sleep(0.02 * self.chance.random() * min(tries, 20))  # a server that starts needs a moment
        raise Wrong(f"no answer to {request.kind} {request.path} in {PATIENCE_SECONDS} seconds")

    def ask(self, path, admin=False):
        status, answer, _ = self.known(Request("get", path, None, admin=admin))
        check(status == 200, f"{path}: {status} {answer}")
        return answer

    def do(self, request):
        """Does a piece of work. Returns what was made, or None if it was refused."""
        status, answer, lost = self.known(request)
        made = self.books.absorb(request, status, answer)
        if made is None and lost:
            self.books.open_questions.append(request)
        return made

    def do_twice_at_once(self, request):
        """Two requests with one key at the same moment: one of them does it, and both are told the same."""
        answers = []
        other = threading.Thread(target=lambda: answers.append(self.attempt(request)))
        other.start()
        answers.append(self.attempt(request))
        other.join()
        self.books.add("sent twice at once")
        made = self.do(request)
        for status, answer, _ in filter(None, answers):
            if status == 200 and made:
                check(answer["id"] == made["id"], f"one key, two results: {answer['id']} and {made['id']}")
            check(status != 200 or made, f"a key was used, and is then refused: {answer}")
        if made is None and request not in self.books.open_questions:
            self.books.open_questions.append(request)
        return made

    def batch(self, requests):
        """Sends debits together. Each item is an answer of its own."""
        items, lost = {request.key: request for request in requests}, False
        while items:
            body = {"items": [{"key": key, "accountId": item.account, **item.body} for key, item in items.items()]}
            status, answer, again = self.known(Request("batch", "/credits/debits/batch", body))
            check(status == 200, f"batch: {status} {answer}")
            check([result["key"] for result in answer["results"]] == list(items), "a batch answers in another order")
            lost = lost or again
            for result in answer["results"]:
                if result["status"] == 503:
                    lost = True
                    continue
                item = items.pop(result["key"])
                made = self.books.absorb(item, result["status"], result.get("spend") or result.get("problem"))
                if made is None and lost:
                    self.books.open_questions.append(item)
                elif made:
                    yield made
