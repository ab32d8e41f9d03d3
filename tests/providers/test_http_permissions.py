"""What a REST service says that the rotator may do: read as its documentation has it, and from nobody else."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest

from rotator import playbook_file
from rotator.credential import Secret
from rotator.errors import Rejected, RotatorError, Unavailable
from rotator.permissions import LOOK, Permission, Permitted
from rotator.playbook_file import SHIPPED, load
from rotator.ports.connection import Connection
from rotator.providers.http import connect
from rotator.rest_kind import RestKind
from tests.contracts.vendors import vendor_case
from tests.fakes.door import a_door
from tests.fakes.http_server import Request, listening
from tests.fakes.vendor_server import shape_names, shape_of

SCOPES = {"call": "GET /scopes", "held": "scopes", "needs": {"look": ["keys.read"], "revoke": ["keys.delete"]}}
BARE = {
    "list": {"call": "GET /keys", "id": "id", "pages": "none"},
    "verify": {"call": "GET /me", "accepted": [200], "rejected": "none"},
    "revoke": {"call": "DELETE /keys/{id}", "done": [204]},
}
ASKING = [name for name in shape_names() if load(SHIPPED / f"{name}.yaml").http.permissions]
OWN = {"id": "7", "token": "tok_1"}


@pytest.fixture(scope="module")
def door():
    with a_door() as standing:
        yield standing


@dataclass
class Service:
    """A service with one answer, which keeps what it was asked."""

    address: str = ""
    status: int = 200
    answer: object = None
    asked: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def service():
    standing = Service()

    class Called(Request):
        def answered(self, sent: bytes) -> None:
            assert sent == b""
            standing.asked.append(f"{self.command} {self.path}")
            self.reply(standing.status, json.dumps(standing.answer).encode(), {"Content-Type": "application/json"})

    with listening(Called) as address:
        standing.address = address
        yield standing


@pytest.fixture
def asked(service):
    def ask(*calls, answer, whose=None, own=OWN, status=200, **section):
        service.status, service.answer = status, answer
        rest = RestKind.model_validate({**BARE, **section, "permissions": list(calls)})
        made = Connection("acme", "http", endpoint_url=service.address, credential=lambda: Secret(json.dumps(own)))
        return connect(made, "acme_key", rest).permissions(whose)

    return ask


def granted(told: list[Permission]) -> dict[str, bool | None]:
    return {each.needs: each.granted for each in told}


def test_a_word_that_is_not_held_is_refused_to_the_verbs_that_need_it(asked):
    told = asked(SCOPES, answer={"scopes": ["keys.read", "mail.send"]})
    assert told == [
        Permission((LOOK,), "keys.read", True),
        Permission(("revoke",), "keys.delete", False, "not among what it holds"),
    ]
    assert granted(asked(SCOPES, answer={"scopes": []})) == {"keys.read": False, "keys.delete": False}


def test_one_of_several_words_is_enough_and_an_undocumented_one_is_unknown(asked):
    needs = {"look": ["reader | admin"], "revoke": ["admin | ?"]}
    call = {**SCOPES, "held": "role", "needs": needs}
    assert granted(asked(call, answer={"role": "admin"})) == {"reader | admin": True, "admin": True}
    assert granted(asked(call, answer={"role": "reader"})) == {"reader | admin": True, "admin": None}
    assert granted(asked(call, answer={"role": "guest"})) == {"reader | admin": False, "admin": None}


def test_a_text_of_words_is_taken_apart_and_a_single_word_is_not(asked):
    needs = {"look": ["a:b"], "revoke": ["c"]}
    for text in ("a:b c", "a:b, c", "c,a:b"):
        told = asked({"call": "GET /me", "words": "scope", "needs": needs}, answer={"scope": text})
        assert granted(told) == {"a:b": True, "c": True}
    whole = {"call": "GET /me", "held": "name", "needs": {"look": ["Read All"], "revoke": ["All"]}}
    assert granted(asked(whole, answer={"name": "Read All"})) == {"Read All": True, "All": False}


def test_a_table_says_yes_where_it_says_true(asked):
    call = {**SCOPES, "held": "can"}
    assert granted(asked(call, answer={"can": {"keys.read": True, "keys.delete": False}})) == {
        "keys.read": True,
        "keys.delete": False,
    }


def test_what_a_policy_denies_is_not_held(asked):
    call = {
        "call": "GET /me",
        "each": "policies",
        "where": {"effect": "allow"},
        "denied": {"effect": "deny"},
        "held": "groups.*.name",
        "needs": {"look": ["Read"], "revoke": ["Write"]},
    }
    policies = [
        {"effect": "allow", "groups": [{"name": "Read"}, {"name": "Write"}]},
        {"effect": "deny", "groups": [{"name": "Write"}]},
    ]
    assert granted(asked(call, answer={"policies": policies})) == {"Read": True, "Write": False}
    unnamed = [{"effect": "allow", "groups": [{"id": "1"}]}]
    with pytest.raises(Rejected) as refusal:
        asked(call, answer={"policies": unnamed})
    assert refusal.value.reason == "answer_unreadable"


PLACES = {"call": "GET /me", "held": ".", "places": ["*", "accounts:{owner}"], "needs": SCOPES["needs"]}


@pytest.mark.parametrize(
    ("places", "of_all", "of_one"),
    [(["*"], True, True), (["accounts:5"], None, True), (["accounts:6"], None, False), ([], False, False)],
)
def test_what_is_granted_for_one_owner_is_unknown_for_all(asked, places, of_all, of_one):
    answer = {"keys.read": places, "keys.delete": ["*"]}
    assert granted(asked(PLACES, answer=answer)) == {"keys.read on *": of_all, "keys.delete on *": True}
    assert granted(asked(PLACES, answer=answer, whose="5")) == {
        "keys.read on accounts:5": of_one,
        "keys.delete on accounts:5": True,
    }


def test_what_several_grants_say_of_one_word_is_added_up(asked):
    call = {**PLACES, "each": "roles", "held": "on"}
    roles = [{"on": {"keys.read": ["accounts:5"], "keys.delete": ["*"]}}, {"on": {"keys.read": ["accounts:6"]}}]
    assert set(granted(asked(call, answer={"roles": roles}, whose="5")).values()) == {True}


def test_an_owner_that_no_credential_can_have_is_not_asked_about(asked):
    with pytest.raises(Rejected) as refusal:
        asked(PLACES, answer={}, whose="../5", owner_format="[0-9]+")
    assert refusal.value.reason == "malformed_owner"


def test_a_call_names_the_rotators_own_and_says_so_where_nothing_tells_it(asked, service):
    by_id = {**SCOPES, "call": "GET /keys/{id}"}
    assert granted(asked(by_id, answer={"scopes": ["keys.read"]})) == {"keys.read": True, "keys.delete": False}
    assert service.asked[-1] == "GET /keys/7"
    told = asked(by_id, answer={"scopes": ["keys.read"]}, own={"token": "tok_1"})
    assert {(each.granted, each.why) for each in told} == {
        (None, "nothing tells which credential the rotator's own is")
    }
    by_field = {**SCOPES, "call": "GET /accounts/{credential.account}"}
    asked(by_field, answer={"scopes": []}, own={**OWN, "account": "a/1"})
    assert service.asked[-1] == "GET /accounts/a%2F1"
    assert {each.granted for each in asked(by_field, answer={"scopes": []})} == {None}
    of_owner = {**SCOPES, "call": "GET /owners/{owner}"}
    assert {each.why for each in asked(of_owner, answer={"scopes": []})} == {"told of one owner alone: name an owner"}


def test_what_no_answer_tells_is_named_as_well(asked):
    told = asked({**SCOPES, "untold": {"revoke": "the owner's consent"}}, answer={"scopes": ["keys.read"]})
    assert told[-1] == Permission(("revoke",), "the owner's consent", None, "no answer of the service tells")


def test_a_question_that_is_refused_tells_nothing_and_another_is_asked_still(asked, service):
    told = asked(SCOPES, answer={"message": "Forbidden"}, status=403)
    assert {each.granted for each in told} == {None}
    assert {verb for each in told for verb in each.verbs} == {LOOK, "revoke"}
    before = len(service.asked)
    asked(SCOPES, {**SCOPES, "call": "GET /roles"}, answer={"message": "Forbidden"}, status=403)
    assert service.asked[before:] == ["GET /scopes", "GET /roles"]


FOREIGN = [
    (200, {"message": "welcome"}),
    (200, "<html><body>Sign in to go on</body></html>"),
    (200, None),
    (200, {}),
    (200, []),
    (302, None),
    (401, {"message": "Unauthorized"}),
    (401, None),
    (403, "<html><body>403</body></html>"),
    (404, {"error": "not found"}),
    (429, {"message": "Too Many Requests"}),
    (502, "<html><body>502</body></html>"),
    (503, None),
]


@pytest.mark.parametrize("name", ASKING)
def test_nobody_in_between_grants_or_refuses_anything(name, door):
    with vendor_case(name) as case:
        provider = case.elsewhere(door.address)
        assert isinstance(provider, Permitted)
        ref, _ = case.plant()
        for status, body in FOREIGN:
            door.says(status, body)
            try:
                told = provider.permissions(ref.owner)
            except (Rejected, Unavailable) as error:
                assert case.own.reveal() not in str(error)  # noqa: PT017 - an answer is right too
            else:
                assert {each.granted for each in told} == {None}, (status, body)


@pytest.mark.parametrize("name", [name for name in ASKING if "narrow" in shape_of(name)])
def test_every_verb_that_a_vendor_refuses_to_a_narrow_credential_is_told_so(name):
    with vendor_case(name) as case:
        ref, _ = case.plant()
        told = case.narrow.permissions(ref.owner)
        refused = {verb for each in told if each.granted is False for verb in each.verbs}
        calls = load(SHIPPED / f"{name}.yaml").http
        assert refused == {
            verb for verb in ("issue", "suspend", "resume", "revoke") if getattr(calls, verb) is not None
        }


def test_terraforms_tokens_are_their_own_users_alone():
    with vendor_case("terraform_cloud_token") as case:
        ref, _ = case.plant()
        assert {each.granted for each in case.provider.permissions(ref.owner)} == {True}
        assert {each.granted for each in case.provider.permissions("user-another")} == {False}
        assert {each.granted for each in case.provider.permissions(None)} == {None}


def test_only_a_kind_with_the_section_claims_to_be_asked():
    assert len(ASKING) >= 9
    made = Connection("acme", "http", endpoint_url="http://127.0.0.1:9", credential=lambda: Secret("tok_1"))
    assert not isinstance(connect(made, "acme_key", RestKind.model_validate(BARE)), Permitted)


def test_a_verb_that_is_left_out_is_a_mistake_with_a_line(tmp_path):
    text = (SHIPPED / "sendgrid_api_key.yaml").read_text()
    path = tmp_path / "sendgrid_api_key.yaml"
    path.write_text(text.replace(", revoke: [api_keys.delete]}", "}"))
    (problem,) = playbook_file.lint(path)
    assert problem.what == "nothing says what `revoke` needs: name it in `needs`, or in `untold`"
    assert text.splitlines()[problem.line - 1] == "  permissions:"


def test_an_error_of_a_question_shows_no_material(asked):
    with pytest.raises(RotatorError) as refusal:
        asked(SCOPES, answer={"scopes": "tok_1" * 3, "more": 1}, status=401)
    assert "tok_1" not in str(refusal.value)
