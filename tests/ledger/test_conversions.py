"""What a conversion that never ended may have left is known from the chain alone, on both ledgers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rotator.ledger import conversions
from rotator.ledger.conversions import BEGUN, INTENDED, PREPARED, TRIED, UNDONE

THINGS = [{"what": "provider"}, {"what": "role"}, {"what": "policy"}]
some = st.lists(st.sampled_from(THINGS), unique_by=lambda each: each["what"], max_size=3)
records = st.one_of(
    st.just({"act": BEGUN}),
    st.builds(lambda things: {"act": INTENDED, "things": things}, some),
    st.builds(lambda things: {"act": UNDONE, "things": things}, some),
    st.builds(
        lambda of, name: {"act": TRIED, "of": of, "things": [{"what": name}]},
        st.sampled_from(THINGS),
        st.sampled_from(["login-1", "login-2"]),
    ),
    st.just({"act": PREPARED}),
)


def of(name, **asked):
    return {"kind": "aws_iam_access_key", "connection": "aws", "owner": "web", "id": name, "asked": asked}


@given(st.lists(st.tuples(st.sampled_from(["K1", "K2", "K3"]), records), max_size=12))
def test_a_thing_is_known_from_its_intent_until_it_is_whole_or_gone(history):
    """K2 and K3 are to give way to one role: who has it prepared leaves nothing of the other's to be taken back."""
    there = {"K1": [], "K2": [], "K3": []}
    told = [
        {**of(name, role="r" if name == "K1" else "s"), "at": float(at), "by": "ana", **record}
        for at, (name, record) in enumerate(history)
    ]
    for record in told:
        name, things = record["id"], record.get("things", [])
        if record["act"] in {INTENDED, TRIED}:
            there[name] = [each for each in there[name] if each != record.get("of")]
            there[name] += [each for each in things if each not in there[name]]
        elif record["act"] == UNDONE:
            there[name] = [each for each in there[name] if each not in things]
        elif record["act"] == PREPARED:
            there |= {each: [] for each in ([name] if name == "K1" else ["K2", "K3"])}
    found = {each.id: list(each.things) for each in conversions._left(told)}
    assert found == {name: things for name, things in there.items() if things}


def test_each_of_several_is_told_with_what_was_asked_and_by_whom(database):
    for name, asked in (("K1", {"role": "a"}), ("K1", {"role": "b"}), ("K2", {"role": "c"})):
        conversions.begun(database, of(name, **asked), "ana")
        conversions.intended(database, of(name, **asked), "ana", THINGS[:2])
    conversions.prepared(database, of("K1", role="b"), "ana", {"made": "b"})
    conversions.undone(database, of("K2", role="c"), "eva", [(THINGS[1], "taken away")], {"provider": "refused"})
    first, second = conversions.unfinished(database)
    assert (first.id, first.asked, first.by, first.things) == ("K1", {"role": "a"}, "ana", tuple(THINGS[:2]))
    assert (second.id, second.things) == ("K2", (THINGS[0],))
    conversions.undone(database, of("K2", role="c"), "eva", [(THINGS[0], "was not there")], {})
    assert [each.id for each in conversions.unfinished(database)] == ["K1"]
