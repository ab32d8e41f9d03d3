"""CEF is read back as it was meant, whatever stands in it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.siem import cef, ocsf
from rotator.siem.told import About, Credential, Told

ABOUT = About("inc-1", "a | title = \\", "high")
anything = st.text(st.characters(codec="utf-8"), max_size=60)


def read(line):
    """Return the header's fields and the extension's pairs, as a strict reader has them."""
    assert len(re.split(r"[\r\n]", line)) == 1
    *header, extension = _fields(line)
    names = list(re.finditer(r"(?:^|(?<= ))(\w+)=", extension))
    ends = [each.start() - 1 for each in names[1:]] + [len(extension)]
    pairs = {each[1]: extension[each.end() : end] for each, end in zip(names, ends, strict=True)}
    return [re.sub(r"\\([\\|])", r"\1", each) for each in header], {
        name: re.sub(r"\\(.)", lambda found: {"n": "\n", "r": "\r"}.get(found[1], found[1]), value)
        for name, value in pairs.items()
    }


def _fields(line):
    """Split at each | that is not escaped, seven times."""
    fields, start, at = [], 0, 0
    while len(fields) < 7:
        if line[at] == "\\":
            at += 2
        elif line[at] == "|":
            fields.append(line[start:at])
            start = at = at + 1
        else:
            at += 1
    return [*fields, line[start:]]


def of(body, credential=None):
    [event] = ocsf.events(Told("a" * 64, 1700000000.5, {"chain": "inc-1", "seq": 1, **body}, ABOUT, credential))
    return event


@given(reason=anything, by=anything, owner=anything, name=anything)
def test_what_was_written_is_read_again(reason, by, owner, name):
    event = of({"act": "stopped", "by": by, "reason": reason}, Credential("ssh", "web", owner, name))
    # The texts of events stand on one line; CEF itself takes any.
    event |= {"message": reason, "status_detail": by, "type_name": name}
    header, pairs = read(cef.line(event))
    assert header[:4] == ["CEF:0", "rotator", "rotator", event["metadata"]["product"]["version"]]
    assert header[5] == " ".join(name.splitlines())
    assert int(header[6]) in range(11)
    wanted = {"rt": "1700000000500", "externalId": "a" * 64, "msg": reason, "reason": by, "cs1": "inc-1"}
    assert {key: pairs.get(key, "") for key in wanted} == {
        key: value.replace("\r\n", "\n") for key, value in wanted.items()
    }


@pytest.mark.parametrize(
    ("text", "in_header", "in_value"),
    [("a|b", "a\\|b", "a|b"), ("a\\b", "a\\\\b", "a\\\\b"), ("a=b", "a=b", "a\\=b"), ("a\nb", "a b", "a\\nb")],
)
def test_each_letter_that_means_something_is_escaped_where_it_does(text, in_header, in_value):
    line = cef.line(of({"act": "stopped"}) | {"type_name": text, "message": text})
    assert f"|{in_header}|" in line
    assert f"msg={in_value} " in line


def test_a_knock_says_whose_it_was_and_how_it_ended():
    body = {"do": "verify exposed", "state": "done", "from": "running", "facts": {"answer": "rejected"}}
    _, pairs = read(cef.line(of(body, Credential("ssh_key", "web", "ci", "SHA256:x"))))
    told = {key: pairs[key] for key in ("cat", "act", "outcome", "duser", "cs2", "cs2Label", "cs3", "cs4")}
    assert told == {
        "cat": "Authentication",
        "act": "verify exposed",
        "outcome": "Failure",
        "duser": "ci",
        "cs2": "SHA256:x",
        "cs2Label": "credential",
        "cs3": "ssh_key",
        "cs4": "web",
    }
