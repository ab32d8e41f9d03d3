"""Whom triage asks, whom it shows a secret to, and what becomes of what nobody can name: nothing is ever lost."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotator.credential import Leaked, Secret
from rotator.errors import Rejected, Unavailable, Uncertain
from rotator.flow.exposure import Exposure, Suspect
from rotator.flow.scope import Custodies, Custody
from rotator.ports.connection import Connection
from rotator.ports.provider import Capability
from rotator.triage import ATTEMPTS, Findings, Triage
from tests.fakes.doors import DoorIssuer
from tests.fakes.issuer import Issuer, KeyIssuer, TokenIssuer
from tests.fakes.world import World

KEY, TOKEN, SSH = "aws_iam_access_key", "vault_token", "ssh_authorized_key"
FAMILIES = {KEY: "aws", TOKEN: "vault", SSH: "ssh"}
DOORS = ("web-1", "web-2", "db-1")


def suspect(kind: str | None, **leaked) -> Suspect:
    told = Leaked(**leaked)
    return Suspect(kind, told.id or "fp:1", told, (Exposure("list", kind or "odd", told),))


class Issuers:
    """One issuer of each kind behind each connection, and what each was asked."""

    def __init__(self, *connections: Connection, custody: tuple[Custody, ...] = ()) -> None:
        self.world = World()
        self.connections, self.custody = connections, custody
        self.providers: dict[tuple[str, str], object] = {}
        self.shown: list[tuple[str, str]] = []
        self.pauses: list[float] = []

    def issuer(self, kind: str, connection: str) -> Issuer:
        return Issuer(self.world, kind, connection)

    def provider(self, kind: str, connection: str):
        key = (kind, connection)
        if key not in self.providers:
            issuer = self.issuer(kind, connection)
            made = {
                KEY: lambda: KeyIssuer(issuer),
                TOKEN: lambda: TokenIssuer(issuer),
                SSH: lambda: DoorIssuer(issuer, DOORS),
            }[kind]()
            identify = made.identify

            def watched(leaked: Leaked):
                self.shown.append((connection, leaked.secret.reveal() if leaked.secret else ""))
                return identify(leaked)

            made.identify = watched
            self.providers[key] = made
        return self.providers[key]

    def asked(self, *suspects: Suspect) -> Findings:
        return Triage(
            connections=self.connections,
            custodies=Custodies(self.custody),
            family=FAMILIES.__getitem__,
            provider=self.provider,
            pause=self.pauses.append,
            concurrency=4,
            kinds=(KEY, TOKEN),
        ).identify(suspects)


def reason(findings: Findings) -> str:
    [only] = findings.unresolved
    assert findings.scoped == ()
    assert only.mend
    return only.reason


def connection(name: str, family: str = "aws", **given_) -> Connection:
    return Connection(name, family, **given_)


def test_the_issuer_that_knows_it_names_it():
    issuers = Issuers(connection("prod"), connection("test"), custody=(Custody({"owner": "ci"}, criticality="high"),))
    ref, secret = issuers.issuer(KEY, "test").plant("ci")
    findings = issuers.asked(suspect(KEY, id=ref.id, secret=secret))
    [found] = findings.scoped
    assert (found.ref, found.custody.criticality, findings.unresolved) == (ref, "high", ())
    assert "test issued it" in found.why


def test_what_no_issuer_knows_is_left_to_a_person_with_each_ones_answer():
    told = reason(Issuers(connection("prod"), connection("test")).asked(suspect(KEY, id="KEY00042")))
    assert "prod: unknown_credential" in told
    assert "test: unknown_credential" in told


def test_what_two_issuers_claim_is_left_to_a_person():
    issuers = Issuers(connection("prod"), connection("test"))
    ref, _ = issuers.issuer(KEY, "prod").plant("ci")
    issuers.provider(KEY, "test").identify = lambda _: ref
    assert reason(issuers.asked(suspect(KEY, id=ref.id))) == "claimed by prod, test"


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (suspect(None, id="x"), "no playbook recognises list:odd"),
        (suspect(TOKEN, id="x"), "no vault connection"),
        (suspect(KEY, id="x", account="999"), "none of prod is known"),
        (suspect(KEY, id="x", connection="gone"), "no connection is called gone"),
    ],
)
def test_what_nobody_can_be_asked_about_is_left_to_a_person(found, said):
    issuers = Issuers(connection("prod", account="111"))
    assert said in reason(issuers.asked(found))


def test_a_slip_in_a_list_is_met_with_the_kind_or_the_connection_that_was_meant():
    issuers, leaked = Issuers(connection("prod")), Leaked(id="x", connection="prd")
    slip = Suspect(None, "x", leaked, (Exposure("list", "aws_iam_acess_key", leaked),))
    [only] = issuers.asked(slip).unresolved
    assert only.mend.startswith(f"did you mean `{KEY}`? If not, revoke it")
    [only] = issuers.asked(suspect(KEY, id="x", connection="prd")).unresolved
    assert (only.reason, only.mend) == (
        "no connection is called prd",
        "mend it and declare again: did you mean `prod`?",
    )
    assert issuers.shown == []


def test_a_connection_that_serves_other_kinds_is_not_asked():
    issuers = Issuers(connection("prod", kinds=("another",)))
    assert "no aws connection" in reason(issuers.asked(suspect(KEY, id="x")))


def test_a_secret_is_not_shown_to_one_of_two_who_might_be_its_issuer():
    issuers = Issuers(connection("east", "vault"), connection("west", "vault"))
    assert "would show them the secret" in reason(issuers.asked(suspect(TOKEN, secret=Secret("s.canary"))))
    assert issuers.shown == []


ADDRESSES = ["https://east:8200", "https://west:8200"]
connections_ = st.lists(
    st.builds(
        connection,
        name=st.sampled_from(["a", "b", "c", "d"]),
        family=st.just("vault"),
        account=st.none() | st.sampled_from(["111", "222"]),
        endpoint_url=st.none() | st.sampled_from(ADDRESSES),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda each: each.name,
)
reports = st.builds(
    Leaked,
    secret=st.just(Secret("s.canary")),
    account=st.none() | st.sampled_from(["111", "222"]),
    address=st.none() | st.sampled_from([*ADDRESSES, "https://north"]),
    connection=st.none() | st.sampled_from(["a", "b", "x"]),
)


@settings(deadline=None, max_examples=200)
@given(connections_, reports)
def test_a_secret_goes_to_a_known_issuer_alone(serving, leaked):
    """To one connection at most, to none that contradicts the report, and to no other when several might be it."""
    issuers = Issuers(*serving)
    issuers.asked(Suspect(TOKEN, "fp:1", leaked, ()))
    assert len(issuers.shown) <= 1
    fitting = [
        each
        for each in serving
        if leaked.connection in {None, each.name}
        and not (leaked.account and each.account and leaked.account != each.account)
        and not (leaked.address and each.endpoint_url and leaked.address != each.endpoint_url)
    ]
    for name, _ in issuers.shown:
        [shown] = [each for each in fitting if each.name == name]
        named = (
            bool(leaked.connection)
            or (leaked.account is not None and leaked.account == shown.account)
            or (leaked.address is not None and leaked.address == shown.endpoint_url)
        )
        assert named or len(fitting) == 1


def test_who_cannot_be_reached_is_asked_again_with_patience_and_then_a_person_is():
    issuers = Issuers(connection("prod"))
    ref, _ = issuers.issuer(KEY, "prod").plant()
    left = [ATTEMPTS - 1]

    def meet(phase, what, _changes):
        if (phase, what) == ("before", "issuer.identify") and left[0]:
            left[0] -= 1
            raise Unavailable("throttled", retry_after=7.0)

    issuers.world.meet = meet
    assert [each.ref for each in issuers.asked(suspect(KEY, id=ref.id)).scoped] == [ref]
    assert issuers.pauses == [7.0] * (ATTEMPTS - 1)
    left[0] = ATTEMPTS
    assert "prod: throttled" in reason(issuers.asked(suspect(KEY, id=ref.id)))


@pytest.mark.parametrize("error", [Rejected("access_denied"), Unavailable("down"), Uncertain("lost")])
def test_a_door_that_does_not_answer_stays_in_sight(error):
    issuers = Issuers(connection("hosts", "ssh"))
    ref, secret = issuers.provider(SSH, "hosts").plant("deploy")
    with issuers.world.open() as state:
        state["credentials"][ref.id]["doors"].pop("web-2")

    def meet(phase, what, _changes):
        if (phase, what) == ("before", "issuer.inspect_at") and issuers.world.about.endswith("@db-1"):
            raise error

    issuers.world.meet = meet
    findings = issuers.asked(suspect(SSH, secret=secret))
    assert findings.targets == {ref: ("web-1", "db-1")}


def test_an_id_and_a_secret_that_turn_out_to_be_one_are_one_credential():
    issuers = Issuers(connection("vault", "vault"))
    ref, secret = issuers.issuer(TOKEN, "vault").plant("ci")
    for pair in (
        (suspect(TOKEN, id=ref.id), suspect(TOKEN, secret=secret)),
        (suspect(TOKEN, secret=secret), suspect(TOKEN, id=ref.id)),
    ):
        [found] = issuers.asked(*pair).scoped
        assert (found.ref, found.leaked.secret, len(found.exposures)) == (ref, secret, 2)


def test_a_kind_that_only_a_person_can_revoke_is_scoped_like_any_other(monkeypatch):
    """Its playbook asks that person, with the clock running."""
    issuers = Issuers(connection("prod"))
    ref, _ = issuers.issuer(KEY, "prod").plant()
    monkeypatch.setattr(KeyIssuer, "capability", Capability.MANUAL)
    [found] = issuers.asked(suspect(KEY, id=ref.id)).scoped
    assert found.ref == ref


def test_a_number_for_an_id_is_not_found_within_the_rotators_own_token():
    """Some issuers count: `17` stands in many a token by chance, and must not be taken for the rotator's own."""
    own = connection("prod", credential=lambda: Secret("glpat-aa17bb"))
    issuers = Issuers(own)
    with issuers.world.open() as state:
        ref, _ = issuers.issuer(KEY, "prod").make(state, "ci", 0.0)
        state["credentials"]["17"] = state["credentials"].pop(ref.id)
    assert [each.ref.id for each in issuers.asked(suspect(KEY, id="17")).scoped] == ["17"]
    issuers.connections = (connection("prod", credential=lambda: Secret('{"id": "17", "token": "x"}')),)
    assert "the rotator itself" in reason(issuers.asked(suspect(KEY, id="17")))


