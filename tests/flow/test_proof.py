"""What a series of knocks proves, held against what really was the case."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from rotator.flow.proof import Evidence, Proof, knocked, revived, seen, stated, unheard
from rotator.ports.provider import Answer, State, Verdict

SETTLE_S = 5.0

ACCEPTED = Verdict(Answer.ACCEPTED, "welcome")
REFUSED = Verdict(Answer.REJECTED, "permission_denied")
ID_REFUSED = Verdict(Answer.REJECTED, "InvalidClientTokenId", names_id=True)
MISMATCH = Verdict(Answer.INCONCLUSIVE, "SignatureDoesNotMatch", mismatch=True)
UNKNOWN = Verdict(Answer.INCONCLUSIVE, "http_503")


@dataclass(frozen=True)
class Event:
    """Something that is learnt, so many seconds after what was learnt before."""

    after: float
    what: str


verdicts = {
    "accepted": ACCEPTED,
    "refused": REFUSED,
    "id_refused": ID_REFUSED,
    "mismatch": MISMATCH,
    "unknown": UNKNOWN,
}
pauses = st.sampled_from([0.0, 1.0, 2.5, 5.0, 60.0])
events = st.builds(
    Event, after=pauses, what=st.sampled_from([*verdicts, "says_active", "says_suspended", "says_absent", "unheard"])
)
beginnings = st.sampled_from([None, State.ACTIVE, State.SUSPENDED, State.ABSENT])


def played(beginning: State | None, story: list[Event]) -> tuple[Proof, list[tuple[float, str, Proof]]]:
    now = 1000.0
    proof = Proof() if beginning is None else seen(Proof(), beginning, now)
    told = []
    for event in story:
        now += event.after
        if event.what in verdicts:
            proof = knocked(proof, verdicts[event.what], SETTLE_S, now)
        elif event.what == "unheard":
            proof = unheard(proof)
        else:
            proof = stated(proof, State(event.what.removeprefix("says_")), SETTLE_S, now)
        told.append((now, event.what, proof))
    return proof, told


@given(beginnings, st.lists(events, max_size=12))
def test_death_is_proven_by_paired_refusals_alone_that_held_unbroken_for_the_settle_time(beginning, story):
    proof, told = played(beginning, story)
    if proof.evidence is not Evidence.PROVEN:
        return
    names = [what for _, what, _ in told]
    broken = max((n for n, name in enumerate(names) if name in {"accepted", "says_active"}), default=-1)
    refusals = [at for at, what, _ in told[broken + 1 :] if what in {"refused", "id_refused"}]
    assert proof.dead_at in refusals
    assert max(refusals) - proof.dead_at >= SETTLE_S
    assert "accepted" in names  # paired: the same material was accepted before
    refused = [n for n, (_, what, _) in enumerate(told) if n > broken and what in {"refused", "id_refused"}]
    began = max(n for n in refused if told[n][0] == proof.dead_at)
    held = min(n for n in refused if told[n][0] >= proof.dead_at + SETTLE_S)
    assert not {"unknown", "mismatch", "unheard"} & set(names[began:held])


@given(beginnings, st.lists(events, max_size=12))
def test_an_unpaired_refusal_never_proves(beginning, story):
    proof, _ = played(beginning, [event for event in story if event.what in {"refused", "unknown"}])
    assert proof.evidence is Evidence.NONE
    assert proof.contained_at is None


@given(beginnings, st.lists(events, max_size=12))
def test_an_acceptance_clears_whatever_was_proven(beginning, story):
    proof, _ = played(beginning, [*story, Event(1.0, "accepted")])
    assert (proof.evidence, proof.dead_at, proof.contained_at, proof.refused_since) == (Evidence.NONE, None, None, None)


@given(beginnings, st.lists(events, max_size=12))
def test_an_issuer_that_calls_it_alive_clears_whatever_was_proven(beginning, story):
    proof, _ = played(beginning, [*story, Event(1.0, "says_active")])
    assert (proof.evidence, proof.dead_at, proof.contained_at) == (Evidence.NONE, None, None)


@given(beginnings, st.lists(events, max_size=12))
def test_another_ones_secret_is_never_called_dead(beginning, story):
    """A mismatch: the report's secret is not the id's, so the id's death says nothing of it."""
    proof, _ = played(beginning, [Event(0.0, "mismatch"), *(each for each in story if each.what != "accepted")])
    assert proof.evidence is Evidence.NONE
    assert proof.dead_at is None


@given(beginnings, st.lists(events, max_size=12))
def test_what_the_issuer_never_knew_is_never_called_dead_on_its_word(beginning, story):
    if beginning in {State.ACTIVE, State.SUSPENDED}:
        return
    proof, _ = played(beginning, [each for each in story if each.what != "accepted"])
    assert proof.evidence is Evidence.NONE


