"""Whatever is listed and said of grants with numbers: a number means its own, a name all that had it, each once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rotator.credential import CredentialRef
from rotator.flow.inventory import Entry, Fitting
from rotator.flow.listed_as import BY_NAME, as_listed
from rotator.flow.scope import Custodies, Custody

KIND = "github_collaborator"
logins, numbers = st.sampled_from(["bot", "Bot", "dev"]), st.integers(1, 3)
listed = st.dictionaries(numbers, logins, max_size=3)


def ref(login, number):
    return CredentialRef(KIND, "gh", "acme/shop", f"acme/shop/{login}:{number}")


@given(listed, logins, st.none() | numbers)
def test_an_entry_means_its_number_or_else_whoever_is_called_so(there, login, number):
    refs = [ref(called, each) for each, called in there.items()]
    name = f"acme/shop/{login}" + (f":{number}" if number else "")
    entry = Entry(Custody({"provider": KIND, "id": name}, vendor="acme"), "i.yaml")
    found = as_listed([entry], refs, [])
    same = {each for each, called in there.items() if called.lower() == login.lower()}
    meant = {number} & there.keys() if number else same
    fitting = Fitting(refs)
    fits = [one for each in found for one in fitting.of(each.custody.match)]
    assert sorted(fits) == sorted(ref(there[each], each) for each in meant)
    assert all(each.origin == "i.yaml" + ("" if number else BY_NAME) for each in found)
    custodies = Custodies(each.custody for each in [entry])
    assert {int(each.id[-1]) for each in refs if custodies.of(each).vendor} == meant, "who is listed later is meant too"


@given(listed, st.lists(st.tuples(logins, st.none() | numbers), min_size=1, max_size=4))
def test_what_answers_to_one_number_has_one_name(there, said):
    names = [f"acme/shop/{login}" + (f":{number}" if number else "") for login, number in said]
    entries = [Entry(Custody({"provider": KIND, "id": each}), "i.yaml") for each in names]
    found = as_listed(entries, [ref(called, each) for each, called in there.items()], [])
    ids = {each.custody.match["id"] for each in found}
    # Two entries may call one number by two names; then nobody knows which is newer, and each is told.
    told = [each.partition(":")[2] for each in ids if ":" in each]
    assert all(told.count(str(each)) <= 1 for each in there)
    assert len({each.lower() for each in ids if ":" not in each}) == sum(":" not in each for each in ids)


def test_of_what_is_listed_no_more_the_whole_name_is_told():
    [found] = as_listed([Entry(Custody({"provider": KIND, "id": "acme/shop/bot"}), "f")], [], [ref("bot", 7)])
    assert found.custody.match == {"provider": KIND, "connection": "gh", "owner": "acme/shop", "id": "acme/shop/bot:7"}


def test_a_number_is_believed_before_a_name_and_another_owner_is_another_grant():
    match = {"provider": KIND, "id": "acme/shop/bot"}
    entries = [
        Entry(Custody(match, vendor="one"), "f"),
        Entry(Custody({**match, "id": "acme/shop/bot:7"}, vendor="two"), "f"),
    ]
    found = as_listed(entries, [ref("bot", 7)], [])
    assert Custodies(each.custody for each in found).of(ref("bot", 7)).vendor == "two"
    elsewhere = Entry(Custody({**match, "connection": "other"}), "f")
    assert as_listed([elsewhere], [ref("bot", 7)], [])[0].custody.match["id"] == "acme/shop/bot"
