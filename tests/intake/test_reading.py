"""Bad input gets one clear line that quotes nothing; nothing is half accepted."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import traceback
import tracemalloc

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rotator.errors import BadInput
from rotator.flow.exposure import group
from rotator.intake import report as report_module
from rotator.intake.reading import formats, read
from tests.intake.planted import SAMPLES

CANARY = "cAnArY7" * 6


def refusal(text: bytes) -> str:
    with pytest.raises(BadInput) as refused:
        list(read("report", io.BytesIO(text)))
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_the_formats_are_what_playbooks_recognise():
    assert set(formats()) == {
        "sarif", "kingfisher", "trufflehog", "gitleaks", "ggshield", "detect-secrets", "list",
        "git-credentials", "kubeconfig", "pypirc", "npmrc", "netrc", "dotenv",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "report: the report is empty"),
        (b" \n\n ", "report: the report is empty"),
        (b"\xef\xbb\xbf", "report: the report is empty"),
        ("[]".encode("utf-16"), "report: the text is not in UTF-8 (save it as UTF-8"),
        ('[{"RuleID": "é", "Secret": "x"}]'.encode("latin-1"), "report, byte 13: the text is not in UTF-8"),
        (gzip.compress(b"{}", mtime=0), "report: this is binary data"),
        (b"\x7fELF\x02\x01\x01" + bytes(9), "report: this is binary data"),
        (
            b"hello",
            "report: this is no report that rotator reads (it reads SARIF of kingfisher, gitleaks",
        ),
        (
            b"hunter2-hunter2-hunter2\n",
            "report: this is one word, and of a form that is no one issuer's own (if it is a secret, say of what:",
        ),
        (b"a,b\n1,2\n", "report: this is no report that rotator reads"),
        (b'{"results": []}', "report: this is no report that rotator reads"),
        (b"[[]]", "report: this is no report that rotator reads"),
        (b"[3]", "report: this is no report that rotator reads"),
        (b"[] []", "report, byte 3: something follows the report's end"),
        (b'{"findings": [' + b"[" * 100_000, "report, byte 14: a number too long or values nested too deep"),
        (b'{"findings": [' + b"9" * 5_000 + b"]}", "report, byte 14: a number too long or values nested too deep"),
        (b'{"findings": [{"rule" {' + b" " * 40, "report, byte 14: this is not JSON, or it is damaged"),
    ],
)
def test_what_is_no_report_is_refused_in_one_line(text, says):
    assert refusal(text).startswith(says)


def test_bytes_that_are_not_utf8_are_found_behind_the_head():
    text = b'[{"RuleID": "x", "Secret": "y"},' + b" " * 200_000 + b"\xff]"
    assert refusal(text).startswith("report, byte 200032: the text is not in UTF-8")


@pytest.mark.parametrize("name", ["kingfisher.json", "gitleaks.json", "trufflehog.jsonl"])
def test_a_byte_order_mark_is_no_harm(sample, exposures, name):
    assert exposures(b"\xef\xbb\xbf" + sample(name)) == exposures(sample(name))


@pytest.mark.parametrize("name", ["kingfisher.json", "kingfisher.jsonl", "gitleaks.json", "trufflehog.jsonl"])
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_report_cut_off_anywhere_is_refused(name, data):
    text = (SAMPLES / name).read_bytes()
    # What must be there: the whole envelope or array, the audit record, and in JSONL, which has no end, the last line.
    lines = text.splitlines()
    last = {"kingfisher.json": len(lines[0]), "kingfisher.jsonl": len(b"\n".join(lines[:-1]))}.get(name, len(text) - 1)
    cut = data.draw(st.integers(0, last - 1))
    if name == "trufflehog.jsonl" and (text[cut - 1 : cut] == b"\n" or text[cut : cut + 1] == b"\n"):
        cut += 2
    said = refusal(text[:cut])
    assert "cut off" in said or "empty" in said or "no report" in said or "not a" in said


@pytest.mark.parametrize("name", ["kingfisher.json", "kingfisher.jsonl", "gitleaks.json", "trufflehog.jsonl"])
@pytest.mark.parametrize("step", [1, 7, 64])
def test_it_does_not_matter_how_the_bytes_arrive(sample, exposures, monkeypatch, name, step):
    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(step, size) if size and size > 0 else step)

    whole = exposures(sample(name))
    # A small head leaves the rest of the report to come in chunks of the trickle's size.
    monkeypatch.setattr(report_module, "HEAD_BYTES", 300)
    assert list(read("report", Trickle(sample(name)))) == whole


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def believed(text: bytes) -> str:
    """Read it to its end, and group it; return all that may be shown of it. BadInput is the one error allowed."""
    try:
        found = list(read("report", io.BytesIO(text)))
    except BadInput as error:
        return "".join(traceback.format_exception(error))
    suspects = group(found, {}, lambda secret: str(hash(secret.reveal().encode())))
    assert sum(len(each.exposures) for each in suspects) == len(found)
    return repr(suspects)


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=200))
@example(b'{"findings":[')
@example(b'[{"RuleID":"\\ud800","Secret":"\\ud800\\u0000"}]')
def test_any_bytes_are_read_or_refused(text):
    assert believed(text)


@settings(max_examples=400, deadline=None)
@given(anything)
def test_any_json_is_read_or_refused(value):
    assert believed(json.dumps(value).encode())


secret = st.just(CANARY)
odd = st.one_of(anything, secret.map(lambda each: [each]))
kingfisher_finding = st.fixed_dictionaries(
    {
        "rule": st.fixed_dictionaries({}, optional={"id": st.just("a.rule") | odd}) | odd,
        "finding": st.fixed_dictionaries(
            {},
            optional={
                "snippet": secret | odd,
                "dependent_captures": st.dictionaries(st.text(max_size=4), secret | odd, max_size=2) | odd,
                "validation": st.fixed_dictionaries({"outcome": anything, "response": secret}) | odd,
                "validate_command": secret,
                "git_metadata": odd,
                "line": odd,
            },
        )
        | odd,
    }
)
trufflehog_finding = st.fixed_dictionaries(
    {"DetectorName": st.sampled_from(["AWS", "PrivateKey", "CustomRegex", "HashiCorpVaultToken"]) | odd},
    optional={
        "Raw": secret | odd,
        "RawV2": secret | secret.map(lambda each: f"{each}:https://{each}@host") | odd,
        "Redacted": secret,
        "ExtraData": odd,
        "SecretParts": st.dictionaries(st.sampled_from(["url", "secret_access_key"]), secret | odd) | odd,
        "SourceMetadata": st.fixed_dictionaries({"Data": st.dictionaries(st.text(max_size=3), odd)}) | odd,
        "Verified": odd,
    },
)
gitleaks_finding = st.fixed_dictionaries(
    {"RuleID": st.just("a-rule") | odd},
    optional={"Secret": secret | odd, "Match": secret, "Date": odd, "Commit": odd, "StartLine": odd},
)


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.lists(kingfisher_finding, min_size=1, max_size=3).map(lambda found: json.dumps({"findings": found})),
        st.lists(kingfisher_finding, min_size=1, max_size=3).map(
            lambda found: "\n".join(map(json.dumps, [*found, {"audit": {}}]))
        ),
        st.lists(trufflehog_finding, min_size=1, max_size=3).map(lambda found: "\n".join(map(json.dumps, found))),
        st.lists(gitleaks_finding, min_size=1, max_size=3).map(json.dumps),
    )
)
def test_no_secret_shows_in_an_error_or_a_result(text):
    assert CANARY not in believed(text.encode())


def test_a_terminal_is_not_commanded_by_a_path():
    text = json.dumps([{"RuleID": "x\x1b]0;", "Secret": "y", "File": "a\x1b[2J\nb\x00"}])
    (found,) = read("report", io.BytesIO(text.encode()))
    assert (found.rule, found.path) == ("x\ufffd]0;", "a\ufffd[2J\ufffdb\ufffd")


def test_a_line_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(report_module, "PIECE_CAP", 1 << 20)
    text = b'{"SourceMetadata": "' + b"x" * (4 << 20)
    assert refusal(text).startswith("report: line 1 is longer than 1 MB")


class Endless(io.RawIOBase):
    """A report of `count` findings that exists only while it is read."""

    def __init__(self, before: str, finding: str, between: str, count: int, after: str) -> None:
        body = itertools.chain.from_iterable(itertools.repeat((finding, between), count - 1))
        self._parts = itertools.chain([before], body, [finding, after])

    def read(self, size: int = -1) -> bytes:
        del size
        return "".join(itertools.islice(self._parts, 512)).encode()


GITLEAKS = json.dumps({"RuleID": "r", "Secret": "s", "File": "f", "StartLine": 1, "Match": "m" * 900})
KINGFISHER = json.dumps({"rule": {"id": "r"}, "finding": {"snippet": "s", "path": "p", "line": 1, "x": "y" * 900}})
TRUFFLEHOG = json.dumps({"DetectorName": "D", "Raw": "s", "Redacted": "r" * 900})
MATCH = {"type": "apikey", "match": "s"}
GGSHIELD = json.dumps({"filename": "f" * 900, "incidents": [{"type": "t", "occurrences": [MATCH]}]})
REGION = {"physicalLocation": {"region": {"startLine": 1, "snippet": {"text": "s"}}}}
SARIF = json.dumps({"ruleId": "r", "message": {"text": "m" * 900}, "locations": [REGION]})
BASELINE = json.dumps([{"type": "t", "filename": "f" * 900, "hashed_secret": "h", "line_number": 1}])
LEAKKILL = json.dumps({"id": 1, "type": "t", "value": "v", "status": None, "note": "n" * 900, "locations": ["f:1"]})


@pytest.mark.parametrize(
    ("before", "finding", "between", "after"),
    [
        ("[", GITLEAKS, ",", "]"),
        ('{"findings":[', KINGFISHER, ",", '],"audit":{}}'),
        ("", KINGFISHER, "\n", '\n{"audit":{}}\n'),
        ("", TRUFFLEHOG, "\n", "\n"),
        ("provider,id,note\n", f"vault_token,17,{'n' * 900}", "\n", "\n"),
        ('{"id":"x","type":"t","scans":[{"id":"y","entities_with_incidents":[', GGSHIELD, ",", "]}]}"),
        ('{"runs":[{"tool":{"driver":{"name":"gitleaks"}},"results":[', SARIF, ",", "]}]}"),
        ('{"plugins_used":[],"results":{', f'"f":{BASELINE}', ",", "}}"),
        ("[", LEAKKILL, ",", "]"),
        ("", f"https://u:p@h/{'x' * 900}", "\n", "\n"),
        ("", f"A_TOKEN={'x' * 900}", "\n", "\n"),
        ("", f"machine h login u password {'x' * 900}", "\n", "\n"),
    ],
    ids=[
        "gitleaks",
        "kingfisher json",
        "kingfisher jsonl",
        "trufflehog",
        "csv",
        "ggshield",
        "sarif",
        "baseline",
        "leakkill",
        "git-credentials",
        "env",
        "netrc",
    ],
)
def test_memory_does_not_grow_with_the_report(before, finding, between, after):
    count = 7_000  # about 7 MB
    stream = Endless(before, finding, between, count, after)
    tracemalloc.start()
    try:
        read_in_full = sum(1 for _ in read("report", stream))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert read_in_full == count
    assert peak < 5 << 20
