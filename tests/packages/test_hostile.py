"""Whatever a file is or has become: it is read, or named with one line that says why; nothing else happens."""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotator.packages import evidence
from rotator.packages.advisory import spec
from rotator.packages.component import Document
from rotator.packages.matching import Findings, match
from tests.packages.world import CHALK, FILES, LITELLM, SAMPLES, found, told

ALL = [name for name in FILES if not name.endswith((".png", ".md"))]
EXACT = [name for name in ALL if name.endswith((".json", ".xml"))]
"""Formats that end where they end: what is cut off of them shows."""


def whole(findings: Findings) -> Findings:
    """Return findings of which every text is one line that a terminal may show."""
    for each in findings.unread:
        assert str(each).isprintable()
    for hit in findings.hits:
        assert f"{hit.site}{hit.version}{hit.path}{hit.why}".isprintable()
    return findings


@pytest.mark.parametrize("name", EXACT)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_a_document_cut_off_anywhere_is_named(name, data):
    text = (SAMPLES / name).read_bytes().strip()
    cut = text[: data.draw(st.integers(0, len(text) - 1))]
    assert len(whole(found(name, cut)).unread) == 1


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_no_damage_does_more_than_to_leave_a_file_unread(name, data):
    text = (SAMPLES / name).read_bytes()
    begin = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(begin, min(len(text), begin + 60)))
    put = data.draw(
        st.binary(max_size=6)
        | st.sampled_from(
            [b'"', b"\n", b"[", b"]", b"{", b"}", b"=", b"<", b"&x;", b"\\", b"1e999", b"2026-99-99", b"@"]
        )
    )
    whole(found(name, text[:begin] + put + text[end:]))


@pytest.mark.parametrize("name", [each for each in ALL if each.endswith(".json")])
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_no_value_of_another_type_does_either(name, data):
    document = json.loads((SAMPLES / name).read_bytes())
    inner, way = document, []
    for depth in range(data.draw(st.integers(1, 7))):
        keys = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
        way.append((inner, data.draw(st.sampled_from(keys), label=f"key {depth}")))
        below = way[-1][0][way[-1][1]]
        if not isinstance(below, dict | list) or not below:
            break
        inner = below
    holder, key = way[-1]
    holder[key] = data.draw(st.sampled_from([None, True, 3, -1.5, "", "x", [], {}, [None], [[]], {"": None}, ["x"]]))
    whole(found(name, json.dumps(document)))


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(
        ["x", "a.log", "uv.lock", "freeze.txt", "yarn.lock", "pylock.toml", "host/a/x.json", "job/a/b/c.txt"]
    ),
    text=st.binary(max_size=80) | st.text(max_size=80).map(str.encode),
)
def test_any_bytes_are_read_or_named(name, text):
    whole(found(name, text))


