"""One question to a service: an act whose answer is lost is done once; what is no rotator's answer is one line."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rotator.credential import Secret
from rotator.errors import BadInput, NotAllowed, Rejected, Unavailable, Uncertain
from rotator.far import asking
from rotator.far.asking import Asking
from rotator.far.progress import streamed
from rotator.far.service import Far
from rotator.operations import deciding, runs, steering
from rotator.operations.operation import AsksFirst
from rotator.operations.views.incident_list import INCIDENTS
from rotator.operations.views.incidents import REPORT
from tests.fakes.kubernetes_authority import Authority

TOKEN = "rot_nobody-may-ever-read-this"
LOST = None
PROBLEM = "application/problem+json"


class _Line(ThreadingHTTPServer):
    """Answers in turn what it was told to; keeps the headers that it was asked with."""

    daemon_threads = True

    def __init__(self, *answers):
        super().__init__(("127.0.0.1", 0), _Answering)
        self.answers, self.heads = list(answers), []


class _Answering(BaseHTTPRequestHandler):
    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.heads.append(dict(self.headers))
        answer = self.server.answers.pop(0)
        if answer is LOST:
            self.connection.close()
            return
        status, kind, body = answer
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    do_POST = do_GET  # noqa: N815 - the standard library names it

    def log_message(self, *_):
        pass


@pytest.fixture
def answering(monkeypatch):
    monkeypatch.setattr(asking, "AGAIN_AFTER_S", (0.0, 0.0))
    lines = []

    def served(*answers):
        line = _Line(*answers)
        lines.append(line)
        threading.Thread(target=line.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return Asking(f"http://127.0.0.1:{line.server_address[1]}", Secret(TOKEN)), line

    yield served
    for line in lines:
        line.shutdown()
        line.server_close()


def test_an_act_whose_answer_is_lost_is_asked_for_again_under_the_same_key(answering):
    line, server = answering(LOST, (504, "text/html", "<html>"), (200, "application/json", '{"did": 1}'))
    assert line.act("/stop", {"reason": "x"}) == {"did": 1}
    keys = [each["Idempotency-Key"] for each in server.heads]
    assert (len(keys), len(set(keys))) == (3, 1)


def test_it_is_not_asked_for_for_ever_and_nothing_else_is_asked_twice(answering):
    line, server = answering(LOST, LOST, LOST)
    with pytest.raises(Uncertain):
        line.act("/stop", {})
    assert len(server.heads) == 3
    refused = json.dumps({"reason": "internal", "detail": "this is our mistake", "status": 500})
    line, server = answering((500, PROBLEM, refused))
    with pytest.raises(Unavailable, match="internal: this is our mistake"):
        line.act("/stop", {})
    assert len(server.heads) == 1


NOT_READY = (503, PROBLEM, json.dumps({"reason": "not_ready", "detail": "later", "status": 503}))


def test_who_comes_up_again_meanwhile_is_asked_for_the_same_act_until_he_can_tell(answering):
    line, server = answering(LOST, NOT_READY, (200, "application/json", '{"did": 1}'))
    assert line.act("/stop", {}) == {"did": 1}
    assert len({each["Idempotency-Key"] for each in server.heads}) == 1
    line, server = answering(NOT_READY)
    with pytest.raises(Unavailable, match="not_ready"):  # nothing was begun: there is nothing to be told
        line.act("/stop", {})


def test_of_an_act_whose_service_is_gone_nobody_says_that_it_was_never_reached(monkeypatch):
    monkeypatch.setattr(asking, "AGAIN_AFTER_S", (0.0,))
    listener = socket.create_server(("127.0.0.1", 0))

    def killed_in_the_act():
        line, _ = listener.accept()
        listener.close()
        line.recv(1)
        line.close()

    at_its_end = threading.Thread(target=killed_in_the_act)
    at_its_end.start()
    with pytest.raises(Uncertain, match="whether it was done is not known"):
        Asking(f"http://127.0.0.1:{listener.getsockname()[1]}", Secret(TOKEN)).act("/stop", {})
    at_its_end.join()


def test_each_act_has_a_key_of_its_own_and_a_question_has_none(answering):
    line, server = answering(*[(200, "application/json", "{}")] * 3)
    line.act("/stop", {}), line.act("/stop", {}), line.get("/whoami")
    keys = [each.get("Idempotency-Key") for each in server.heads]
    assert (len({*keys}), keys[2]) == (3, None)


@pytest.mark.parametrize(
    ("status", "problem", "error", "said"),
    [
        (401, {"reason": "no_token", "detail": "no such token"}, NotAllowed, "ROTATOR_TOKEN: no such token"),
        (403, {"reason": "role", "detail": "not yours"}, NotAllowed, "not yours"),
        (
            404,
            {"reason": "no_such_run", "detail": "no such run", "where": "r", "mend": "look"},
            BadInput,
            r"r: no .*look",
        ),
        (409, {"reason": "not_so_now", "detail": "it is stopped"}, BadInput, "it is stopped"),
        (409, {"reason": "still_open", "detail": "open", "open": ["a"]}, AsksFirst, "open"),
        (422, {"reason": "bad_input", "detail": "no", "where": "body.accept_open"}, BadInput, "--accept-open: no"),
        (422, {"reason": "bad_input", "errors": [{"where": "body.note", "what": "none"}]}, BadInput, "^--note: none$"),
        (429, {"reason": "too_many_refusals", "detail": "wait"}, Unavailable, "too_many_refusals: wait"),
        (503, {"reason": "not_ready", "detail": "later"}, Unavailable, "not_ready: later"),
    ],
)
def test_a_problem_is_our_own_line(answering, status, problem, error, said):
    line, _ = answering((status, PROBLEM, json.dumps(problem)))
    with pytest.raises(error, match=said):
        line.get("/x")


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [(200, "text/html", "<html>sign in</html>"), (302, "text/html", ""), (200, "application/json", "no json")],
)
def test_what_no_rotator_answers_is_one_line_without_the_token(answering, status, kind, body):
    line, _ = answering((status, kind, body))
    with pytest.raises(Rejected, match="not as a rotator does") as told:
        line.get("/x")
    assert TOKEN not in str(told.value)


def test_a_certificate_that_nobody_vouches_for_is_not_believed(answering, tmp_path):
    line, server = answering()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (tmp_path / "server.pem").write_bytes(Authority().server("127.0.0.1"))
    context.load_cert_chain(tmp_path / "server.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with pytest.raises(Unavailable, match="its certificate is not trusted"):
        Asking(line.url.replace("http:", "https:"), Secret(TOKEN)).get("/x")
    assert server.heads == []


def test_a_stream_is_read_event_by_event_whatever_else_it_says(answering):
    counts = dict.fromkeys(("dead", "stated", "settling", "pending", "held", "manual", "failed", "dismissed"), 0)
    stop = {"scope": "all", "name": "", "at": 1.0, "by": "ana", "reason": "x"}
    told = [{**counts, "dead": number, "busy": True, "stopped": [stop], "new": 1} for number in (1, 2)]
    text = ": here\n\nevent: evidence\nid: 1\ndata: {}\n\n"
    text += "".join(f"event: counts\ndata: {json.dumps(each)}\n\n" for each in told)
    line, _ = answering((200, "text/event-stream", text))
    found = list(streamed(line, "inc-1"))
    assert [(each.dead, each.busy, each.stopped[0].by) for each in found] == [(1, True, "ana"), (2, True, "ana")]


@pytest.mark.parametrize("name", ["", ".", "..", "../..", "inc-1/gates/no_legal_hold", "a/../b"])
def test_a_name_leads_to_no_other_act(answering, name):
    """`/incidents/../stop` is the stop of everything, `/incidents/inc-1/gates/../close` closes the incident."""
    line, server = answering()
    there = Far(line, "rotator", quiet=True)
    for act, given in (
        (steering.stop, (name, "why")),
        (steering.go_on, (name, "why")),
        (steering.close_gate, ("inc-1", name, "why")),
        (deciding.close, (name, "why", True)),
        (runs.retry, (name, "cut", "why")),
    ):
        with pytest.raises(BadInput, match="nothing there is called so"):
            there.does(act, *given)
    if name not in {"", "inc-1/gates/no_legal_hold"}:
        with pytest.raises(BadInput, match="nothing there is called so"):
            there.shows(REPORT, name)
        with pytest.raises(BadInput, match="nothing there is called so"):
            there.does(deciding.take_back, "inc-1", name, "because")
    assert server.heads == []


JSON = "application/json"


@pytest.mark.parametrize(
    "answers",
    [
        ["[]"],
        ['"x"'],
        ["{}"],
        ['{"items": 5, "next": null}'],
        ['{"items": ["a"], "next": null}'],
        ['{"items": []}'],
        ['{"items": [{}], "next": null}'],
        ['{"items": [], "next": "same"}'] * 2,
    ],
    ids=str,
)
@pytest.mark.parametrize("called", ["rotator", "/opt/rotator"])
def test_a_list_of_something_else_is_one_line_and_comes_to_an_end(answering, answers, called):
    line, _ = answering(*((200, JSON, each) for each in answers))
    with pytest.raises(Rejected) as told:
        [each["id"] for each in Far(line, called, quiet=True).lists(INCIDENTS)]
    assert told.value.reason == "no_rotator"


@pytest.mark.parametrize("called", ["rotator", "/opt/rotator"])
def test_a_document_of_something_else_is_one_line(answering, called):
    line, _ = answering((200, JSON, '{"incident": {}}'))
    with pytest.raises(Rejected, match="has no `title`"):
        Far(line, called, quiet=True).shows(REPORT, "inc-1")["incident"]["title"]


@pytest.mark.parametrize(
    ("rows", "last"),
    [
        ([("c", None), ("b", None)], "c"),
        ([("c", "a"), ("b", None), ("a", None)], "a"),
        ([("c", "a"), ("b", None), ("a", "b")], "b"),  # merged into an older one, and that into a newer one
        ([("c", "a"), ("a", "hygiene")], "hygiene"),  # which no list of what is responded to has
        ([("b", "a"), ("a", "b")], "b"),  # no ledger says so: it comes to an end
    ],
    ids=str,
)
def test_the_last_one_is_that_under_which_the_newest_is_told(answering, rows, last):
    items = [{"id": each, "merged_into": into} for each, into in rows]
    line, _ = answering((200, JSON, json.dumps({"items": items, "next": None})))
    assert Far(line, "rotator", quiet=True).incident("last") == last
