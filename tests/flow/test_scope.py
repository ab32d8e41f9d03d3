"""What is known of a credential comes from the one entry that speaks of it most exactly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.credential import CredentialRef
from rotator.flow.scope import UNKNOWN_CUSTODY, ConsumerAddress, Custodies, Custody

NAMES = ("provider", "connection", "owner", "id")
values = st.sampled_from(["a", "b"])
refs = st.builds(CredentialRef, values, values, values, values)
entries = st.lists(
    st.builds(Custody, match=st.dictionaries(st.sampled_from(NAMES), values), criticality=st.uuids().map(str)),
    max_size=8,
)


def fits(entry, ref):
    return all(getattr(ref, name) == value for name, value in entry.match.items())


@given(entries, refs)
def test_the_most_specific_entry_that_fits_speaks_and_the_first_among_equals(found, ref):
    fitting = sorted((each for each in found if fits(each, ref)), key=lambda each: -len(each.match))
    assert Custodies(found).of(ref) is (fitting[0] if fitting else UNKNOWN_CUSTODY)


def test_an_entry_that_names_nothing_speaks_of_whatever_no_other_does():
    everything, ci = Custody({}, criticality="low"), Custody({"owner": "ci"}, criticality="high")
    known = Custodies([everything, ci])
    assert known.of(CredentialRef("p", "c", "ci", "1")) is ci
    assert known.of(CredentialRef("p", "c", "app", "2")) is everything


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("http://hook:canary@host:8/x?token=canary#canary", "http://host:8/x"),
        ("https://host?token=canary/@", "https://host"),
        ("https://[::1]:8/reload", "https://[::1]:8/reload"),
        ("env:HOOK", "env:HOOK"),
        (("systemctl", "reload", "ci"), "systemctl reload ci"),
    ],
)
def test_what_a_consumer_is_called_shows_no_password_of_its_address(address, name):
    assert ConsumerAddress("webhook", address).name == name
