"""A mistake in an `http:` section is one clear line when the playbook is loaded, whatever the mistake."""

from __future__ import annotations

import contextlib
import copy
import functools
import io
import random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from ruamel.yaml import YAML

from rotator import playbook_file
from rotator.errors import BadInput
from rotator.ports.connection import Connection
from rotator.providers.http import connect
from rotator.rest_kind import RestKind
from tests.contracts.cases.http import acme
from tests.fakes.vendor_server import shape_names

LISTED = {"call": "GET /keys", "id": "id", "pages": "none"}
DEAD = {"status": 401, "where": {"error": "dead"}}
KNOCK = {"call": "GET /me", "accepted": [200], "rejected": [DEAD]}
BARE = {"list": LISTED, "verify": KNOCK}
MAY = {"call": "GET /scopes", "held": "scopes", "needs": {"look": ["keys.read"]}}


def told(section):
    with pytest.raises(ValidationError) as raised:
        RestKind.model_validate(section)
    (error,) = raised.value.errors()
    return str(error["msg"]).removeprefix("Value error, ")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"authenticate": {"query": "k", "header": "X"}}, "`query` and `header`: a credential is shown in one form"),
        ({"authenticate": {"headers": {"X-Key": "plain"}}}, "`headers` shows no credential"),
        ({"authenticate": {"basic": ["{user}", "{secret}"]}}, "unknown placeholder {user}"),
        ({"authenticate": {"in_call": True}}, "disagree on where the secret stands"),
        ({"authenticate": {"header": "X Key"}}, "should match pattern"),
        ({"subject": {"in_call": True}}, "`verify` and `subject` disagree on where the secret stands"),
        ({"settings": {"id": "an id"}}, "`id` has a meaning of its own"),
        ({"settings": {"Org": "x"}}, "should match pattern"),
        ({"headers": {"X-Org": "{org}"}}, "unknown placeholder {org}: this section knows {account}"),
        ({"list": {**LISTED, "call": "GET /orgs/{org}/keys"}}, "unknown placeholder {org}"),
        ({"list": {**LISTED, "call": "GET /keys/{owner"}}, "has a brace that belongs to no placeholder"),
        ({"list": {**LISTED, "body": {"a": 1}, "form": {"b": "2"}}}, "a call has a `body` or a `form`, not both"),
        ({"list": None}, "nothing names a credential"),
        ({"list": None, "identify": {"by": "hint", "field": "f"}}, "a `hint` stands in a `list`"),
        ({"list": None, "identify": {"by": "sha256"}}, "half a secret has a digest as well"),
        ({"identify": {"by": "format"}}, "write (?P<id>…) into `format`"),
        ({"identify": {"by": "hint"}}, "a `hint` names its `field`"),
        ({"identify": {"by": "answer"}}, "an answer is had by a `call`"),
        ({"identify": {"by": "report"}}, "confirmed by a `call`"),
        ({"identify": {"by": "sha256", "id": "id"}}, "no answer names the `id`"),
        ({"identify": {"by": "sha256", "owner": "o"}}, "there is no `call` to which this belongs"),
        ({"verify": {**KNOCK, "accepted": [True]}}, "`True` is no status"),
        ({"verify": {**KNOCK, "accepted": [99]}}, "`99` is no status"),
        ({"verify": {**KNOCK, "accepted": [{"status": []}]}}, "at least one status"),
        ({"verify": {**KNOCK, "accepted": ["200"]}}, "an answer is a status"),
        ({"verify": {**KNOCK, "rejected": [{"status": 401, "where": {}}]}}, "`where` names fields"),
        ({"verify": {**KNOCK, "rejected": [{"status": 401, "where": {"a b": 1}}]}}, "`a b` is no path"),
        ({"verify": {**KNOCK, "rejected": [{"status": 401, "where": {"a": {}}}]}}, "`a`: a text, a number"),
        ({"verify": {**KNOCK, "call": "GET /me/{secret}"}}, "say `subject: {in_call: true}`"),
        (
            {"revoke": {"call": "DELETE /keys/{id}", "body": {"key": "{secret}"}, "done": [204]}},
            "unknown placeholder {secret}",
        ),
        ({"revoke": {"call": "DELETE /k/{id}", "done": [204], "suspended_first": True}}, "needs a `suspend`"),
        (
            {"issue": {"call": "POST /k", "id": "i", "secret": "s"}, "list": None, "read": {"call": "GET /k/{id}"}},
            "needs a `list`",
        ),
        ({"id_format": "("}, "`(` is no regular expression"),
        ({"verify": {**KNOCK, "rejected": [DEAD, 429]}}, "429 never means rejected"),
        ({"verify": {**KNOCK, "rejected": [{"status": 503, "where": {"a": 1}}]}}, "503 never means rejected"),
        ({"verify": {**KNOCK, "accepted": [200, 302]}}, "302 never means accepted"),
        ({"revoke": {"call": "DELETE /k/{id}", "done": [204, 403]}}, "403 never means done: it refuses whoever asks"),
        ({"read": {"call": "GET /k/{id}", "absent": [401, 404]}}, "401 never means absent"),
        (
            {
                "issue": {"call": "POST /k", "id": "i", "secret": "s"},
                "revoke": {"call": "POST /revoke", "as": "subject", "done": [200]},
            },
            "what `issue` makes in vain could not be revoked",
        ),
        ({"budget": {"calls_per_second": 0}}, "greater than 0"),
        ({"verify": {**KNOCK, "rejected": [DEAD, 407]}}, "407 never means rejected"),
        ({"verify": {**KNOCK, "rejected": [DEAD, 403]}}, "403 alone is also said to a living credential"),
        ({"verify": {**KNOCK, "rejected": [401]}}, "401 alone is also said to a living credential, by a gateway"),
        ({"verify": {**KNOCK, "rejected": []}}, "`none` where the service refuses"),
        ({"verify": {**KNOCK, "rejected": [{"status": 401, "empty": True}]}}, "an empty 401 is also said by a gateway"),
        ({"verify": {**KNOCK, "rejected": [{"status": 401, "says": "Forbidden"}]}}, "are HTTP's own words"),
        ({"list": None, "read": {"call": "GET /k/{id}"}}, "404 alone never means absent without a `list`"),
        ({"own_id": "uuid"}, "`own_id` needs a `format`"),
        ({"verify": {**KNOCK, "rejected": [204]}}, "204 alone is also said to a living credential"),
        ({"verify": {**KNOCK, "rejected": [{"status": 401, "where": {"token": None}}]}}, "a `where` of nulls alone"),
        (
            {"verify": {**KNOCK, "rejected": [{"status": 403, "says": "no such key", "where": {"a": 1}}]}},
            "an answer is JSON (`where`), another text (`says`) or `empty`",
        ),
        ({"verify": {**KNOCK, "call": "DELETE /me"}}, "DELETE is no method for this: GET, POST"),
        ({"list": {**LISTED, "call": "DELETE /keys"}}, "DELETE is no method for this"),
        ({"list": {**LISTED, "pages": None}}, "`none` where one answer holds all"),
        ({"list": {**LISTED, "pages": "next"}}, "`none` where one answer holds all"),
        ({"list": {"call": "GET /keys", "id": "id"}}, "Field required"),
        (
            {"list": {**LISTED, "keep": ["last4"]}, "identify": {"by": "hint", "field": "last4"}},
            "`keep` holds the `hint`",
        ),
        ({"read": {"call": "DELETE /keys/{id}"}}, "DELETE is no method for this"),
        ({"read": {"call": "GET /keys/mine"}}, "`GET /keys/mine` does not say which credential"),
        ({"issue": {"call": "GET /keys/new", "id": "i", "secret": "s"}}, "GET is no method for this"),
        ({"revoke": {"call": "GET /keys/{id}/end", "done": [204]}}, "GET is no method for this"),
        ({"revoke": {"call": "DELETE /keys", "done": [204]}}, "`DELETE /keys` does not say which credential"),
        ({"revoke": {"call": "DELETE /keys/{owner}", "done": [204]}}, "does not say which credential"),
        ({"identify": {"by": "sha256", "call": "DELETE /me"}}, "DELETE is no method for this"),
        ({"identify": {"by": "sha256", "call": "GET /me", "unknown": [503]}}, "503 never means unknown"),
        ({"format": ".*"}, "`.*` fits what was cut off as well"),
        ({"permissions": [{**MAY, "words": "scope"}]}, "say in one way where it stands what is held"),
        ({"permissions": [{**MAY, "held": None}]}, "say in one way where it stands what is held"),
        ({"permissions": [{**MAY, "held": None, "words": "a", "places": ["*"]}]}, "belong to `held`, not to `words`"),
        ({"permissions": [{**MAY, "denied": {"effect": "deny"}}]}, "choose among `each`, and there is none"),
        ({"permissions": [{**MAY, "call": "DELETE /scopes"}]}, "DELETE is no method for this"),
        ({"permissions": [{**MAY, "call": "GET /{secret}"}]}, "unknown placeholder {secret}"),
        ({"permissions": [{**MAY, "call": "GET /{credential.token}"}]}, "a secret in a path ends in every log"),
        ({"permissions": [{**MAY, "granted": [200, 403]}]}, "403 never means granted: it refuses whoever asks"),
        ({"permissions": [{**MAY, "needs": {"look": ["a {id}"]}}]}, "unknown placeholder {id}"),
        (
            {"permissions": [{**MAY, "needs": {"revoke": ["a"]}}]},
            "`revoke` needs nothing: the section has no such call",
        ),
        (
            {"permissions": [MAY], "revoke": {"call": "DELETE /k/{id}", "done": [204]}},
            "nothing says what `revoke` needs: name it in `needs`, or in `untold`",
        ),
    ],
    ids=str,
)
def test_each_mistake_is_told_once_and_in_our_words(more, words):
    section = {name: value for name, value in {**BARE, **more}.items() if value is not None}
    assert words in told(section)