LAUGHS = """<?xml version="1.0"?>
<!DOCTYPE bom [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>
<bom><components>&b;</components></bom>"""
OUTSIDE = '<!DOCTYPE bom SYSTEM "file:///etc/passwd"><bom/>'


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("bom.xml", LAUGHS, "line 2: it declares a document type, which no bill of materials needs"),
        ("bom.xml", OUTSIDE, "line 1: it declares a document type"),
        ("bom.xml", "<bom>" + "<a>" * 300, "line 1: its elements are nested too deep"),
        ("bom.xml", "<bom><components>", "line 1: this is not whole XML"),
        ("bom.xml", "<html><body/></html>", "this is no evidence of packages"),
        ("bom.json", '{"bomFormat": "CycloneDX", "components": [' + "[" * 100_000, "byte 42: a number too long"),
        ("bom.json", '{"bomFormat": "CycloneDX", "components": [{"name": "a"', "the report is cut off"),
        ("bom.json", '{"components": []}', "it does not say that it is CycloneDX"),
        ("x.json", '{"packages": []}', "it does not say that it is SPDX"),
        ("x.json", '{"anything": []}', "this is no evidence of packages"),
        ("uv.lock", '[[package]]\nname = "a"\nversion = ', "this is not whole TOML: at end of document"),
        ("uv.lock", "a = " + "[" * 100_000, "a number too long or values nested too deep"),
        ("uv.lock", ".".join("a" * 200) + " = 1", "a key has too many parts"),
        ("bun.lock", '{"lockfileVersion": 1, "packages": {"a": ["a@1.0.0"]}}', "as Bun writes them"),
        ("uv.lock", "x = 1", "this is no lock file: it has no packages"),
        ("freeze.txt", "litellm==1.0\nis what we use", "line 2: this is no requirement; what stands"),
        ("freeze.txt", "", "the report is empty"),
        ("freeze.txt", gzip.compress(b"litellm==1.82.7", mtime=0), "this is binary data"),
        ("a.log", b"\x7fELF\x02\x01 Successfully installed litellm-1.82.7", "this is binary data"),
        ("a.log", b"litellm" + bytes(8), "this is binary data"),
    ],
)  # fmt: skip
def test_a_hostile_or_broken_file_is_named_in_one_line(name, text, why):
    [unread] = whole(found(name, text)).unread
    assert unread.path == name
    assert why in unread.why


@pytest.mark.parametrize(
    "text",
    [
        "litellm==1.82.7".encode("utf-32"),
        "litellm==1.82.7".encode("utf-16-le"),
        b"litellm==1.82.7\n" + b" " * 70_000 + b"\xff\xfe",
        b"\xff\xfe\nlitellm==1.82.7",
        b"idna==3.20\n" + "litellm==1.82.7\n".encode("utf-16-le"),
    ],
    ids=["UTF-32", "UTF-16 without a mark", "odd bytes late", "the mark of UTF-16 alone", "UTF-16 appended to ASCII"],
)
def test_no_encoding_hides_what_can_be_read(text):
    assert told(whole(found("host/a/freeze.txt", text))) == [("host:a", "litellm", "1.82.7", "installed")]


PLANTS = {
    "job/org/app/test/log.txt": b"Collecting litellm\n  Downloading it\nSuccessfully installed litellm-1.82.7\nbye\n",
    "requirements.txt": b"idna==3.20  # why\nlitellm==1.82.7\nsix==1.17.0\n",
    "host/a/pins": b"idna==3.20\nlitellm==1.82.7\nsix==1.17.0\n",
    "uv.lock": b'version = 1\n\n[[package]]\nname = "litellm"\nversion = "1.82.7"\n\n[[package]]\nname = "six"\n',
    "Pipfile.lock": b'{"_meta": {"hash": {}}, "default": {"litellm": {"version": "==1.82.7"}}, "develop": {}}',
    "yarn.lock": b'"six@^3":\n  version "3.20"\n\nchalk@^5:\n  version "5.6.1"\n\n"x@1":\n  version "1"\n',
    "pnpm-lock.yaml": b"lockfileVersion: 9\n\npackages:\n  idna@3.20:\n    resolution: {}\n  chalk@5.6.1:\n",
    "conda-lock.yml": b"package:\n- name: six\n  version: 1.17.0\n- name: litellm\n  version: 1.82.7\n",
    "bom.xml": b'<?xml version="1.0"?>\n<bom><components><component><purl>pkg:pypi/litellm@1.82.7</purl>'
    b"</component></components></bom>",
}


@pytest.mark.parametrize("name", PLANTS)
@settings(max_examples=30, deadline=None)
@given(
    odd=st.sampled_from([b"\0", b"\xff", b"\xfe", b"\xc3", b"\xe2\x82", b"\xed\xa0\x80", b"\x80"]),
    places=st.lists(st.integers(0, 200), min_size=1, max_size=4),
)
def test_odd_bytes_never_hide_what_was_installed(name, odd, places):
    text = PLANTS[name]
    for at in sorted((each % (len(text) + 1) for each in places), reverse=True):
        text = text[:at] + odd + text[at:]
    findings = whole(found(name, text))
    assert [version for _, _, version, _ in told(findings)] in (["1.82.7"], ["5.6.1"])
    assert findings.unread == ()


