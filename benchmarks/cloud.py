"""A simulated cloud in a process of its own: accounts with limits, latency, and stops that take their time to be felt.

`python -m benchmarks.cloud` with the limits as JSON serves HTTP/1.1 on 127.0.0.1 until it is ended:

    GET /A/keys/ID             whether it is active, suspended or absent
    GET /A/keys/ID/use         what is known of its last use
    POST /A/keys/ID/suspend    (resume) answered at once; at the door it is felt `propagation_s` later
    DELETE /A/keys/ID          likewise
    GET /A/door                knock with `Key: ID SECRET`: 200 or 401
    GET /told                  calls and refusals over the limit, by account: asked for nothing and at once

Each account has a bucket of `burst` tokens that fills with `rate` a second; a call that finds none is answered 429 with
Retry-After in whole seconds, as HTTP has it. Every answer comes `latency_s` after its request; what a call changes is
changed when it is answered.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import sys
from collections import Counter
from dataclasses import asdict, dataclass

from benchmarks.population import plant


@dataclass(frozen=True, slots=True)
class Limits:
    """What the cloud is: its population, and how each account answers. `rate` None means without limit."""

    credentials: int
    accounts: int = 10
    seed: int = 1
    latency_s: float = 0.1
    propagation_s: float = 0.0
    rate: float | None = None
    burst: int = 1

    def text(self) -> str:
        """Return it as the argument of the process."""
        return json.dumps(asdict(self))


class Bucket:
    """The tokens of one account. Times in the loop's seconds."""

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self._rate, self._burst = rate, burst
        self._tokens, self._at = float(burst), now

    def missing_s(self, now: float) -> float:
        """Take a token; else return the seconds until there is one."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return (1 - self._tokens) / self._rate
        self._tokens -= 1
        return 0.0


class Cloud:
    """What is known of every key. A stop's time is kept, since the door learns of it later than the issuer."""

    def __init__(self, limits: Limits, loop: asyncio.AbstractEventLoop) -> None:
        self.limits, self._loop = limits, loop
        population = plant(limits.credentials, limits.accounts, limits.seed)
        self._keys = {(each.account, each.id): each.secret for each in population}
        self._state: dict[tuple[str, str], tuple[str, float]] = {}
        self._buckets: dict[str, Bucket] = {}
        self._calls: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()

    def answer(self, method: str, path: str, knock: str, send: asyncio.Transport) -> None:
        """Answer one request, when its time has come."""
        _, account, *rest = path.split("/")
        if account == "told":
            send.write(_answer(200, json.dumps({"calls": self._calls, "over": self._refused})))
            return
        self._calls[account] += 1
        wait = self._over_limit(account)
        if wait:
            self._refused[account] += 1
            send.write(_answer(429, "", f"Retry-After: {math.ceil(wait)}\r\n"))
            return
        if rest == ["door"]:
            status, body = self._door(account, knock)
        else:
            status, body = self._key(method, (account, rest[1]), rest[2:])
        self._loop.call_later(self.limits.latency_s, send.write, _answer(status, body))

    def _over_limit(self, account: str) -> float:
        if self.limits.rate is None:
            return 0.0
        now = self._loop.time()
        if account not in self._buckets:
            self._buckets[account] = Bucket(self.limits.rate, self.limits.burst, now)
        return self._buckets[account].missing_s(now)

    def _door(self, account: str, knock: str) -> tuple[int, str]:
        name, _, secret = knock.partition(" ")
        key = (account, name)
        state, since = self._state.get(key, ("active", 0.0))
        stopped = state != "active" and self._loop.time() >= since + self.limits.propagation_s
        return (401, "") if stopped or self._keys.get(key) != secret else (200, "")

    def _key(self, method: str, key: tuple[str, str], verb: list[str]) -> tuple[int, str]:
        state, _ = self._state.get(key, ("active" if key in self._keys else "absent", 0.0))
        if method == "GET":
            return 200, '{"last_used": "yesterday"}' if verb else f'{{"state": "{state}"}}'
        wanted = "absent" if method == "DELETE" else {"suspend": "suspended", "resume": "active"}[verb[0]]
        if state not in {"absent", wanted}:
            self._loop.call_later(self.limits.latency_s, self._change, key, wanted)
        return 200, ""

    def _change(self, key: tuple[str, str], state: str) -> None:
        self._state[key] = (state, self._loop.time())


_REASONS = {200: "OK", 401: "Unauthorized", 429: "Too Many Requests"}


def _answer(status: int, body: str, more: str = "") -> bytes:
    return f"HTTP/1.1 {status} {_REASONS[status]}\r\n{more}Content-Length: {len(body)}\r\n\r\n{body}".encode()


class Line(asyncio.Protocol):
    """One kept connection. Its client sends the next request when it has the answer to the last; none has a body."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud, self._read = cloud, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        if not self._read.endswith(b"\r\n\r\n"):
            return
        first, *headers = self._read.decode().split("\r\n")
        self._read = b""
        method, path, _ = first.split(" ")
        knock = next((header[5:] for header in headers if header.startswith("Key: ")), "")
        self._cloud.answer(method, path, knock, self._transport)


async def serve(limits: Limits, port: int) -> None:
    """Serve until ended, or until whoever started this has died."""
    loop = asyncio.get_running_loop()
    cloud = Cloud(limits, loop)
    parent = os.getppid()
    async with await loop.create_server(lambda: Line(cloud), "127.0.0.1", port, backlog=1024):
        while os.getppid() == parent:  # noqa: ASYNC110 - no event tells of a parent that died
            await asyncio.sleep(1.0)


if __name__ == "__main__":
    asyncio.run(serve(Limits(**json.loads(sys.argv[2])), int(sys.argv[1])))
