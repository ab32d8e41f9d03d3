"""Reports that say where secrets are and not which, and the one way in which detect-secrets does tell them.

Made of the planted home directory: `detect-secrets scan --all-files home` and `detect-secrets audit --report` of that,
by detect-secrets 1.5.0; `leakkill scan --json home` by leakkill 0.8.0.
"""

from __future__ import annotations

import json
from collections import Counter

import pytest

from rotator.credential import Leaked
from rotator.errors import BadInput
from rotator.flow.exposure import group
from rotator.intake.reading import formats


def test_a_baseline_is_a_list_of_places(sample, exposures):
    found = exposures(sample("detect_secrets_baseline.json"))
    assert {each.leaked for each in found} == {Leaked()}
    assert Counter(each.rule for each in found) == {
        "AWS Access Key (secret not told)": 6,
        "GitHub Token (secret not told)": 1,
        "Private Key (secret not told)": 3,
        "Secret Keyword (secret not told)": 1,
        "Base64 High Entropy String (secret not told)": 1,
    }
    assert len(group(found, {}, str)) == len(found)


def test_no_hash_of_a_secret_is_passed_on(sample, exposures):
    baseline = json.loads(sample("detect_secrets_baseline.json"))
    shown = repr(exposures(sample("detect_secrets_baseline.json")))
    assert all(one["hashed_secret"] not in shown for file in baseline["results"].values() for one in file)


def test_what_somebody_labelled_as_no_secret_is_left_out(exposures):
    finding = {"type": "GitHub Token", "hashed_secret": "a", "line_number": 1}
    baseline = {"plugins_used": [], "results": {"f": [{**finding, "is_secret": False}, {**finding, "line_number": 2}]}}
    assert [each.where for each in exposures(json.dumps(baseline).encode())] == ["f:2"]


def test_its_audit_tells_the_secrets(sample, exposures):
    found = exposures(sample("detect_secrets_audit.json"))
    assert {each.leaked.id for each in found if each.rule == "aws_iam_access_key"} == {
        "AKIAUJZDEGXDNCF32EPF",
        "AKIAH2KVJ72CEUVW75EF",
    }
    # Its own field says "ghp": the token is in the line beside it.
    (token,) = (each.leaked.secret for each in found if each.rule == "github_token")
    assert token.reveal() == "ghp_X83RZJzzzzgEOzdmenCkhvMdgaKjIg8xNbe3"
    # Of a private key on lines of its own it has the first line.
    assert Counter(each.rule for each in found if "rivate" in each.rule or "ssh" in each.rule) == {
        "Private Key (secret not told)": 2,
        "ssh_authorized_key": 1,
    }


def test_leakkill_tells_places_and_whether_a_secret_lives(sample, exposures):
    found = exposures(sample("leakkill.json"))
    assert {each.leaked for each in found} == {Leaked()}
    assert len(found) == 16
    assert found[0].where == "home/.env:1"
    item = {"id": 1, "type": "GitHub token", "value": "ghp_****", "status": "LIVE", "locations": ["926089e:a:b.py:3"]}
    (live,) = exposures(json.dumps([item]).encode())
    assert (live.scanner_says, live.commit, live.where) == ("active", "926089e", "a:b.py:3")
    assert "leakkill" not in formats()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b'{"plugins_used": [], "results": {"f": 1}}', "report, file 1: this is not a file of a baseline"),
        (b'{"plugins_used": [], "results": {"f": [{}]}}', "report, file 1: this is not a finding of a baseline"),
        (b'{"results": [{"category": "UNVERIFIED"}]}', "report, finding 1: this is not a finding of an audit"),
        (
            b'[{"id": 1, "type": "", "value": "", "status": "", "locations": 3}]',
            "report, finding 1: this is not a leakkill finding",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(exposures, text, says):
    with pytest.raises(BadInput) as refused:
        exposures(text)
    assert str(refused.value).startswith(says)
