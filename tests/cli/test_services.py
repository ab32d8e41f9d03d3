"""What runs as a service says one line when it is ready, and nothing else that is not about the work."""

from __future__ import annotations

import base64
import urllib.error
import urllib.request

import pytest

from rotator.practice.process import free_port
from tests.e2e.commands import at_work
from tests.servers.postgres import postgres
from tests.servers.redis import redis_server


@pytest.fixture(scope="module")
def backends(tmp_path_factory):
    with postgres() as url, redis_server(tmp_path_factory.mktemp("redis")) as broker:
        yield {
            "ROTATOR_DATABASE_URL": url,
            "ROTATOR_BROKER_URL": broker.url,
            "ROTATOR_SEAL_KEY": "env:KEY",
            "KEY": base64.b64encode(b"k" * 32).decode(),
        }


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("worker",), "worker up: contain, replace, hygiene"),
        (("worker", "--lane", "contain"), "worker up: contain"),
        (("beat",), "dispatcher up"),
    ],
)
def test_a_service_says_in_one_line_that_it_is_ready(rotator, backends, words, line):
    rotator.environment = backends
    with at_work(rotator.start(*words)) as running:
        running.until_said(f"{line}\n")
        running.process.terminate()
        done = running.end().ended(0)
    assert done.one_line == line


def test_the_web_says_where_it_is_and_serves_nothing_of_an_incident_without_a_token(rotator):
    port = free_port()
    with at_work(rotator.start("serve", "--port", str(port))) as running:
        running.until_said(f"serving on http://127.0.0.1:{port}\n")
        for path in ("/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
                assert answer.status == 200
        for path, status in {"/redoc": "404", "/": "401", "/api/v1/incidents": "401"}.items():
            with pytest.raises(urllib.error.HTTPError, match=status):
                urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30)
