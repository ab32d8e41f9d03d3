"""What `provider check` says of permissions: what is refused first, and nothing granted that nobody said."""

from __future__ import annotations

import itertools
import json
from types import SimpleNamespace

import pytest

from rotator.errors import BadInput, Rejected, Unavailable
from rotator.examining.checking import checked, counted
from rotator.examining.permitted import NOT_ASKED, May, needed
from rotator.permissions import LOOK, Permission
from rotator.playbook_file import load_all
from rotator.ports.connection import Connection
from rotator.settings.credentials import CredentialSettings, Match

KINDS = load_all()
KEY = "aws_iam_access_key"


def test_what_a_playbook_needs_is_to_look_its_verbs_and_what_takes_them_back():
    assert set(needed(KINDS[KEY])) == {LOOK, "suspend", "resume", "end_sessions", "issue", "revoke"}
    assert needed(KINDS["stripe_api_key"]) == (LOOK,)
    for playbook in KINDS.values():
        assert needed(playbook)[0] == LOOK


@pytest.mark.parametrize("answers", list(itertools.product([True, False, None], repeat=2)))
def test_a_verb_is_granted_only_where_all_that_it_needs_is(answers):
    may = May(("revoke",), tuple(Permission(("revoke",), f"right-{n}", each, "why") for n, each in enumerate(answers)))
    said = {True: "may revoke", False: "may NOT revoke", None: "cannot be told: revoke"}
    assert str(may) == said[False if False in answers else None if None in answers else True]
    assert [each.granted for each in may.refused] == [each for each in answers if each is False]
    assert (len(may.lacking), len(may.untold)) == (answers.count(False), answers.count(None))
    assert may.tells is (answers != (None, None))


def test_what_no_playbook_asks_for_is_data_and_no_trouble():
    may = May((LOOK, "revoke"), (Permission((LOOK, "issue"), "list", True), Permission(("issue",), "create", False)))
    assert may.refused == ()
    assert str(may) == "may look; cannot be told: revoke"
    assert [(each["needs"], each["needed"]) for each in may.data] == [("list", True), ("create", False)]


class Told:
    """A provider that says what it is told to say."""

    def __init__(self, told: list[Permission] | Exception) -> None:
        self._told = told
        self.asked: list[str | None] = []

    def inspect(self, _ref):
        return SimpleNamespace(state="absent")

    @staticmethod
    def refusing(_ref):
        raise Rejected("permission_denied", "not of yours")

    def permissions(self, whose):
        self.asked.append(whose)
        if isinstance(self._told, Exception):
            raise self._told
        return [*self._told, Permission((LOOK,), f"of {whose}", True)]


def parts(*providers: object, owners: tuple[str, ...] = ()) -> SimpleNamespace:
    """Return as much of a rotator as is asked: one connection for each provider, of one kind."""
    connections = {f"c{n}": Connection(f"c{n}", "aws", kinds=(KEY,)) for n, _ in enumerate(providers)}
    given = dict(zip(connections, providers, strict=True))
    outside = SimpleNamespace(
        family=lambda _: "aws",
        provider_of=lambda _, connection: given[connection],
        provider=lambda ref: given[ref.connection],
    )
    entries = [CredentialSettings(match=Match(provider=KEY, owner=each)) for each in owners]
    return SimpleNamespace(
        settings=SimpleNamespace(credentials=entries),
        connections=list(connections.values()),
        playbooks=KINDS,
        outside=outside,
        limits={},
        account_of=lambda name: name,
    )


ALL = [Permission((verb,), f"iam:{verb}", True) for verb in needed(KINDS[KEY])]


def test_each_connection_is_told_by_itself_and_one_that_lacks_something_is_bad():
    lacking = [*ALL[:-1], Permission((needed(KINDS[KEY])[-1],), "iam:DeleteAccessKey", False, "implicitDeny")]
    found = checked(parts(Told(ALL), Told(lacking), Told(Unavailable("throttled", "later"))), None, KEY, "ci")
    assert [each.well for each in found] == [True, False, False]
    assert (
        found[0]
        .lines(whole=False)[0]
        .startswith("ok  aws_iam_access_key on c0: answers (absent); may look, suspend, resume")
    )
    assert found[1].lines(whole=False)[1:] == ["    NOT revoke: iam:DeleteAccessKey (implicitDeny)"]
    assert found[0].data["permissions"][-1] == {
        "verbs": [LOOK],
        "needs": "of ci",
        "granted": True,
        "why": "",
        "needed": True,
    }
    assert "throttled" in found[2].lines(whole=False)[0]
    assert [each.data["trouble"] for each in found] == [None, None, "throttled"]
    assert found[1].data["may"] == dict.fromkeys(needed(KINDS[KEY]), "granted") | {needed(KINDS[KEY])[-1]: "refused"}
    assert (found[2].data["permissions"], found[2].data["may"]) == (None, None)
    assert counted(found)[:2] == [
        "3 asked about, 2 not well; of 2 it is told what the rotator may do",
        f"not well: {KEY} on c1, {KEY} on c2",
    ]
    assert json.dumps([each.data for each in found])


def test_who_may_look_but_not_at_somebody_made_up_is_answered():
    confined = Told(ALL)
    confined.inspect = Told.refusing
    assert [each.well for each in checked(parts(confined), None, None, None)] == [True]
    assert confined.asked == [None]  # both questions of it are one to the issuer
    blind = Told([Permission((LOOK,), "iam:ListAccessKeys", None, "may not simulate"), *ALL[1:]])
    blind.inspect = Told.refusing
    (found,) = checked(parts(blind), None, None, None)
    assert not found.well
    assert not [line for line in found.lines(whole=True) if "look" in line]  # its refusal has told that
    away = Told(Unavailable("throttled", "later"))
    away.inspect = Told.refusing
    (found,) = checked(parts(away), None, None, None)
    assert (found.reached.answer, found.may, away.asked) == (found.permitted.answer, None, [None])


def test_the_owners_of_the_configuration_are_asked_about_unless_one_is_named():
    known = parts(Told([]), owners=("ci", "payments", "ci"))
    for owner, asked in ((None, ["of ci", "of payments"]), ("billing", ["of billing"])):
        (found,) = checked(known, None, KEY, owner)
        assert [each.needs for each in found.may.told] == asked


def test_an_owner_whom_the_issuer_does_not_find_may_be_misspelt():
    for owner, asks in (("c1", True), (None, False)):
        (found,) = checked(parts(Told(Rejected("not_found", "GetUser: NoSuchEntity"))), None, KEY, owner)
        assert not found.well
        assert ("is c1 the owner's name?" in found.lines(whole=False)[0]) is asks


def test_a_kind_that_cannot_be_asked_is_well_and_says_so():
    silent = SimpleNamespace(inspect=Told([]).inspect)
    (found,) = checked(parts(silent), "c0", KEY, None)
    assert found.well
    assert NOT_ASKED in found.lines(whole=True)[0]


@pytest.mark.parametrize(("kind", "owner"), [(None, "ci"), (KEY, "")])
def test_an_owner_is_named_with_his_kind(kind, owner):
    with pytest.raises(BadInput, match="kinds name their owners"):
        checked(parts(Told(ALL)), None, kind, owner)


@pytest.mark.parametrize(
    ("connection", "kind", "says"),
    [
        ("c9", None, "no connection is called so"),
        (None, "aws_key", "no kind is called so"),
        ("c0", "postgres_role", "does not serve"),
    ],
)
def test_whom_nobody_knows_is_one_line(connection, kind, says):
    with pytest.raises(BadInput, match=says):
        checked(parts(Told(ALL)), connection, kind, None)