def test_a_defect_in_one_answer_loses_none_of_the_others():
    issuers = Issuers(connection("prod"), connection("vault", "vault"))
    ref, _ = issuers.issuer(KEY, "prod").plant()

    def broken(_leaked):
        raise KeyError("canary")

    issuers.provider(TOKEN, "vault").identify = broken
    findings = issuers.asked(suspect(TOKEN, secret=Secret("canary")), suspect(KEY, id=ref.id))
    assert [each.ref for each in findings.scoped] == [ref]
    [left] = findings.unresolved
    assert (left.kind, left.reason) == (TOKEN, "internal error (KeyError)")


@settings(deadline=None, max_examples=60)
@given(st.lists(st.sampled_from(["known", "unknown", "odd", "down", "refused", "broken"]), max_size=12))
def test_every_suspect_comes_out_once(fates):
    issuers = Issuers(connection("prod"))
    suspects = []
    errors = {"down": Unavailable("down"), "refused": Rejected("no"), "broken": KeyError("x")}
    by_id: dict[str, Exception] = {}
    for number, fate in enumerate(fates):
        ref, _ = issuers.issuer(KEY, "prod").plant() if fate != "unknown" else (None, None)
        name = ref.id if ref else f"NEVER{number}"
        suspects.append(suspect(None if fate == "odd" else KEY, id=name))
        if fate in errors:
            by_id[name] = errors[fate]
    provider = issuers.provider(KEY, "prod")
    identify = provider.identify

    def fated(leaked):
        if leaked.id in by_id:
            raise by_id[leaked.id]
        return identify(leaked)

    provider.identify = fated
    findings = issuers.asked(*suspects)
    out = [each.ref.id for each in findings.scoped] + [each.key for each in findings.unresolved]
    assert Counter(out) == Counter(each.key for each in suspects)
    assert len(findings.scoped) == fates.count("known")