def test_what_stands_before_the_break_still_counts():
    text = '{"bomFormat": "CycloneDX", "components": [{"purl": "pkg:pypi/litellm@1.82.7"}, {'
    findings = found("host/a/bom.json", text)
    assert told(findings) == [("host:a", "litellm", "1.82.7", "installed")]
    assert "what stands before it was read" in findings.unread[0].why


def test_names_that_a_terminal_would_obey_are_not_passed_on():
    bom = {
        "bomFormat": "CycloneDX",
        "metadata": {"component": {"type": "container", "name": "a\x1b[2J\nb\u202e"}},
        "components": [{"name": "x", "purl": "pkg:npm/x@1.0.0%1b[2J"}],
    }
    findings = whole(found("e\x1bx/bom.json", json.dumps(bom), spec("npm:x==*")))
    assert [str(each.site) for each in findings.hits] == ["container:a\ufffd[2j\ufffdb\ufffd"]


def test_memory_does_not_grow_with_the_file():
    def peak(count: int) -> int:
        entry = (
            b'{"name": "chalk", "version": "5.6.1", "purl": "pkg:npm/chalk@5.6.1", "description": "'
            + b"x" * 2000
            + b'"},'
        )
        text = b'{"bomFormat": "CycloneDX", "components": [' + entry * count + b"{}]}"
        stream = io.BytesIO(text)
        tracemalloc.start()
        findings = match([CHALK, LITELLM], evidence.walk([("host/a/bom.json", stream)]))
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (findings.components, len(findings.hits)) == (count, 1)
        return used

    assert peak(4_000) < 2 * peak(1_500)


@pytest.mark.parametrize(
    "line",
    [
        "Successfully installed " + "a-" * 50_000,
        "Collecting " + "a" * 100_000,
        "Downloading " + "a-1" * 30_000 + ".whl",
        "  - Installing a (1 " + "x -> " * 20_000,
        "pip " * 20_000 + "install " * 20_000,
        "├── " + "@" * 50_000 + "@1",
        "Requirement already satisfied: a" + " (1" * 30_000,
        "\x1b[" * 50_000,
        "https://npm.example/" + "a/-/" * 20_000,
        "a" * 100_000 + "==",
        "Successfully installed " + "a-1" * 200_000,
        "Successfully installed " * 30_000,
        "[a] " * 20_000 + "| " * 20_000,
        " " * 100_000 + "- a==1",
        "npm http cache " + "/a/-/a-1." * 20_000,
        "├ [required: " * 9_000,
    ],
)
def test_a_line_made_to_keep_a_pattern_busy_does_not(line):
    """The patterns' work is bounded by the 20,000 characters that are looked at; a test that hangs has failed."""
    assert len(whole(found("job/a/b/c.log", line)).unread) <= 1


def test_a_requirement_made_to_keep_a_pattern_busy_does_not():
    for text in ("a" * 100_000, "a" + "[" * 50_000, "a @ " + "-1" * 50_000 + ".whl", "-e " + "#egg" * 30_000):
        found("requirements.txt", "b==1\n" + text)
        found("yarn.lock", text + "@1:\n" + "  version " * 10_000)
        found("pnpm-lock.yaml", "lockfileVersion: 9\npackages:\n  " + text)


def test_a_file_is_read_only_when_it_is_asked_for():
    asked = []

    def pairs():
        for name in ("freeze-1.txt", "freeze-2.txt"):
            asked.append(name)
            yield name, io.BytesIO(b"litellm==1.82.7")

    documents = evidence.walk(pairs())
    assert isinstance(next(documents), Document)
    assert asked == ["freeze-1.txt"]
