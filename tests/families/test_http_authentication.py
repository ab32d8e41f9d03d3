"""Each form of authentication puts the credential where the playbook says, and nowhere else."""

from __future__ import annotations

import base64
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rotator.credential import Secret
from rotator.errors import Rejected, Unavailable
from rotator.families.http import Bearer, RestService
from rotator.families.http_template import Filled, filled_body, filled_call
from rotator.ports.connection import Connection
from rotator.rest_kind import Authenticate
from rotator.rest_template import knowing

ASKED = Filled("GET", "/keys?limit=2")


class Answering:
    """A server that writes down what it is asked, and answers as it is told."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answer = lambda _path, _headers: (200, {})

    def of(self, path):
        return [each for each in self.asked if each[1].split("?")[0] == path]


@pytest.fixture
def server():
    told = Answering()

    class Handler(BaseHTTPRequestHandler):
        def _any(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            told.asked.append((self.command, self.path, dict(self.headers), body))
            status, said = told.answer(self.path, dict(self.headers))
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _any  # noqa: N815 - http.server's words

        def log_message(self, *_):
            """Say nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    told.address = f"http://127.0.0.1:{http.server_address[1]}"
    yield told
    http.shutdown()
    http.server_close()


def service(server, form, own: object = "own-material", **more) -> RestService:
    text = own if isinstance(own, str) else json.dumps(own)
    connection = Connection("acme", "http", endpoint_url=server.address, credential=lambda: Secret(text))
    told = form if isinstance(form, Authenticate) else Authenticate.model_validate(form)
    return RestService(connection, told, "token", **more)


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


DOCUMENT = {"id": "ID1", "token": "own-material", "application_key": "second"}


@pytest.mark.parametrize(
    ("form", "own", "expected"),
    [
        ({}, "own-material", {"Authorization": "Bearer own-material"}),
        ({"prefix": "SSWS "}, "own-material", {"Authorization": "SSWS own-material"}),
        ({"header": "X-Api-Key"}, "own-material", {"X-Api-Key": "own-material"}),
        ({"basic": ["{id}", "{secret}"]}, DOCUMENT, {"Authorization": basic("ID1", "own-material")}),
        ({"basic": ["api", "{secret}"]}, "own-material", {"Authorization": basic("api", "own-material")}),
        (
            {"headers": {"A-Key": "{secret}", "B-Key": "{credential.application_key}"}},
            DOCUMENT,
            {"A-Key": "own-material", "B-Key": "second"},
        ),
    ],
    ids=str,
)
def test_a_form_of_headers_shows_the_rotators_credential(server, form, own, expected):
    assert service(server, form, own).read(ASKED).ok
    headers = server.asked[0][2]
    assert {name: headers.get(name) for name in expected} == expected


def test_an_exposed_credential_is_shown_in_a_form_of_its_own(server):
    acme = service(server, {}, DOCUMENT, subject=Authenticate.model_validate({"basic": ["{owner}", "{secret}"]}))
    acme.read(ASKED, Bearer(Secret("leaked"), {"owner": "app-1"}))
    assert server.asked[0][2]["Authorization"] == basic("app-1", "leaked")


def test_an_exposed_credential_may_need_one_of_the_rotators_beside_it(server):
    form = Authenticate.model_validate({"headers": {"A-Key": "{credential.application_key}", "B-Key": "{secret}"}})
    service(server, {}, DOCUMENT, subject=form).read(ASKED, Bearer(Secret("leaked")))
    headers = server.asked[0][2]
    assert (headers["A-Key"], headers["B-Key"]) == ("second", "leaked")


def test_a_secret_in_an_address_is_in_no_log_and_in_no_answer(server, caplog):
    caplog.set_level(logging.DEBUG)
    reply = service(server, {"query": "key"}).read(ASKED)
    assert server.asked[0][1] == "/keys?limit=2&key=own-material"
    assert "own-material" not in reply.url + repr(reply) + caplog.text


@pytest.mark.parametrize("form", [{"basic": ["{id}", "{secret}"]}, {"headers": {"A": "{credential.other}"}}])
def test_a_field_that_the_credential_lacks_is_told_and_nothing_is_sent(server, form):
    with pytest.raises(Rejected) as refusal:
        service(server, form).read(ASKED)
    assert refusal.value.reason in {"needs_id", "no_credential"}
    assert server.asked == []


