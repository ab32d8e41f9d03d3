"""A server that is killed between the answer and the incident loses nothing, and doubles nothing."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rotator.bootstrap import Rotator
from rotator.practice.process import free_port
from rotator.settings.file import load
from tests.api.deployment import configured
from tests.e2e.commands import CommandLine, at_work, until
from tests.triggers import signing

CONFIGURED = """
data_dir = "data"
[[connections]]
name = "lab"
family = "gitlab"
endpoint_url = "{address}"
credential = "file:shared"
[[triggers]]
sender = "gitlab"
secret = "file:shared"
"""


class Issuer(ThreadingHTTPServer):
    """A GitLab that keeps who asks waiting until it is told to answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.was_asked, self.answers = threading.Event(), threading.Event()


class _Answer(BaseHTTPRequestHandler):
    server: Issuer

    def do_GET(self) -> None:
        self.server.was_asked.set()
        self.server.answers.wait(60)
        with contextlib.suppress(OSError):
            self.send_response(401)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, *_words: object) -> None: ...


@pytest.fixture
def issuer():
    server = Issuer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.answers.set()
    server.shutdown()
    server.server_close()
    thread.join()


def sends(port, delivery):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as line:
        line.request("POST", delivery.path, delivery.body, delivery.headers)
        return line.getresponse().status


def test_what_was_answered_is_declared_once_by_the_server_that_comes_after(tmp_path, issuer):
    config = configured(tmp_path, f"http://127.0.0.1:{issuer.server_port}", CONFIGURED)
    rotator, delivery = CommandLine(tmp_path, config, is_ready=True), signing.gitlab(time.time())
    port = free_port()
    serve = ("serve", "--port", str(port))
    with at_work(rotator.start(*serve).until_said("serving on")) as first:
        assert sends(port, delivery) == 204
        assert issuer.was_asked.wait(60)
        first.kill()
    parts = Rotator(load(config))
    [kept] = parts.triggers.listed()
    assert (kept.state, kept.incident, parts.reading.incidents()) == ("received", None, [])
    issuer.answers.set()
    with at_work(rotator.start(*serve).until_said("serving on")):
        assert sends(port, delivery) == 204
        [declared] = until(lambda: [each for each in parts.triggers.listed() if each.incident])
        assert sends(port, delivery) == 204
    assert [each.incident.id for each in parts.reading.incidents()] == [declared.incident]
    assert "canary" not in "".join(rotator.said)
    parts.database.close()