@pytest.mark.parametrize(
    ("yes", "no"),
    [
        ([{"status": 200, "where": {"ok": True}}], [{"status": 200, "where": {"ok": False}}]),
        ([{"status": 200, "where": {"errors": None}}], [{"status": 200, "where": {"errors.0.code": "X"}}]),
        ([200], [{"status": 200, "where": {"error": ["revoked", "expired"]}}]),
        ([200], [DEAD]),
        ([200], "none"),
        ([{"status": 403, "where": {"error": "scope"}}], [{"status": 403, "says": "no such key"}]),
    ],
)
def test_answers_that_a_field_tells_apart_may_share_a_status(yes, no):
    RestKind.model_validate({**BARE, "verify": {**KNOCK, "accepted": yes, "rejected": no}})


@pytest.mark.parametrize(
    ("yes", "no"),
    [
        ([200, 204], [{"status": 401}, 204]),
        ([{"status": 200, "where": {"ok": True}}], [{"status": 200, "where": {"ok": [True, False]}}]),
        ([{"status": 200, "where": {"a": 1}}], [{"status": 200, "where": {"b": 1}}]),
    ],
)
def test_answers_that_nothing_tells_apart_are_a_mistake(yes, no):
    assert "cannot mean both accepted and rejected" in told(
        {**BARE, "verify": {**KNOCK, "accepted": yes, "rejected": no}}
    )


