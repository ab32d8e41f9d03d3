"""Whatever happens to a real sample: it is read or refused in one line, and no secret of it shows."""

from __future__ import annotations

import copy
import io
import json
import traceback

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotator.errors import BadInput
from rotator.flow.exposure import group
from rotator.intake import report as report_module
from rotator.intake.reading import read
from tests.intake.planted import SAMPLES
from tests.intake.test_reading import anything

WHOLE_JSON = [
    "detect_secrets_audit.json", "detect_secrets_baseline.json", "docker_config.json", "ggshield.json",
    "ggshield.sarif", "ggshield_repo.json", "gitleaks.sarif", "kingfisher.sarif", "leakkill.json", "leakkill.sarif",
]  # fmt: skip
BY_LINES = ["aws_credentials", "env", "git-credentials", "kubeconfig", "netrc", "npmrc", "pairs.jsonl", "pypirc"]
LONG_ENOUGH = 7
"""Letters of a secret that no other text has by chance."""


def secrets_of(text: bytes) -> set[str]:
    found = [each.leaked.secret.reveal() for each in read("report", io.BytesIO(text)) if each.leaked.secret]
    lines = {line for each in found for line in each.splitlines() if "-----" not in line}
    return {each for each in lines if len(each) >= LONG_ENOUGH}


SECRETS = {name: secrets_of((SAMPLES / name).read_bytes()) for name in WHOLE_JSON + BY_LINES}


def shown(text: bytes) -> str:
    """Read it to its end and group it; return all that may be shown. BadInput is the one error allowed."""
    try:
        found = list(read("report", io.BytesIO(text)))
    except BadInput as error:
        refusal, said = str(error), "".join(traceback.format_exception(error))
    else:
        refusal, said = "", ""
    assert "\n" not in refusal
    if refusal:
        return said
    suspects = group(found, {}, lambda secret: str(hash(secret.reveal().encode())))
    assert sum(len(each.exposures) for each in suspects) == len(found)
    return repr(suspects)


def test_the_samples_have_secrets_to_look_for():
    without = {"detect_secrets_baseline.json", "ggshield.sarif", "leakkill.json", "leakkill.sarif"}
    assert {name for name, secrets in SECRETS.items() if not secrets} == without


@pytest.mark.parametrize("name", WHOLE_JSON)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_a_report_cut_off_anywhere_is_refused(name, data):
    text = (SAMPLES / name).read_bytes().strip()
    cut = text[: data.draw(st.integers(0, len(text) - 1))]
    with pytest.raises(BadInput):
        list(read("report", io.BytesIO(cut)))


@pytest.mark.parametrize("name", WHOLE_JSON + BY_LINES)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_no_damage_brings_a_secret_to_light(name, data):
    text = (SAMPLES / name).read_bytes()
    begin = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(begin, min(len(text), begin + 40)))
    put = data.draw(
        st.binary(max_size=6) | st.sampled_from([b'"', b"'", b"\n", b"]", b"}", b"=", b":", b"#", b"@", b" "])
    )
    said = shown(text[:begin] + put + text[end:])
    assert not [each for each in SECRETS[name] if each in said]


@pytest.mark.parametrize("name", WHOLE_JSON)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_no_value_of_another_type_does_either(name, data):
    document = copy.deepcopy(json.loads((SAMPLES / name).read_bytes()))
    inner = document
    for depth in range(data.draw(st.integers(1, 9))):
        keys = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
        key = data.draw(st.sampled_from(keys), label=f"key {depth}")
        if not isinstance(inner[key], dict | list) or not inner[key]:
            break
        outer, inner = inner, inner[key]
    else:
        inner = outer
    inner[key] = data.draw(anything)
    said = shown(json.dumps(document).encode())
    assert not [each for each in SECRETS[name] if each in said]


@pytest.mark.parametrize("name", WHOLE_JSON + BY_LINES)
def test_it_does_not_matter_how_the_bytes_arrive(exposures, monkeypatch, name):
    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(7, size) if size and size > 0 else 7)

    text = (SAMPLES / name).read_bytes()
    whole = exposures(text)
    assert exposures(b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"), "report") == whole
    monkeypatch.setattr(report_module, "HEAD_BYTES", 400)
    assert list(read("report", Trickle(text))) == whole
