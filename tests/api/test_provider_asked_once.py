"""Many who sign in at once ask the provider once for its description and its keys; a failure is told them, not kept."""

from __future__ import annotations

import contextlib
import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from joserfc.jwk import RSAKey

from rotator.errors import Unavailable
from rotator.openid.provider import Provider
from rotator.settings.sign_in import OidcSettings

PEOPLE = 32
DESCRIPTION, KEYS = "/.well-known/openid-configuration", "/keys"


class Issuer(ThreadingHTTPServer):
    """A provider that says what it is asked, or 500 while it is down, and counts by path."""

    def __init__(self):
        self.asked, self.is_down, self._counting = Counter(), False, threading.Lock()
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}).as_dict(private=False)
        super().__init__(("127.0.0.1", 0), Answering)

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, path):
        with self._counting:
            self.asked[path] += 1
        if path == KEYS:
            return {"keys": [self.key]}
        there = {name: f"{self.address}/{name}" for name in ("authorization_endpoint", "token_endpoint")}
        return {"issuer": self.address, "jwks_uri": self.address + KEYS, **there}


class Answering(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(self.server.answer(self.path)).encode()
        self.send_response(500 if self.server.is_down else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def issuer():
    with Issuer() as found:
        serving = threading.Thread(target=found.serve_forever)
        serving.start()
        yield found
        found.shutdown()
        serving.join()


class AllAtOnce:
    """A clock at which each of many looks first when all have come: none asks before they all do."""

    def __init__(self):
        self.now, self._gate, self._looked = 1000.0, threading.Barrier(PEOPLE), threading.local()

    def __call__(self):
        if not getattr(self._looked, "at_all", False):
            self._looked.at_all = True
            self._gate.wait(60)
        return self.now


@pytest.fixture
def provider(issuer, tmp_path):
    settings = OidcSettings(issuer=issuer.address, client_id="rotator")
    return Provider(settings, tmp_path, "http://127.0.0.1/back", AllAtOnce())


def by_many(ask):
    """Return what each of many got who ask at once, "down" for who got nothing."""

    def one(_):
        with contextlib.suppress(Unavailable):
            return ask()
        return "down"

    with ThreadPoolExecutor(PEOPLE) as people:
        return list(people.map(one, range(PEOPLE)))


def test_many_at_once_ask_once_and_get_the_same(provider, issuer):
    found = by_many(provider.keys)
    assert issuer.asked == {DESCRIPTION: 1, KEYS: 1}
    assert all(each is found[0] for each in found)


def test_a_failure_is_told_to_all_and_the_next_asks_anew(provider, issuer):
    issuer.is_down = True
    assert by_many(provider.described) == ["down"] * PEOPLE
    issuer.is_down = False
    assert [each["issuer"] for each in by_many(provider.described)] == [issuer.address] * PEOPLE