def test_a_connection_without_a_setting_or_an_account_is_told_what_is_missing():
    section = {
        **BARE,
        "settings": {"org": "the organization's slug"},
        "list": {**LISTED, "call": "GET /{org}/{account}"},
    }
    kind = RestKind.model_validate(section)
    own = {"endpoint_url": "http://127.0.0.1:1"}
    with pytest.raises(BadInput) as refusal:
        connect(Connection("acme", "http", **own), "my_kind", kind)
    assert str(refusal.value) == (
        'connection acme: my_kind needs the setting `org`: the organization\'s slug (settings = { org = "…" })'
    )
    with pytest.raises(BadInput, match="my_kind names its account in its calls"):
        connect(Connection("acme", "http", **own, settings={"settings": {"org": "x"}}), "my_kind", kind)
    connect(Connection("acme", "http", "acc", **own, settings={"settings": {"org": "x"}}), "my_kind", kind)


def places(value, path=()):
    """Yield every place of a document."""
    yield path
    if isinstance(value, dict):
        for name, each in value.items():
            yield from places(each, (*path, name))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from places(each, (*path, number))


ODD = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 700)
    | st.sampled_from(
        ["", "{", "{id}", "{secret}", "{exposed.a}", "GET /{owner}", "POST /x", "id.0", "(", "hint", "äé\n"]
    )
    | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["call", "status", "where", "id"]), inner)
    ),
    max_leaves=4,
)


@functools.cache
def shipped(name):
    return YAML(typ="safe").load((playbook_file.SHIPPED / f"{name}.yaml").read_text())


def spoiled(name, seed, odd, *, drop):
    """Return the playbook with one place of its `http:` section changed or taken away."""
    changed = copy.deepcopy(shipped(name))
    spot = random.Random(seed).choice([path for path in places(changed["http"]) if path])
    inner = changed["http"]
    for part in spot[:-1]:
        inner = inner[part]
    if drop and isinstance(inner, dict):
        del inner[spot[-1]]
    else:
        inner[spot[-1]] = odd
    return changed


SPOILED = st.builds(spoiled, st.sampled_from(shape_names()), st.integers(0, 10**6), ODD, drop=st.booleans())


@settings(deadline=None)
@given(document=SPOILED)
def test_whatever_is_wrong_with_a_section_is_an_error_of_the_model_and_no_other(document):
    with contextlib.suppress(ValidationError):
        RestKind.model_validate(document["http"])


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=SPOILED)
@example(document=spoiled("anthropic_api_key", 0, "äé\n", drop=False))
def test_whatever_is_wrong_with_a_playbook_is_told_in_lines_of_one_line_each(tmp_path, document):
    text = io.StringIO()
    YAML(typ="safe").dump(document, text)
    (tmp_path / "odd.yaml").write_text(text.getvalue())
    problems = playbook_file.lint(tmp_path / "odd.yaml")
    assert all(each.what and "\n" not in each.what + each.mend and each.line >= 1 for each in problems)
    if not problems:
        playbook_file.load(tmp_path / "odd.yaml")


def test_the_practice_kind_is_unharmed():
    assert acme().looks
    assert not acme().uses_account
