"""What one compromise reaches, and which edge shrinks it most: as a plain search says, edge by edge."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotator.credential import CredentialRef, Leaked
from rotator.errors import BadInput
from rotator.flow import cuts, segmentation
from rotator.flow.attack_graph import AttackGraph
from rotator.flow.blast import expand
from rotator.flow.exposure import Exposure
from rotator.flow.paths import roots_of
from rotator.flow.reachability import Reachability
from rotator.flow.scope import Custodies, Custody, Scoped
from rotator.flow.site import site
from rotator.flow.stock import stock
from rotator.ports.connection import Connection
from rotator.ports.store import Place

ROOTS = roots_of([Connection("vault", "vault", settings={"mount": "kv"})])


def entry(owner, at=(), sites=(), *, reads=(), kind="vault_token", name=None, **known) -> Custody:
    match = {"provider": kind, "connection": "vault", "owner": owner, "id": name or f"{owner}-1"}
    places = tuple(Place("vault_kv", "vault", each) for each in at)
    return Custody(match, deliver=places, reachable_from=tuple(map(site, sites)), reads=reads, **known)


def graph(*entries, known=()) -> AttackGraph:
    return AttackGraph(stock(entries, known), Custodies(entries), ROOTS, lambda _: ("vault",))


CI = entry("ci", sites=["host:ci-7"], reads=("vault:kv/payments/*",))
PAY = entry("pay", at=["payments/db"], criticality="critical", datasets=("cards",))
WEB = entry("web", at=["web/db"], sites=["repository:org/web"], criticality="low", vendor="Acme")


def test_a_place_reaches_what_lies_there_and_what_that_reads():
    at = {each.place: each for each in segmentation.by_place(graph(CI, PAY, WEB))}
    ci = at["host:ci-7"]
    assert (ci.directly, ci.credentials, ci.worst, ci.datasets) == (1, 2, "critical", ("cards",))
    assert ci.blast == 3 + 27 + 27
    assert at["vendor:Acme"].blast == at["repository:org/web"].blast == 1
    assert next(iter(at)) == "host:ci-7", "the widest first"


def test_each_credential_has_its_way():
    first, second = segmentation.ways(graph(CI, PAY, WEB), "host:ci-7")
    assert first.way == ("vault_token ci is within reach at host:ci-7",)
    assert second.way[1:] == (
        "it reads vault:kv/payments/*",
        "vault_token pay is delivered to vault:kv/payments/db",
    )
    with pytest.raises(BadInput, match="no place is called so"):
        segmentation.ways(graph(CI), "host:ci-8")


def test_what_is_at_a_repository_counts_for_its_jobs_as_an_alarm_there_would_have_it():
    job = entry("job", sites=["job:org/web/build"])
    at = {each.place: each.credentials for each in segmentation.by_place(graph(WEB, job))}
    assert at == {"job:org/web/build": 2, "repository:org/web": 2, "vendor:Acme": 1}
    found = {each.owner: each.way for each in segmentation.ways(graph(WEB, job), "job:org/web/build")}
    assert found["web"] == (
        "what is at repository:org/web counts for job:org/web/build",
        "vault_token web is within reach at repository:org/web",
    )


def test_the_whole_says_what_no_figure_has():
    found = graph(CI, PAY, entry("odd", reads=None), entry("bait", sites=["host:ci-7"], canary=True))
    whole = segmentation.whole(found, segmentation.by_place(found))
    assert (whole.places, whole.credentials, whole.datasets) == (1, 3, 1), "bait is none"
    assert (whole.unplaced, whole.unknown) == (2, 1)
    assert whole.reach == whole.widest == 57


def test_the_edge_whose_cut_shrinks_most_comes_first_and_what_two_lead_to_is_cut_by_neither():
    [first, second, third] = cuts.alone(graph(CI, PAY), 10)
    assert (str(first.edge), first.gain, first.left) == ("host:ci-7 reaches vault_token ci ci-1 on vault", 57, 0)
    assert (str(second.edge), second.gain) == ("vault_token ci ci-1 on vault reads vault:kv/payments/*", 54)
    assert (str(third.edge), third.gain) == ("vault_token pay pay-1 on vault opens cards", 27)
    other = entry("ci2", sites=["host:ci-7"], reads=("vault:kv/payments/*",))
    assert max(each.gain for each in cuts.alone(graph(CI, other, PAY), 10)) == 27
    assert sum(each.gain for each in cuts.in_turn(graph(CI, other, PAY), 10)) == 60


OWNERS = "abcdef"
SITES = ["host:h", "repository:o/r", "job:o/r/j", "container:c"]
READS = st.sampled_from([f"vault:kv/{each}" for each in OWNERS] + ["vault:*", "vault:kv/a*"])


@st.composite
def inventories(draw):
    def one(owner):
        return entry(
            owner,
            at=[owner] if draw(st.booleans()) else [],
            sites=draw(st.lists(st.sampled_from(SITES), max_size=2, unique=True)),
            reads=tuple(draw(st.lists(READS, max_size=2, unique=True))),
            administers=("vault",) if draw(st.integers(0, 9)) == 0 else (),
            criticality=draw(st.sampled_from(["", "low", "critical"])),
            datasets=tuple(draw(st.lists(st.sampled_from("xy"), max_size=1))),
            vendor=draw(st.sampled_from(["", "", "V"])),
        )

    return [one(owner) for owner in OWNERS[: draw(st.integers(1, len(OWNERS)))]]


def total(of: AttackGraph, without=()):
    """Search from each place by itself."""
    found = 0.0
    for place in of.places:
        seen, waiting = {place}, [place]
        while waiting:
            number = waiting.pop()
            for each in of.after[number]:
                if each not in seen and (number, each) not in without:
                    seen.add(each)
                    waiting.append(each)
        found += sum(of.weights[each] for each in seen)
    return found


def gains(of: AttackGraph, without=()):
    """Cut each edge by itself."""
    now = total(of, without)
    pairs = [(a, b) for a in range(len(of.after)) if of.is_cuttable(a) for b in of.after[a] if (a, b) not in without]
    return {pair: now - total(of, {*without, pair}) for pair in pairs}


@settings(max_examples=120, deadline=None)
@given(inventories())
def test_gains_are_those_of_a_search_for_each_edge(entries):
    of = graph(*entries)
    assert Reachability(of).total == sum(each.blast for each in segmentation.by_place(of)) == total(of)
    every = sorted((gain for gain in gains(of).values() if gain), reverse=True)
    assert [each.gain for each in cuts.alone(of, 1000)] == every
    assert [each.gain for each in cuts.alone(of, 3)] == every[:3]
    named = {str(of.edge(*pair)): gain for pair, gain in gains(of).items()}
    assert all(named[str(each.edge)] == each.gain for each in cuts.alone(of, 1000))
    gone: set[tuple[int, int]] = set()
    numbers = {str(of.edge(*pair)): pair for pair in gains(of)}
    for each in cuts.in_turn(of, 3):
        assert each.gain == max(gains(of, gone).values())
        gone.add(numbers[str(each.edge)])
        assert each.left == total(of, gone)


@settings(max_examples=60, deadline=None)
@given(inventories())
def test_a_place_reaches_what_an_alarm_would_put_in_scope(entries):
    of = graph(*entries)
    for place in of.places:
        here = [of.stock[each] for at in of.after[place] for each in of.after[at]]
        scoped = []
        for each in here:
            leaked = Leaked(id=each.ref.id)
            seen = (Exposure("list", each.ref.provider, leaked),)
            scoped.append(Scoped(each.ref, each.ref.provider, leaked, seen, Custody({}, reads=()), ""))
        after = expand(scoped, entries, known=(), roots=ROOTS, issuers=lambda _: ("vault",))
        ids = {each.ref.id for each in here} | {each.leaked.id for each in after.exposures}
        assert {each.id for each in segmentation.ways(of, of.labels[place])} == ids
        assert {each.place: each.credentials for each in segmentation.by_place(of)}[of.labels[place]] == len(ids)


def test_listed_credentials_stand_for_the_entry_that_names_their_owner():
    owner = Custody({"provider": "vault_token", "owner": "ci"}, reads=(), reachable_from=(site("host:ci-7"),))
    known = [CredentialRef("vault_token", "vault", "ci", name) for name in ("1", "2")]
    [place] = segmentation.by_place(graph(owner, known=known))
    assert place.credentials == 2
