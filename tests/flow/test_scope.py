"""What is known of a credential is what all entries that fit it say, the closest first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.credential import CredentialRef
from rotator.errors import BadInput
from rotator.flow.scope import HOST_LENGTH, ConsumerAddress, Custodies, Custody, foothold
from rotator.ports.store import Place

NAMES = ("provider", "connection", "owner", "id")
values = st.sampled_from(["a", "b"])
refs = st.builds(CredentialRef, values, values, values, values)
entries = st.lists(
    st.builds(
        Custody,
        match=st.dictionaries(st.sampled_from(NAMES), values),
        criticality=st.one_of(st.just(""), st.uuids().map(str)),
        reads=st.none() | st.lists(values).map(tuple),
    ),
    max_size=8,
)


def fits(entry, ref):
    return all(getattr(ref, name) == value for name, value in entry.match.items())


def closeness(entry):
    return [name not in entry.match for name in ("id", "owner", "connection", "provider")]


@given(entries, refs)
def test_the_closest_entry_that_says_it_is_believed_and_the_first_among_equals(found, ref):
    fitting = sorted((each for each in found if fits(each, ref)), key=closeness)
    said = Custodies(found).of(ref)
    assert said.criticality == next((each.criticality for each in fitting if each.criticality), "")
    assert said.match == (fitting[0].match if fitting else {})


@given(entries, refs)
def test_what_it_reads_is_all_that_anybody_says_and_unknown_where_nobody_does(found, ref):
    told = [each.reads for each in found if fits(each, ref) and each.reads is not None]
    reads = Custodies(found).of(ref).reads
    assert (None if reads is None else set(reads)) == (set().union(*told) if told else None)


def test_an_entry_that_says_little_hides_nothing_that_a_wider_one_says():
    place = Place("vault_kv", "vault", "ci")
    wide = Custody({"owner": "ci"}, deliver=(place,), reads=("vault:ci/*",), environment="production")
    near = Custody({"provider": "p", "owner": "ci", "id": "1"}, criticality="critical", reads=())
    said = Custodies([wide, near]).of(CredentialRef("p", "c", "ci", "1"))
    assert (said.criticality, said.deliver, said.reads, said.environment) == (
        "critical",
        (place,),
        ("vault:ci/*",),
        "production",
    )


def test_an_entry_that_names_nothing_speaks_of_whatever_no_other_does():
    everything, ci = Custody({}, criticality="low"), Custody({"owner": "ci"}, criticality="high")
    known = Custodies([everything, ci])
    assert known.of(CredentialRef("p", "c", "ci", "1")).criticality == "high"
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