@given(beginnings, st.lists(events, max_size=12))
def test_whatever_is_dead_is_contained_and_says_since_when(beginning, story):
    for _, _, proof in played(beginning, story)[1]:
        assert (proof.evidence is Evidence.NONE) == (proof.dead_at is None)
        assert proof.dead_at is None or proof.contained_at is not None


@given(
    beginnings,
    st.lists(events, max_size=12),
    st.sampled_from(["refused", "id_refused", "unknown", "unheard", "says_suspended"]),
)
def test_what_was_proven_stays_proven_until_somebody_gets_in(beginning, story, what):
    before, _ = played(beginning, story)
    after, _ = played(beginning, [*story, Event(1.0, what)])
    if before.evidence is Evidence.PROVEN:
        assert (after.evidence, after.dead_at) == (Evidence.PROVEN, before.dead_at)


def series(*verdicts_at: tuple[float, Verdict], proof: Proof | None = None) -> Proof:
    proof = proof or knocked(Proof(), ACCEPTED, SETTLE_S, 0.0)
    for now, verdict in verdicts_at:
        proof = knocked(proof, verdict, SETTLE_S, now)
    return proof


def test_one_refusal_is_not_death():
    assert series((10.0, REFUSED)).evidence is Evidence.NONE
    assert series((10.0, REFUSED), (14.9, REFUSED)).evidence is Evidence.NONE


def test_death_dates_from_the_first_refusal_of_the_series():
    assert series((10.0, REFUSED), (12.0, REFUSED), (15.0, REFUSED)).dead_at == 10.0


def test_an_answer_that_says_nothing_begins_the_series_anew():
    assert series((10.0, REFUSED), (12.0, UNKNOWN), (15.0, REFUSED)).evidence is Evidence.NONE
    assert series((10.0, REFUSED), (12.0, UNKNOWN), (15.0, REFUSED), (20.0, REFUSED)).dead_at == 15.0


def test_a_knock_whose_answer_nobody_heard_begins_the_series_anew():
    begun = unheard(series((10.0, REFUSED)))
    assert series((15.0, REFUSED), proof=begun).evidence is Evidence.NONE
    assert series((15.0, REFUSED), (20.0, REFUSED), proof=begun).dead_at == 15.0


def test_the_issuers_word_lets_no_series_of_knocks_go_on_that_broke():
    said = stated(seen(Proof(), State.ACTIVE, 0.0), State.SUSPENDED, SETTLE_S, 10.0)
    begun = series((10.0, REFUSED), proof=knocked(said, ACCEPTED, SETTLE_S, 5.0))
    stopped = stated(stated(begun, State.SUSPENDED, SETTLE_S, 11.0), State.SUSPENDED, SETTLE_S, 16.0)
    assert stopped.evidence is Evidence.STATED
    for broken in (knocked(stopped, UNKNOWN, SETTLE_S, 17.0), unheard(stopped)):
        assert series((18.0, REFUSED), proof=broken).evidence is Evidence.STATED
        assert series((18.0, REFUSED), (23.0, REFUSED), proof=broken).dead_at == 18.0


def test_a_word_of_the_issuer_that_nobody_heard_begins_its_series_anew():
    said = stated(seen(Proof(), State.ACTIVE, 0.0), State.SUSPENDED, SETTLE_S, 10.0)
    assert stated(unheard(said), State.SUSPENDED, SETTLE_S, 15.0).dead_at is None


def test_a_clock_that_goes_back_proves_nothing_early():
    assert series((10.0, REFUSED), (4.0, REFUSED)).evidence is Evidence.NONE


def test_the_right_secret_found_after_a_wrong_one_can_be_proven_dead():
    proof = series((1.0, MISMATCH), (2.0, ACCEPTED), (10.0, REFUSED), (15.0, REFUSED), proof=Proof(known_at=0.0))
    assert proof.evidence is Evidence.PROVEN


def test_a_key_inactive_before_we_came_is_dead_by_its_issuers_word_only():
    proof = seen(Proof(), State.SUSPENDED, 0.0)
    assert series((1.0, ID_REFUSED), (6.0, ID_REFUSED), proof=proof).evidence is Evidence.STATED


def test_an_id_that_is_refused_with_anothers_secret_is_contained_and_not_dead():
    proof = series((1.0, MISMATCH), (2.0, ID_REFUSED), (7.0, ID_REFUSED), proof=seen(Proof(), State.ACTIVE, 0.0))
    assert (proof.evidence, proof.contained_at) == (Evidence.NONE, 2.0)


def test_what_was_revived_is_forgotten_but_its_pairing_is_kept():
    dead = series((10.0, REFUSED), (15.0, REFUSED))
    assert revived(dead) == Proof(accepted_at=0.0)
