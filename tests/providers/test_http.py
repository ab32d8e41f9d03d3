"""What is special about kinds that a playbook describes, tried on the practice range's token server."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from rotator.credential import CredentialRef, Leaked, Secret
from rotator.errors import BadInput, Rejected, RotatorError, Unavailable, Uncertain
from rotator.families.http_template import filled_body, filled_call
from rotator.ports.abilities import Issuing, Preserving, Suspendable
from rotator.ports.connection import Connection
from rotator.ports.provider import Answer, Capability, State
from rotator.practice.token_server import token_server
from rotator.providers.http import connect
from tests.contracts.cases.http import acme
from tests.fakes.fault_proxy import fault_proxy

MARKER = "rotator-run-7-issue"
ISSUE = acme().issue.model_dump(exclude_defaults=True)
UNCHANGED = {"suspend": None, "resume": None, "revoke": None}
UNKNOWN = {"status": 401, "where": {"error": "unknown token"}}


@pytest.fixture(scope="module")
def server():
    with token_server() as running:
        yield running


@pytest.fixture(scope="module")
def standing(server):
    with fault_proxy(server.address) as made:
        yield made


@pytest.fixture
def proxy(standing):
    standing.pass_all()
    return standing


def connected(address: str, own: Secret | None, rest=None, **more: object):
    connection = Connection("acme", "http", endpoint_url=address, credential=lambda: own, **more)
    return connect(connection, "acme_api_token", rest or acme())


@pytest.fixture
def provider(server, proxy):
    return connected(proxy.address, server.admin)


def ref_of(planted, owner: str = "ci") -> CredentialRef:
    return CredentialRef("acme_api_token", "acme", owner, planted.id)


def reason_of(act) -> str:
    with pytest.raises(RotatorError) as refusal:
        act()
    return f"{type(refusal.value).__name__} {refusal.value.reason}"


@pytest.mark.parametrize("issuing", [True, False])
@pytest.mark.parametrize("suspendable", [True, False])
def test_it_claims_what_its_section_describes(server, issuing, suspendable):
    left_out = {} if issuing else {"issue": None}
    left_out |= {} if suspendable else {"suspend": None, "resume": None}
    provider = connected(server.address, server.admin, acme(**left_out))
    assert isinstance(provider, Issuing) is issuing
    assert isinstance(provider, Suspendable) is suspendable
    assert isinstance(provider, Preserving)
    assert provider.name == "acme_api_token"


def test_a_truncated_secret_is_not_even_sent(provider, proxy, server):
    text = server.plant("ci").token.reveal()
    for broken in (text[:-1], text + "\n", text + " x", "", "ü" * 45):
        assert reason_of(lambda b=broken: provider.identify(Leaked(secret=Secret(b)))) == "Rejected unreadable"
    assert proxy.calls == []


def test_a_secret_reported_for_another_server_is_not_sent(provider, proxy, server):
    leaked = Leaked(secret=server.plant("ci").token, address="https://acme.example/v1")
    assert reason_of(lambda: provider.identify(leaked)) == "Rejected not_this_account"
    assert proxy.calls == []


def test_an_id_alone_is_found_in_the_list(provider, server):
    planted = server.plant("ci")
    assert provider.identify(Leaked(id=planted.id)) == ref_of(planted)
    assert reason_of(lambda: provider.identify(Leaked(id="tok_999999"))) == "Rejected unknown_credential"


def test_an_id_names_what_is_left_of_a_secret_cannot(provider, proxy, server):
    planted = server.plant("ci")
    broken = Secret(planted.token.reveal()[:-6])
    assert provider.identify(Leaked(id=planted.id, secret=broken)) == ref_of(planted)
    assert not [call for call in proxy.calls if call.endswith("/me")]


def test_an_id_beside_another_ones_secret_is_mispaired(provider, server):
    one, other = server.plant("ci"), server.plant("ci")
    leaked = Leaked(id=one.id, secret=other.token)
    assert reason_of(lambda: provider.identify(leaked)) == "Rejected mispaired"
    verdict = provider.verify(ref_of(one), other.token)
    assert (verdict.answer, verdict.mismatch) == (Answer.INCONCLUSIVE, True)


def test_a_service_that_cannot_identify_needs_the_id(server):
    provider = connected(server.address, server.admin, acme(identify=None))
    planted = server.plant("ci")
    assert reason_of(lambda: provider.identify(Leaked(secret=planted.token))) == "Rejected needs_id"
    assert provider.identify(Leaked(id=planted.id, secret=planted.token)) == ref_of(planted)


def test_an_identify_call_without_an_owner_takes_it_from_the_list(server):
    section = acme(identify={"call": "GET /me", "as": "subject", "id": "data.id"})
    planted = server.plant("platform")
    provider = connected(server.address, server.admin, section)
    assert provider.identify(Leaked(secret=planted.token)) == ref_of(planted, "platform")


def test_a_service_may_be_asked_about_a_secret_by_the_rotator(server, proxy):
    section = acme(identify={"call": "POST /introspect", "as": "rotator", "body": {"token": "{secret}"}, "id": "id"})
    provider = connected(proxy.address, server.admin, section)
    token = server.plant("ci").token
    proxy.answer(404)
    assert reason_of(lambda: provider.identify(Leaked(secret=token))) == "Rejected unknown_credential"
    proxy.answer(200, body=b'{"no": "id"}')
    assert reason_of(lambda: provider.identify(Leaked(secret=token))) == "Rejected answer_without_id"
    assert proxy.calls == ["POST /introspect"]


def test_a_list_is_read_to_its_last_page(provider, proxy, server):
    planted = [server.plant("many") for _ in range(230)]
    proxy.pass_all()
    assert provider.siblings(ref_of(planted[0], "many")) == {ref_of(each, "many") for each in planted}
    assert len(proxy.calls) >= 3
    assert provider.inspect(ref_of(planted[-1], "many")).state is State.ACTIVE


def test_a_next_page_on_another_server_is_not_visited(provider, proxy):
    for elsewhere in ("http://127.0.0.1:9/tokens", "//127.0.0.1:9/tokens", "https://127.0.0.1/tokens"):
        proxy.answer(200, body=json.dumps({"data": [], "next": elsewhere}).encode())
        ref = CredentialRef("acme_api_token", "acme", "ci", "tok_000001")
        assert reason_of(lambda r=ref: provider.inspect(r)) == "Rejected list_leads_elsewhere"


def test_an_answer_without_a_list_is_not_taken_for_an_empty_one(provider, proxy):
    ref = CredentialRef("acme_api_token", "acme", "ci", "tok_000001")
    for body in (b"{}", b"<html>", b'{"data": null}', b'{"data": {"id": 1}}', b"[" * 100_000):
        proxy.answer(200, body=body)
        assert reason_of(lambda: provider.inspect(ref)) == "Rejected answer_without_list"


def test_what_a_replacement_takes_over_keeps_its_json_type_after_the_exposed_is_gone(provider, server):
    planted = server.plant("ci", ("read", "deploy"))
    ref = ref_of(planted)
    kept = provider.preserve(ref)
    assert kept["exposed.scopes"] == '["read", "deploy"]'
    provider.revoke(ref)
    issued = provider.issue(ref, MARKER, kept)
    assert json.loads(provider.preserve(issued.ref)["exposed.scopes"]) == ["read", "deploy"]
    assert provider.verify(issued.ref, issued.secret).answer is Answer.ACCEPTED


def test_without_anything_preserved_the_list_is_asked_and_a_gone_one_cannot_be_copied(provider, server):
    ref = ref_of(server.plant("ci", ("deploy",)))
    issued = provider.issue(ref, MARKER, {})
    assert json.loads(provider.preserve(issued.ref)["exposed.scopes"]) == ["deploy"]
    provider.revoke(ref)
    assert provider.preserve(ref) == {"state": "absent"}
    assert reason_of(lambda: provider.issue(ref, MARKER, {})) == "Rejected nothing_to_copy"


def test_only_one_of_the_sort_that_is_named_is_replaced_whatever_is_known_of_it(proxy, server):
    section = acme(issue={**ISSUE, "only_if": {"suspended": False}})
    provider = connected(proxy.address, server.admin, section)
    ref = ref_of(server.plant("ci"))
    kept = provider.preserve(ref)
    assert kept["exposed.suspended"] == "false"
    assert provider.issue(ref, MARKER, kept).ref.id != ref.id
    proxy.pass_all()
    for value in ("true", "null"):
        told = {**kept, "exposed.suspended": value}
        assert reason_of(lambda t=told: provider.issue(ref, MARKER, t)) == "Rejected holders_own"
    gone = ref.with_id("tok_999999")
    assert reason_of(lambda: provider.issue(gone, MARKER, {})) == "Rejected nothing_to_copy"
    assert [each for each in proxy.calls if each.startswith("POST")] == []


def test_last_use_is_preserved_before_a_knock_overwrites_it(provider, server):
    planted = server.plant("ci")
    assert "last_used_at" not in provider.preserve(ref_of(planted))
    provider.verify(ref_of(planted), planted.token)
    assert "last_used_at" in provider.preserve(ref_of(planted))
    assert provider.inspect(ref_of(planted)).facts["created_at"]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("2026-11-22", "2026-11-22"),
        (1_795_305_600_000, "2026-11-22"),  # as Databricks tells `last_used_day`
        ("2026-11-22T23:00:00+01:00", "2026-11-22T22:00:00+00:00"),
    ],
)
def test_a_day_of_last_use_stays_one_and_is_no_moment_at_its_beginning(server, value, told):
    listed = {"call": "GET /tokens", "each": "data", "id": "id", "owner": "owner", "pages": {"next": "next"}}
    section = acme(list={**listed, "last_used_at": "last_used_at"}, issue=None)
    planted = server.plant("ci")
    server._acme._tokens[planted.id].last_used_at = value
    provider = connected(server.address, server.admin, section)
    assert {each.ref: each.facts for each in provider.discover()}[ref_of(planted)]["last_used_at"] == told


def test_a_lost_issue_is_uncertain_and_found_by_its_marker(provider, proxy, server):
    ref = ref_of(server.plant("lost"), "lost")
    kept = provider.preserve(ref)
    proxy.lose_answer(0)
    assert reason_of(lambda: provider.issue(ref, MARKER, kept)) == "Uncertain connection_lost"
    assert len(proxy.calls) == 1  # nobody minted again by itself
    proxy.pass_all()
    found = provider.marked(ref, MARKER)
    assert found is not None
    assert provider.siblings(ref) == {ref, found}


def test_an_issue_whose_answer_cannot_be_read_is_uncertain(provider, proxy, server):
    ref = ref_of(server.plant("ci"))
    kept = provider.preserve(ref)
    for body in (b"", b"<html>", b'{"data": {"id": "tok_7"}}'):
        proxy.answer(201, body=body)
        assert reason_of(lambda: provider.issue(ref, MARKER, kept)) == "Uncertain answer_without_secret"


ANSWERS = [
    (401, {}, "Rejected own_credential_refused"),
    (403, {}, "Rejected permission_denied"),
    (409, {}, "Rejected http_409"),
    (429, {"Retry-After": "7"}, "Unavailable throttled"),
    (503, {"Retry-After": "7"}, "Unavailable throttled"),
    (503, {}, "Uncertain http_503"),
    (500, {}, "Uncertain http_500"),
    (202, {}, "Uncertain http_202"),
    (302, {"Location": "http://127.0.0.1:9/"}, "Uncertain http_302"),
]


@pytest.mark.parametrize(("status", "headers", "expected"), ANSWERS, ids=str)
def test_each_answer_to_a_change_has_its_meaning(provider, proxy, status, headers, expected):
    ref = CredentialRef("acme_api_token", "acme", "ci", "tok_000001")
    proxy.answer(status, headers)
    for change in (provider.revoke, provider.suspend, provider.resume):
        assert reason_of(lambda c=change: c(ref)) == expected


@pytest.mark.parametrize(("status", "headers", "expected"), ANSWERS, ids=str)
def test_what_changes_nothing_is_never_uncertain(provider, proxy, status, headers, expected):
    ref = CredentialRef("acme_api_token", "acme", "ci", "tok_000001")
    proxy.answer(status, headers)
    said = reason_of(lambda: provider.inspect(ref))
    assert said == ("Rejected answer_without_list" if status == 202 else expected.replace("Uncertain", "Unavailable"))


@pytest.mark.parametrize("status", [403, 404, 500, 503, 302, 202])
def test_only_the_answers_named_are_a_verdict(provider, proxy, server, status):
    planted = server.plant("ci")
    proxy.answer(status, {"Location": "http://127.0.0.1:9/"})
    verdict = provider.verify(ref_of(planted), planted.token)
    assert (verdict.answer, verdict.reason) == (Answer.INCONCLUSIVE, f"http_{status}")
    assert len(proxy.calls) == 1  # a redirect is not followed with the secret in hand


PAGE = b"<html>Access to this site is blocked</html>"


@pytest.mark.parametrize(
    ("rejected", "body", "expected"),
    [
        ({"status": 401, "where": {"error": "expired"}}, b"", "inconclusive http_401"),
        ({"status": 401, "where": {"error": "expired"}}, b'{"error": "scope"}', "inconclusive http_401"),
        (
            {"status": 401, "where": {"error": "expired", "code": None}},
            b'{"error": "expired"}',
            "rejected http_401_expired",
        ),
        ({"status": 401, "says": "No such key"}, b"No such key.", "rejected http_401_no_such_key"),
        ({"status": 401, "says": "No such key"}, PAGE, "inconclusive http_401"),
    ],
    ids=str,
)
def test_a_refusal_counts_where_the_service_itself_says_it(server, proxy, rejected, body, expected):
    section = acme(verify={"call": "GET /me", "accepted": [200], "rejected": [rejected]})
    planted = server.plant("ci")
    proxy.answer(401, body=body)
    verdict = connected(proxy.address, server.admin, section).verify(ref_of(planted), planted.token)
    assert f"{verdict.answer} {verdict.reason}" == expected


def test_a_page_of_somebody_in_between_is_no_acceptance_and_no_absence(server, proxy):
    section = acme(read={"call": "GET /tokens/{id}", "at": "data"})
    planted = server.plant("ci")
    provider = connected(proxy.address, server.admin, section)
    proxy.answer(200, body=PAGE)
    assert provider.verify(ref_of(planted), planted.token).answer is Answer.INCONCLUSIVE
    proxy.answer(404, body=PAGE)
    assert reason_of(lambda: provider.inspect(ref_of(planted))) == "Rejected http_404"


def test_a_404_counts_once_the_list_has_no_such_credential(server, proxy):
    section = acme(read={"call": "GET /tokens/{id}/of/nothing", "at": "data"})
    planted = server.plant("ci")
    provider = connected(proxy.address, server.admin, section)
    assert provider.inspect(ref_of(planted)).state is State.ACTIVE  # that path is not found, and the list has it
    assert provider.inspect(ref_of(planted).with_id("tok_999999")).state is State.ABSENT
    wrong = acme(revoke={"call": "DELETE /nothing/{id}", "done": [204, 404]})
    assert (
        reason_of(lambda: connected(proxy.address, server.admin, wrong).revoke(ref_of(planted))) == "Rejected http_404"
    )
    assert provider.inspect(ref_of(planted)).state is State.ACTIVE


def test_a_404_in_the_services_own_words_is_believed_without_a_list(server, proxy):
    gone = {"status": 404, "where": {"error": "no such token"}}
    section = acme(
        list=None, issue=None, suspend=None, resume=None, revoke={"call": "DELETE /tokens/{id}", "done": [204, gone]}
    )
    provider = connected(proxy.address, server.admin, section)
    provider.revoke(ref_of(server.plant("ci")).with_id("tok_999999"))
    proxy.answer(404, body=b'{"message": "no Route matched with those values"}')
    assert reason_of(lambda: provider.revoke(ref_of(server.plant("ci")))) == "Rejected http_404"


def test_its_own_is_told_by_another_field_where_id_names_its_user(server):
    rest = acme(own_id="uuid")
    token = server.plant("ci").token.reveal()
    for document, expected in (
        ({"id": "moby", "token": "a password"}, None),
        ({"id": "moby", "token": token, "uuid": "tok_7"}, "tok_7"),
    ):
        assert connected(server.address, Secret(json.dumps(document)), rest).own() == expected
    untold = connected(server.address, Secret(json.dumps({"id": "moby", "token": token})), rest)
    assert reason_of(untold.own) == "Rejected own_unknown"


def test_a_leaked_secret_that_somebody_in_between_refuses_is_not_called_unknown(provider, proxy, server):
    planted = server.plant("ci")
    for status in (401, 403):
        proxy.answer(status, body=PAGE)
        assert reason_of(lambda: provider.identify(Leaked(secret=planted.token))) == "Rejected refused_otherwise"


def test_a_page_instead_of_an_answer_names_nobody(server, proxy):
    confirmed = {"by": "sha256", "call": "GET /me", "owner": "data.owner"}
    provider = connected(proxy.address, server.admin, acme(identify=confirmed, list=None, issue=None, **UNCHANGED))
    for status, body in ((200, PAGE), (204, b""), (200, b"{}")):
        proxy.answer(status, body=body)
        said = reason_of(lambda: provider.identify(Leaked(secret=server.plant("ci").token)))
        assert said == "Rejected answer_unreadable"


def test_a_throttled_knock_is_asked_again_later(provider, proxy, server):
    planted = server.plant("ci")
    proxy.answer(429, {"Retry-After": "7"})
    with pytest.raises(Unavailable) as raised:
        provider.verify(ref_of(planted), planted.token)
    assert raised.value.retry_after == 7


def test_an_endless_answer_is_not_read(provider, proxy, monkeypatch):
    monkeypatch.setattr("rotator.families.http_wire._ANSWER_LIMIT", 1000)
    ref = CredentialRef("acme_api_token", "acme", "ci", "tok_000001")
    proxy.answer(200, body=b"[" * 5000)
    assert reason_of(lambda: provider.inspect(ref)) == "Unavailable answer_too_long"


def test_its_own_credential_may_be_the_document_that_a_rotation_delivered(server):
    document = Secret(json.dumps({"id": "admin", "token": server.admin.reveal()}))
    planted = server.plant("ci")
    assert connected(server.address, document).inspect(ref_of(planted)).state is State.ACTIVE
    for missing in (None, Secret("{}"), Secret("{not json")):
        provider = connected(server.address, missing)
        assert reason_of(lambda p=provider: p.inspect(ref_of(planted))) == "Rejected no_credential"


def test_templates_are_encoded_in_a_path_and_typed_in_a_body():
    values = {"id": "a/b?c", "exposed.scopes": ["x"], "exposed.n": 3, "owner": "o"}
    assert filled_call("DELETE /tokens/{id}", values) == "DELETE /tokens/a%2Fb%3Fc"
    body = {"scopes": "{exposed.scopes}", "deep": [{"n": "{exposed.n}"}], "said": "n={exposed.n} {owner}", "kept": True}
    assert filled_body(body, values) == {"scopes": ["x"], "deep": [{"n": 3}], "said": "n=3 o", "kept": True}


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"revoke": {"call": "DELETE /tokens/{ID}", "done": [204]}}, "unknown placeholder {ID}"),
        ({"revoke": {"call": "DELETE /tokens/{marker}", "done": [204]}}, "unknown placeholder {marker}"),
        ({"resume": None}, "`suspend` and `resume` go together"),
        ({"format": "("}, "`(` is no regular expression"),
        ({"verify": {"call": "GET /me", "accepted": [200], "rejected": [200]}}, "200 cannot mean both"),
        ({"verify": {"call": "GET /me", "accepted": [200], "rejected": []}}, "say it aloud"),
        ({"identify": {"call": "GET /me/{secret}", "as": "rotator", "id": "id"}}, "put {secret} into the body"),
        ({"identify": {"call": "POST /me", "body": {"t": "{secret}"}, "id": "id"}}, "disagree on where"),
    ],
)
def test_a_mistake_in_the_section_is_told_when_it_is_loaded(section, words):
    with pytest.raises(ValidationError) as told:
        acme(**section)
    assert words in str(told.value)


@pytest.mark.parametrize(
    ("told", "prefix"),
    [
        ({}, "Bearer "),
        ({"header": "authorization"}, "Bearer "),
        ({"header": "X-Api-Key"}, ""),
        ({"header": "X-Api-Key", "prefix": "Key "}, "Key "),
        ({"prefix": "Token "}, "Token "),
    ],
)
def test_bearer_is_what_authorization_says_and_no_other_header(told, prefix):
    assert acme(authenticate=told).authenticate.before == prefix


def test_a_playbook_without_a_section_and_a_connection_without_an_address_are_told():
    with pytest.raises(BadInput, match="my_kind: a playbook with `provider: http` describes its service"):
        connect(Connection("acme", "http", endpoint_url="http://127.0.0.1:1"), "my_kind")
    for address in (None, "acme.example", "file:///etc/passwd"):
        with pytest.raises(BadInput, match="acme: an http connection needs an address"):
            connect(Connection("acme", "http", endpoint_url=address), "my_kind", acme())


def test_no_error_of_its_own_shows_material(provider, proxy, server):
    planted = server.plant("ci")
    for act in (lambda: provider.issue(ref_of(planted), MARKER, {}), lambda: provider.inspect(ref_of(planted))):
        proxy.lose_request(0)
        with pytest.raises((Rejected, Unavailable, Uncertain)) as raised:
            act()
        shown = repr(raised.value) + str(raised.getrepr(style="long", showlocals=False))
        assert server.admin.reveal() not in shown
        assert raised.value.__cause__ is None


def test_its_own_token_is_told_by_identify_and_asked_once(server, proxy):
    planted = server.plant("rotator")
    provider = connected(proxy.address, planted.token)
    assert [provider.own(), provider.own()] == [planted.id] * 2
    assert len(proxy.calls) == 1


def test_an_administrators_token_that_is_none_of_the_kind_has_no_id(provider):
    assert provider.own() is None


@pytest.mark.parametrize(
    "identify",
    [
        {"call": "POST /lookup", "as": "rotator", "body": {"token": "{secret}"}, "id": "id"},
        {"call": "GET /me", "as": "subject", "id": "data.number"},
    ],
)
def test_its_own_token_has_no_id_where_the_service_names_none(server, identify):
    planted = server.plant("rotator")
    assert connected(server.address, planted.token, acme(identify=identify)).own() is None


def test_its_own_token_is_told_by_its_document_where_the_service_tells_none(server):
    planted = server.plant("rotator")
    assert reason_of(connected(server.address, planted.token, acme(identify=None)).own) == "Rejected own_unknown"
    document = Secret(json.dumps({"id": planted.id, "token": planted.token.reveal()}))
    assert connected(server.address, document, acme(identify=None)).own() == planted.id
    assert connected(server.address, server.admin, acme(identify=None)).own() is None


HINTED = {"by": "hint", "field": "hint", "shows": "end"}


@pytest.mark.parametrize("subject", [None, {"header": "X-Api-Key"}])
def test_its_own_token_is_found_by_what_the_list_shows_of_it(server, proxy, subject):
    own, stranger = server.plant("rotator").token, server.plant("ci").token
    section = acme(identify=HINTED, subject=subject)
    provider = connected(proxy.address, own, section)
    listed = [{"id": "a", "hint": stranger.reveal()[-6:]}, {"id": "b", "hint": own.reveal()[-6:]}]
    proxy.answer(200, body=json.dumps({"data": listed}).encode())
    assert [provider.own(), provider.own()] == ["b", "b"]
    assert len(proxy.calls) == 1
    proxy.answer(200, body=json.dumps({"data": listed[:1]}).encode())
    assert connected(proxy.address, own, section).own() is None
    proxy.answer(200, body=json.dumps({"data": [*listed, {**listed[1], "id": "c"}]}).encode())
    assert reason_of(connected(proxy.address, own, section).own) == "Rejected ambiguous"
    assert connected(proxy.address, Secret("of another kind"), section).own() is None


def test_its_own_token_in_one_owners_list_is_looked_for_under_the_id_of_its_document(server, proxy):
    own = server.plant("rotator").token
    listing = {"call": "GET /owners/{owner}/tokens", "each": "data", "id": "id", "pages": "none"}
    section = acme(identify=HINTED, list=listing, issue=None)
    proxy.answer(200, body=json.dumps({"data": [{"id": "b", "hint": own.reveal()[-6:]}]}).encode())
    assert reason_of(connected(proxy.address, own, section).own) == "Rejected own_unknown"
    document = Secret(json.dumps({"id": "rotator", "token": own.reveal()}))
    assert connected(proxy.address, document, section).own() == "b"
    assert proxy.calls == ["GET /owners/rotator/tokens"]


def test_its_own_token_that_the_service_does_not_answer_about_is_an_error(server):
    planted = server.plant("rotator")
    elsewhere = {"call": "GET /nowhere", "as": "subject", "id": "data.id"}
    provider = connected(server.address, planted.token, acme(identify=elsewhere))
    assert reason_of(provider.own).startswith("Rejected ")


KNOCKED = {"identify": {"by": "sha256", "call": "GET /me", "owner": "data.owner"}, "issue": None, "list": None}
ONLY_KNOCKED = {**KNOCKED, "suspend": None, "resume": None, "revoke": None}


def only_knocked(server, **more):
    rest = acme(**{**ONLY_KNOCKED, "verify": {"call": "GET /me", "accepted": [200], "rejected": [UNKNOWN]}, **more})
    return connect(Connection("acme", "http", endpoint_url=server.address), "acme_api_token", rest)


def test_a_kind_that_is_only_knocked_with_needs_no_credential_of_the_rotators(server):
    planted = server.plant("ci")
    provider = only_knocked(server)
    named = provider.identify(Leaked(secret=planted.token))
    assert (named.owner, len(named.id)) == ("ci", 64)
    assert provider.own() is None
    assert provider.capability is Capability.MANUAL
    assert provider.verify(named, planted.token).answer is Answer.ACCEPTED
    assert reason_of(lambda: provider.inspect(named)) == "Rejected no_view"
    assert reason_of(lambda: provider.revoke(named)) == "Rejected unsupported"
    assert reason_of(lambda: provider.identify(Leaked(id="tok_000001"))) == "Rejected needs_secret"


def test_a_secret_whose_ends_two_listed_ones_show_is_left_to_the_report(server, proxy):
    provider = connected(proxy.address, server.admin, acme(identify={"by": "hint", "field": "hint"}, format=None))
    listed = [{"id": "a", "hint": "acme...wxyz"}, {"id": "b", "hint": "acme...wxyz"}, {"id": "c", "hint": "ac...yz"}]
    proxy.answer(200, body=json.dumps({"data": listed}).encode())
    assert reason_of(lambda: provider.identify(Leaked(secret=Secret("acme_1_wxyz")))) == "Rejected ambiguous"
    assert provider.identify(Leaked(secret=Secret("ac_1_yz"))).id == "c"
    assert reason_of(lambda: provider.identify(Leaked(secret=Secret("other")))) == "Rejected unknown_credential"


def test_an_id_of_another_form_goes_into_no_call(server, proxy):
    provider = connected(proxy.address, server.admin, acme(id_format="tok_[0-9]{6}"))
    odd = CredentialRef("acme_api_token", "acme", "ci", 'tok_1" OR')
    for act in (provider.inspect, provider.revoke, provider.suspend):
        assert reason_of(lambda a=act: a(odd)) == "Rejected malformed_id"
    assert proxy.calls == []


def test_a_full_quota_is_told_as_such_and_nothing_else_is(server, proxy):
    told = {**acme().issue.model_dump(mode="json"), "full": [{"status": 400, "where": {"code": "too_many"}}]}
    provider = connected(proxy.address, server.admin, acme(issue=told))
    ref = CredentialRef("acme_api_token", "acme", "ci", "tok_000001")
    for body, said in ((b'{"code": "too_many"}', "Rejected quota"), (b'{"code": "odd"}', "Rejected http_400")):
        proxy.answer(400, body=body)
        assert reason_of(lambda: provider.issue(ref, MARKER, {"exposed.scopes": "[]"})) == said


def test_what_copies_from_the_exposed_one_says_that_it_asks_twice_and_spares_what_is_gone(server):
    copying = {"call": "DELETE /tokens/{id}", "body": {"was": "{exposed.scopes}"}, "done": [204]}
    provider = connected(server.address, server.admin, acme(revoke=copying))
    planted = server.plant("ci")
    assert provider.calls["revoke"] == 2
    provider.revoke(ref_of(planted))
    provider.revoke(ref_of(planted))
    assert provider.inspect(ref_of(planted)).state is State.ABSENT