def test_what_no_header_can_hold_is_sent_nowhere(server):
    for text in ("two words", "line\nbreak", "schlüssel"):
        with pytest.raises(Rejected, match="unreadable"):
            service(server, {}).read(ASKED, Bearer(Secret(text)))
    assert server.asked == []


def test_a_request_is_signed_for_the_region_and_service(server):
    with knowing(["region"]):
        form = Authenticate.model_validate({"sigv4": {"service": "execute-api", "region": "{region}"}})
    service(server, form, DOCUMENT, given={"region": "eu-west-1"}).change(Filled("POST", "/keys", {"a": 1}))
    said = server.asked[0][2]["Authorization"]
    assert said.startswith("AWS4-HMAC-SHA256 Credential=ID1/")
    assert "/eu-west-1/execute-api/aws4_request, SignedHeaders=content-type;host;x-amz-date, " in said


OAUTH = {
    "oauth": {"call": "POST /oauth/token", "basic": ["{id}", "{secret}"], "form": {"grant_type": "client_credentials"}}
}


def granting(expires_in=3600, dead=()):
    numbers = iter(range(1, 100))

    def answer(path, headers):
        if path == "/oauth/token":
            return 200, {"access_token": f"at-{next(numbers)}", "expires_in": expires_in}
        return (401 if headers.get("Authorization") in dead else 200), {}

    return answer


def test_client_credentials_are_exchanged_once_for_all_threads(server):
    server.answer = granting()
    acme = service(server, OAUTH, DOCUMENT)
    with ThreadPoolExecutor(16) as pool:
        assert {each.status for each in pool.map(lambda _: acme.read(ASKED), range(32))} == {200}
    (exchange,) = server.of("/oauth/token")
    assert (exchange[2]["Authorization"], exchange[3]) == (
        basic("ID1", "own-material"),
        b"grant_type=client_credentials",
    )
    assert {each[2]["Authorization"] for each in server.of("/keys")} == {"Bearer at-1"}


def test_a_token_that_expires_at_once_is_had_again_for_each_call(server):
    server.answer = granting(expires_in=0)
    acme = service(server, OAUTH, DOCUMENT)
    acme.read(ASKED)
    acme.read(ASKED)
    assert len(server.of("/oauth/token")) == 2


def test_a_kept_token_that_is_refused_is_had_anew_once(server):
    dead: set[str] = set()
    server.answer = granting(dead=dead)
    acme = service(server, OAUTH, DOCUMENT)
    assert acme.read(ASKED).status == 200
    dead.add("Bearer at-1")
    assert acme.read(ASKED).status == 200
    dead.update({"Bearer at-2", "Bearer at-3"})
    assert acme.read(ASKED).status == 401
    assert len(server.of("/oauth/token")) == 3


@pytest.mark.parametrize(
    ("status", "said", "expected"),
    [
        (401, {"error": "invalid_client"}, (Rejected, "own_credential_refused")),
        (400, {"error": "invalid_client"}, (Rejected, "own_credential_refused")),
        (429, {}, (Unavailable, "throttled")),
        (500, {}, (Unavailable, "no_token")),
        (200, {"token": "elsewhere"}, (Unavailable, "no_token")),
    ],
)
def test_no_token_is_told_before_anything_is_done(server, status, said, expected):
    server.answer = lambda _path, _headers: (status, said)
    with pytest.raises(expected[0]) as raised:
        service(server, OAUTH, DOCUMENT).change(Filled("POST", "/keys"))
    assert raised.value.reason == expected[1]
    assert server.of("/keys") == []
    assert "own-material" not in repr(raised.value) + str(raised.value)


def test_no_token_is_had_from_a_server_that_is_not_there(server):
    acme = service(server, OAUTH, DOCUMENT)
    acme.address = "http://127.0.0.1:9"
    with pytest.raises(Unavailable, match="unreachable"):
        acme.change(Filled("POST", "/keys"))


def test_what_the_exposed_one_has_not_its_replacement_is_not_given():
    values = {"exposed.team": None, "exposed.models": [], "marker": "m"}
    template = {"team": "{exposed.team}", "models": "{exposed.models}", "name": "{marker}", "kept": None}
    assert filled_body(template, values) == {"models": [], "name": "m", "kept": None}
    for text in ("by {exposed.team}", "{exposed.team}/x"):
        with pytest.raises(Rejected, match="nothing_to_copy"):
            filled_body({"said": text}, values)
    with pytest.raises(Rejected, match="nothing_to_copy"):
        filled_call("GET /teams/{exposed.team}", values)
