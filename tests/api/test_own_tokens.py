"""A token of the service leaks: it is ended over a connection to the service itself, and by a person where none is."""

from __future__ import annotations

import contextlib
import http.client
import json

import pytest

from rotator import attribution, response
from rotator.api import callers, origins
from rotator.bootstrap import Rotator
from rotator.credential import Leaked
from rotator.errors import Rejected, Unavailable
from rotator.flow.approval import Role
from rotator.flow.exposure import LIST, Exposure
from rotator.ledger.sessions import Person
from rotator.ports.provider import Answer, State
from rotator.settings.file import load
from tests.api.deployment import web

KIND = "rotator_api_token"
TO_ITSELF = """
[[connections]]
name = "self"
family = "http"
kinds = ["rotator_api_token"]
endpoint_url = "http://127.0.0.1:{port}"
credential = "file:own"
"""


class Service:
    """One that serves, and the same once more as who responds to a leak: with a connection to it or without."""

    def __init__(self, folder, served):
        self.parts, self._folder, self.port = served.parts, folder, served.port
        self._own = self.made("rotator", Role.ADMIN)
        (folder / "own").write_text(self._own.reveal())
        (folder / "own").chmod(0o600)
        self.responding = self._with("")
        self.connected = self._with(TO_ITSELF.format(port=self.port))

    def _with(self, text):
        path = self._folder / f"with-{bool(text)}.toml"
        path.write_text(f'data_dir = "data"\n{text}')
        return Rotator(load(path))

    def made(self, name, role=Role.RESPONDER, person=""):
        return self.parts.tokens.create(name, role, person, 86400.0, "ana")[0]

    @property
    def provider(self):
        return self.connected.outside.provider_of(KIND, "self")

    def planned(self, parts, secret):
        """Return what is planned for it where it leaked, and what is left to a person."""
        seen = [Exposure(LIST, KIND, Leaked(secret=secret), path="ci.log")]
        plan = response.prepare(parts, attribution.suspects(parts, seen)).plan
        return plan.runs, plan.manual


def session_status(port, cookie):
    """Return how who has this cookie is answered."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(line):
        line.request("GET", "/api/v1/whoami", headers={"Cookie": f"{origins.SESSION}={cookie.reveal()}"})
        return line.getresponse().status


@contextlib.contextmanager
def serving(folder):
    (folder / "rotator.toml").write_text('data_dir = "data"\n')
    with web(folder / "rotator.toml") as served:
        found = Service(folder, served)
        yield found
        for parts in (found.responding, found.connected):
            parts.database.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("service")) as found:
        yield found


def test_over_a_connection_to_the_service_it_is_a_run_like_any_other(service):
    [run], manual = service.planned(service.connected, service.made("job"))
    assert (run.kind, run.ref.connection, manual) == (KIND, "self", ())
    assert run.ref.id == f"rot_{service.parts.tokens.called('job').lookup}"


def test_without_a_connection_a_person_is_told_the_command_that_ends_it(service):
    runs, [task] = service.planned(service.responding, service.made("nightly", person="bo"))
    assert (runs, task.reason) == ((), "the rotator's own leaked: the API token nightly, which acts as bo")
    assert task.mend.startswith("end it: rotator token revoke nightly --reason …; then make another for who uses it: ")


@pytest.mark.parametrize("connected", [True, False])
def test_one_that_is_over_asks_for_nothing_and_says_so(service, connected):
    secret = service.made(f"over-{connected}")
    service.parts.tokens.revoke(f"over-{connected}", "ana", "the laptop was stolen")
    runs, [task] = service.planned(service.connected if connected else service.responding, secret)
    assert (runs, task.mend) == ((), "nothing to do: it is revoked, and opens nothing")


def test_what_the_service_uses_on_itself_is_no_run_that_would_cut_its_own_way(service):
    runs, [task] = service.planned(service.connected, service._own)
    assert runs == ()
    assert task.reason.startswith("this is what the rotator itself uses on self")


def test_with_a_token_end_the_sessions_that_were_opened_with_it(service):
    secret = service.made("board", Role.VIEWER)
    cookie, _ = service.parts.sessions.open(Person("token board", Role.VIEWER, "token", "board"))
    assert session_status(service.port, cookie) == 200
    provider = service.provider
    ref = provider.identify(Leaked(secret=secret))
    assert provider.verify(ref, secret).answer is Answer.ACCEPTED
    provider.revoke(ref)
    verdict = provider.verify(ref, secret)
    assert (verdict.answer, verdict.reason) == (Answer.REJECTED, "http_401_revoked_token")
    assert session_status(service.port, cookie) == 401


def test_a_knock_beyond_what_the_service_answers_is_put_off_and_taken_for_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(callers, "WRONG_A_MINUTE", 1)
    with serving(tmp_path) as service:
        secret, provider = service.made("job"), service.provider
        ref = provider.identify(Leaked(secret=secret))
        provider.revoke(ref)
        assert provider.verify(ref, secret).answer is Answer.REJECTED
        with pytest.raises(Unavailable) as put_off:
            provider.verify(ref, secret)
        assert put_off.value.reason == "throttled"
        assert put_off.value.retry_after > 0
        assert provider.inspect(ref).state is State.ABSENT  # the rotator's own token is let in meanwhile


def test_a_persons_is_ended_and_never_made_anew(service):
    """Whoever holds a token of ana says her yes with it: she makes it herself, or nobody does."""
    secret = service.made("anas", person="ana")
    provider = service.provider
    ref = provider.identify(Leaked(secret=secret))
    assert ref.owner == "ana"
    kept = provider.preserve(ref)
    assert json.loads(kept["exposed.person"]) == "ana"
    provider.revoke(ref)
    with pytest.raises(Rejected) as refused:
        provider.issue(ref, "inc-1.r1.0.0.issue.1", kept)
    assert (refused.value.reason, service.parts.tokens.called("inc-1.r1.0.0.issue.1")) == ("holders_own", None)
    assert provider.inspect(ref).state is State.ABSENT


def test_a_replacement_is_like_the_exposed_one_and_lasts_no_longer(service):
    ref = service.provider.identify(Leaked(secret=service.made("deploy", Role.APPROVER)))
    issued = service.provider.issue(ref, "inc-1.r2.0.0.issue.1", {})
    exposed, made = (service.parts.tokens.called(each) for each in ("deploy", "inc-1.r2.0.0.issue.1"))
    assert (made.role, made.person, made.created_by) == (Role.APPROVER, "", "token rotator")
    assert abs(made.expires_at - exposed.expires_at) < 0.01
    assert issued.ref.id == f"rot_{made.lookup}"
    assert service.provider.verify(issued.ref, issued.secret).answer is Answer.ACCEPTED
