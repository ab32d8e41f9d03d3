"""Editing the text of `authorized_keys`: the line that is meant goes, and not one other byte."""

from __future__ import annotations

import asyncssh
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotator.errors import Rejected
from rotator.families.authorized_keys import EMPTIED, entries, fingerprint, public_entry, with_key, without

KEYS = [asyncssh.generate_private_key(kind) for kind in ("ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-ed25519")]
PUBLIC = [key.export_public_key().strip() for key in KEYS]
TARGET = KEYS[0].get_fingerprint()

OPTIONS = [
    b"",
    b'from="10.0.0.0/8" ',
    b'command="echo \\"a b\\"",no-pty\t',
    b"restrict,pty  ",
    b'environment="A= x" ',
]
COMMENTS = [b"", b" someone@host", b"\twith  spaces and # signs", " Zo\u00eb".encode(), b" ssh-ed25519 AAAA"]
ENDS = [b"\n", b"\r\n"]


def line_of(number: int) -> st.SearchStrategy[bytes]:
    """Return lines by which sshd lets that key in, as people, programs and thieves write them."""
    indent = st.sampled_from([b"", b" ", b"\t "])
    comments = st.sampled_from(COMMENTS)
    return st.tuples(indent, st.sampled_from(OPTIONS), st.just(PUBLIC[number]), comments, st.sampled_from(ENDS)).map(
        b"".join
    )


OTHERS = st.one_of(
    line_of(1),
    line_of(2),
    st.just(b"# " + PUBLIC[0] + b"\n"),
    st.sampled_from(
        [b"\n", b"\r\n", b"   \n", b"#\n", b"garbage\n", b"ssh-ed25519\n", b"ssh-ed25519 AAAA\n", b"\xff\xfe\x00\n"]
    ),
    st.binary(max_size=40).map(lambda noise: noise.replace(b"\n", b"") + b"\n"),
)


@settings(deadline=None)
@given(
    st.lists(st.one_of(line_of(0).map(lambda line: (True, line)), OTHERS.map(lambda line: (False, line)))),
    st.booleans(),
)
def test_every_line_of_the_key_goes_and_no_other_byte(lines, cut_off):
    text = b"".join(line for _, line in lines)
    if cut_off and lines and not lines[-1][0]:
        text = text.removesuffix(b"\n")
    kept = b"".join(line for mine, line in lines if not mine)
    if cut_off and lines and not lines[-1][0]:
        kept = kept.removesuffix(b"\n")
    result = without(text, TARGET)
    assert TARGET not in {entry.fingerprint for entry in entries(result)}
    assert result == (kept if kept.strip() or kept == text else EMPTIED)
    assert without(result, TARGET) == result


@settings(deadline=None)
@given(
    st.lists(OTHERS).map(b"".join),
    st.booleans(),
    st.lists(st.sampled_from([each.strip() for each in OPTIONS]), min_size=1),
)
def test_a_key_is_added_once_after_what_is_there_and_can_be_taken_away_again(text, cut_off, options):
    text = text.removesuffix(b"\n") if cut_off else text
    key = public_entry(PUBLIC[0].decode())
    added = with_key(text, key, options)
    assert added.startswith(text)
    mine = [entry for entry in entries(added) if entry.fingerprint == TARGET]
    assert [entry.options for entry in mine] == list(dict.fromkeys(options))
    assert with_key(added, key, [b"another"]) == added
    assert [entry for entry in entries(added) if entry.fingerprint != TARGET] == entries(text)
    assert entries(without(added, TARGET)) == entries(text)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_are_too_strange_to_read(text):
    assert without(text, TARGET) == text
    assert all(entry.fingerprint != TARGET for entry in entries(text))


def test_the_fingerprint_is_the_one_people_see():
    assert entries(PUBLIC[0])[0].fingerprint == TARGET == fingerprint(KEYS[0].public_data)


def test_a_file_that_loses_its_last_line_is_not_left_empty():
    assert without(PUBLIC[0] + b"\n", TARGET) == EMPTIED
    assert entries(EMPTIED) == []


@pytest.mark.parametrize(
    "smuggled",
    [
        "ssh-ed25519 AAAA",
        "",
        'command="x" ' + PUBLIC[0].decode(),
        PUBLIC[0].decode() + "\n" + PUBLIC[1].decode(),
        PUBLIC[0].decode() + " a\rb",
        "# " + PUBLIC[0].decode(),
    ],
    ids=["no key", "nothing", "options", "two lines", "a return", "a comment"],  # the keys differ each time
)
def test_only_a_bare_public_key_is_carried_into_a_file(smuggled):
    with pytest.raises(Rejected) as refusal:
        public_entry(smuggled)
    assert refusal.value.reason == "unreadable"
