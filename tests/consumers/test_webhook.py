"""A consumer that is told by HTTP hears names only, and what it answers cannot leak."""

from __future__ import annotations

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rotator.consumers.webhook import connect
from rotator.credential import CredentialRef
from rotator.errors import BadInput, Rejected, RotatorError, Unavailable, Uncertain
from rotator.ports.consumer import Notice
from rotator.ports.store import Place
from rotator.practice.process import free_port

EXPOSED = CredentialRef("vault_token", "vault", "ci", "old-accessor")
NOTICE = Notice("inc-1", EXPOSED, EXPOSED.with_id("new-accessor"), (Place("vault_kv", "vault", "ci/token"),))


class Service:
    """What the consumer's side answers next, and what it has heard."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.heard: list[dict] = []
        self.status, self.headers, self.body = 200, {}, b"{}"
        self.hangs_up = False


@pytest.fixture
def service():
    class Answer(BaseHTTPRequestHandler):
        def do_POST(self):
            told.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            if told.hangs_up:
                return
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):  # the rotator stops reading an answer that is too long
                self.wfile.write(told.body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    told = Service(f"http://127.0.0.1:{server.server_port}/reload")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield told
    server.shutdown()
    server.server_close()
    thread.join()


def test_it_hears_names_only(service):
    told = connect(service.address).reload(NOTICE)
    assert service.heard == [
        {
            "event": "reload",
            "incident": "inc-1",
            "exposed": "old-accessor",
            "replacement": "new-accessor",
            "places": ["vault_kv:vault:ci/token"],
        }
    ]
    assert told.said.startswith("200 in ")
    assert told.using is None


def test_asking_what_it_holds_is_an_event_of_its_own(service):
    service.body = b'{"using": "old-accessor"}'
    assert connect(service.address).holding(NOTICE).using == "old-accessor"
    assert [each["event"] for each in service.heard] == ["holding"]


@pytest.mark.parametrize(
    ("body", "using"),
    [
        (b'{"using": "new-accessor"}', "new-accessor"),
        (b'{"using": "s.canary-of-a-chatty-service"}', "(another)"),
        (b'{"using": ""}', None),
        (b'{"using": 7}', None),
        (b'["using"]', None),
        (b"reloaded, thanks", None),
        (b"", None),
        (b"\xff\xfe", None),
        (b"[" * 60_000, None),
        (b'{"using": "new-accessor", "more": "' + b"x" * 200_000 + b'"}', None),
    ],
)
def test_only_the_two_ids_of_the_notice_are_repeated(service, body, using):
    service.body = body
    told = connect(service.address).reload(NOTICE)
    assert told.using == using
    assert "canary" not in repr(told)


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (204, {}, None),
        (302, {"Location": "http://127.0.0.1:9/"}, Rejected),
        (404, {}, Rejected),
        (429, {"Retry-After": "3"}, Unavailable),
        (503, {}, Unavailable),
        (500, {}, Uncertain),
    ],
)
def test_each_answer_has_its_meaning(service, status, headers, expected):
    service.status, service.headers, service.body = status, headers, b"" if status == 204 else b"canary"
    consumer = connect(service.address)
    if expected is None:
        assert consumer.reload(NOTICE).said.startswith("204 in ")
        return
    with pytest.raises(expected) as raised:
        consumer.reload(NOTICE)
    assert f"answered {status}" in raised.value.detail
    assert "canary" not in str(raised.value)
    assert len(service.heard) == 1  # nor was a redirect followed


def test_a_lost_answer_to_a_reload_is_uncertain_and_to_a_question_is_not(service):
    service.hangs_up = True
    with pytest.raises(Uncertain):
        connect(service.address).reload(NOTICE)
    with pytest.raises(Unavailable):
        connect(service.address).holding(NOTICE)


def test_nobody_listening_is_unavailable():
    with pytest.raises(Unavailable) as raised:
        connect(f"http://127.0.0.1:{free_port()}/").reload(NOTICE)
    assert raised.value.reason == "consumer_unreachable"


def test_its_name_shows_no_password(service):
    address = service.address.replace("http://", "http://user:canary@") + "?key=canary"
    consumer = connect(address)
    assert consumer.name == service.address
    service.status = 400
    with pytest.raises(RotatorError) as raised:
        consumer.reload(NOTICE)
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize("bad", ["", "reload", "ftp://x/y", "http://"])
def test_what_is_no_address_is_one_clear_line(bad):
    with pytest.raises(BadInput, match="a webhook is an http or https address"):
        connect(bad)
