"""What is known of a credential comes from the one entry that speaks of it most exactly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.credential import CredentialRef
from rotator.errors import BadInput
from rotator.flow.scope import HOST_LENGTH, UNKNOWN_CUSTODY, ConsumerAddress, Custodies, Custody, foothold

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
    assert ConsumerAddress("webhook" if isinstance(address, str) else "command", address).name == name


KNOWN = {"web-1", "db.corp.example", "10.0.0.7", "bastion"}


@pytest.mark.parametrize(
    ("given", "host"),
    [
        (" Web-1 ", "web-1"),
        ("db.corp.example.", "db.corp.example"),
        ("web-2", "web-2"),  # a number is no slip
        ("10.0.0.8", "10.0.0.8"),
        ("laptop-of-bob", "laptop-of-bob"),
        ("wob-1.", "wob-1"),  # he was told, and meant it
        ("fe80::1", "fe80::1"),
        ("h" * HOST_LENGTH, "h" * HOST_LENGTH),
    ],
)
def test_a_foothold_is_a_known_host_or_one_that_nobody_knows(given, host):
    assert foothold(given, KNOWN) == host


@pytest.mark.parametrize(
    ("given", "meant"), [("wob-1", "web-1"), ("web1", "web-1"), ("db", "db.corp.example"), ("bastion.corp", "bastion")]
)
def test_a_foothold_that_is_nearly_a_known_host_is_refused_with_that(given, meant):
    with pytest.raises(BadInput, match=f"did you mean `{meant}`") as told:
        foothold(given, KNOWN)
    assert f"write `{given}.`" in str(told.value)


@pytest.mark.parametrize("given", ["", " ", "h" * 300, "https://web-1", "two words", "me@web-1", "."])
def test_what_is_no_hosts_name_is_refused_in_one_line(given):
    with pytest.raises(BadInput, match="is no host's name") as told:
        foothold(given, KNOWN)
    assert len(str(told.value)) < 200
