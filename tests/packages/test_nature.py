"""Whether an advisory tells of a compromise or of an ordinary vulnerability, its own fields say."""

from __future__ import annotations

import io
import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotator.packages.advisory import merged, read
from rotator.packages.advisory_record import essence
from rotator.packages.nature import Nature, sign_of

GHSA = "GHSA-aaaa-bbbb-cccc"
AFFECTED = [{"package": {"ecosystem": "PyPI", "name": "litellm"}, "versions": ["1.82.7"]}]
ORIGINS = [{"source": "ghsa-malware", "id": "GHSA-1"}]
MALICIOUS = [{**AFFECTED[0], "database_specific": {"cwes": [{"cweId": "CWE-506", "name": "Embedded Malicious Code"}]}}]


def record(name=GHSA, **keys):
    return {"id": name, "affected": AFFECTED, **keys}


def weak(*cwes, name=GHSA, **keys):
    return record(name, database_specific={"cwe_ids": list(cwes)}, **keys)


def event(*records):
    return merged(each for one in records for each in read("r.json", io.BytesIO(json.dumps(one).encode())))


@pytest.mark.parametrize(
    ("told", "nature", "field"),
    [
        (record("MAL-2026-2144"), Nature.COMPROMISE, "id"),
        (record("PYSEC-2026-2", aliases=["MAL-2026-2144"]), Nature.COMPROMISE, "aliases"),
        (record(database_specific={"type": "malware"}), Nature.COMPROMISE, "type"),
        (record(database_specific={"malicious-packages-origins": ORIGINS}), Nature.COMPROMISE, "database_specific"),
        (weak("CWE-79", "CWE-506"), Nature.COMPROMISE, "cwe_ids"),
        (weak("cwe-0912"), Nature.COMPROMISE, "cwe_ids"),
        (record(affected=MALICIOUS), Nature.COMPROMISE, "cwe_ids"),
        (weak("CWE-79", aliases=["MAL-2026-1"]), Nature.COMPROMISE, "aliases"),
        (weak("CWE-79", "CWE-532"), Nature.UNKNOWN, "cwe_ids"),
        (weak("CWE-1333", "CWE-79", aliases=["CVE-2026-1"]), Nature.ORDINARY, "cwe_ids"),
        (record(), Nature.UNKNOWN, ""),
        (weak("NVD-CWE-noinfo", "NVD-CWE-Other"), Nature.UNKNOWN, ""),
        (weak("NVD-CWE-noinfo", 79, None, "CWE-²"), Nature.UNKNOWN, "cwe_ids"),
        (record(database_specific={"type": "reviewed", "cwe_ids": "CWE-79"}), Nature.UNKNOWN, "cwe_ids"),
        # Nobody makes it ordinary by writing what tells it in another form, beside a weakness that can be read.
        (record(database_specific={"type": " Malware", "cwe_ids": ["CWE-79"]}), Nature.COMPROMISE, "type"),
        (record(database_specific={"type": ["malware"], "cwe_ids": ["CWE-79"]}), Nature.UNKNOWN, "type"),
        (weak("CWE-79", " CWE-506: Embedded Malicious Code"), Nature.COMPROMISE, "cwe_ids"),
        (weak("CWE-79", 506), Nature.UNKNOWN, "cwe_ids"),
        (record(database_specific={"cwe_ids": "CWE-506"}), Nature.COMPROMISE, "cwe_ids"),
        (weak("CWE-79", aliases=[" mal-2026-1"]), Nature.COMPROMISE, "aliases"),
        (weak("CWE-79", aliases="MAL-2026-1"), Nature.COMPROMISE, "aliases"),
        (weak("CWE-79", name="mal-2026-1"), Nature.COMPROMISE, "id"),
        (record(database_specific={"type": "general", "malicious-packages-origins": None}), Nature.UNKNOWN, ""),
    ],
)  # fmt: skip
def test_a_record_tells_it_by_the_field_that_is_named(told, nature, field):
    [found] = event(told)
    assert (found.sign.nature, found.sign.field) == (nature, field)
    assert field in str(found.sign)
    [kept] = event(essence(told))
    assert kept.sign.nature is nature


@pytest.mark.parametrize(
    ("records", "nature"),
    [
        # A database that tells no weaknesses says nothing against one that does.
        ([record("PYSEC-1", aliases=[GHSA]), weak("CWE-79")], Nature.ORDINARY),
        ([weak("CWE-79"), weak("CWE-506", name="CVE-2026-1", aliases=[GHSA])], Nature.COMPROMISE),
        ([weak("CWE-79"), weak("CWE-829", name="CVE-2026-1", aliases=[GHSA])], Nature.UNKNOWN),
        ([weak("CWE-79"), record("MAL-1", aliases=[GHSA])], Nature.COMPROMISE),
        ([weak("CWE-79", aliases=["MAL-1"]), record("MAL-1", withdrawn="2026-04-01T00:00:00Z")], Nature.ORDINARY),
        ([record("MAL-1", withdrawn="2026-04-01T00:00:00Z")], Nature.WITHDRAWN),
    ],
)
def test_of_several_records_the_gravest_that_stands_counts_in_any_order(records, nature):
    for order in itertools.permutations(records):
        [found] = event(*order)
        assert found.sign.nature is nature
        [again] = merged([found, *event(*order)])
        assert again.sign.nature is nature


def test_what_is_kept_of_a_record_has_no_prose_and_no_secret_in_it():
    secret = "ghp_" + "a1B2" * 9
    told = weak("CWE-79", "CWE-79", summary=f"as {secret} did", details=secret, references=[{"url": secret}])
    told["affected"] = [{**AFFECTED[0], "ecosystem_specific": {"note": secret}}]
    assert secret not in json.dumps(essence(told))
    assert essence(told)["database_specific"] == {"cwe_ids": ["CWE-79"]}
    assert essence(essence(told)) == essence(told)


VALUES = st.recursive(
    st.none() | st.integers() | st.sampled_from(["MAL-1", "malware", "CWE-506", "CWE-79", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["cwe_ids", "type", "cwes", "cweId", "database_specific"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["id", "aliases", "affected", "database_specific", "summary"]), VALUES))
def test_whatever_a_record_holds_it_is_read_alike_from_what_is_kept_of_it(told):
    assert sign_of(essence(told)).nature is sign_of(told).nature
