"""Lists of principals: read as sshd reads them, one is taken out and put back, and every other byte stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.errors import Rejected
from rotator.families.ssh_principals import facts_of, is_principal, lines, restored, without

NAMES = ["vendor", "ops", "a/b"]
OPTIONS = ["", "no-pty ", 'from="10.0.0.1, 10.0.0.2" ', "\tno-pty\t"]
LINE = st.builds(
    "{}{}{}".format, st.sampled_from(OPTIONS), st.sampled_from(NAMES), st.sampled_from(["", " ", " # why"])
)
TEXT = st.lists(LINE | st.sampled_from(["", "# vendor", "  \t"]), max_size=6).map(
    lambda listed: "".join(f"{line}\n" for line in listed).encode()
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"vendor", [("vendor", b"")]),
        (b"  vendor\t \n", [("vendor", b"")]),
        (b'from="a b" vendor', [("vendor", b'from="a b"')]),
        (b"no-pty\tvendor", [("vendor", b"no-pty")]),
        (b"vendor # ops\n#ops\n\nops", [("vendor", b""), ("ops", b"")]),
        (b"vendor\0 ops\n", [("vendor", b"")]),
        (b"vendor\r\n", [("vendor\r", b"")]),  # sshd looks for a carriage return in the certificate too
        (b"no-pty\tx vendor\tops", [("vendor\tops", b"no-pty\tx")]),
    ],
)
def test_a_line_is_read_as_sshd_reads_it(text, found):
    assert [(each.principal, each.options) for each in lines(text)] == found


@given(TEXT, st.sampled_from(NAMES))
def test_one_is_taken_out_alone_and_put_back_under_its_options(text, name):
    kept = facts_of(name, {"web1": lines(text)}, {})
    out = without(text, name)
    assert out == b"".join(
        each for each in text.splitlines(keepends=True) if name not in {line.principal for line in lines(each)}
    )
    if out == text:
        with pytest.raises(Rejected) as refusal:
            restored(out, "web1", kept, name)
        assert refusal.value.reason == "never_listed_here"
        return
    back = restored(out, "web1", kept, name)
    assert back.startswith(out)
    assert sorted(map(repr, lines(back))) == sorted(map(repr, lines(text)))
    assert restored(back, "web1", kept, name) == back


@pytest.mark.parametrize(
    ("kept", "reason"),
    [
        ({}, "nothing_preserved"),
        (facts_of("ops", {"web1": lines(b"ops")}, {}), "nothing_preserved"),
        (facts_of("vendor", {"web2": lines(b"vendor")}, {}), "nothing_preserved"),
        (facts_of("vendor", {"web1": lines(b'environment="TOKEN=x" vendor')}, {}), "options_unknown"),
        (facts_of("vendor", {}, {"web1": Rejected("refused")}), "options_unknown"),
    ],
)
def test_nobody_is_let_in_who_was_not_known_to_be(kept, reason):
    with pytest.raises(Rejected) as refusal:
        restored(b"", "web1", kept, "vendor")
    assert refusal.value.reason == reason
    assert "TOKEN" not in repr(kept)


def test_what_cannot_be_a_principal_is_told():
    assert [is_principal(each) for each in ("vendor", "a/b", "", "two words", "x#y")] == [
        True,
        True,
        False,
        False,
        False,
    ]
