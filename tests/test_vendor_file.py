"""A file of vendors is believed whole or not at all, and what is written reads as what was there."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator import vendor_text
from rotator.flow.registry import Sort
from rotator.inventory_file import Known
from rotator.vendor_file import read
from rotator.vendor_text import Table
from tests.docs.pages import ROOT

KNOWN = Known(["aws_iam_access_key", "vault_token"], {"aws": "", "vault": "kv"})
LEVELS = st.sampled_from(["low", "medium", "high", "critical"])
LETTERS = st.characters(exclude_categories=["C", "Z"], include_characters=" =+-@;:'\"[]{},#|>&*!%`")
WORDS = st.text(LETTERS, min_size=1, max_size=12).map(str.strip).filter(bool) | st.sampled_from(
    ["null", "~", "yes", "0123", "1e5", "2026-01-01", "=1+1", "# no", "a; b", "high: low", '"', "- x", "[", "{}"]
)
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,7}", fullmatch=True)
DATES = st.dates().map(str)
HEX = st.text("0123456789abcdef", min_size=64, max_size=64)


def some(**keys):
    return st.fixed_dictionaries({}, optional=keys)


JUDGED = st.fixed_dictionaries({"level": LEVELS, "why": WORDS})
TERMS = st.tuples(st.dates(), st.dates()).map(sorted).map(lambda days: [str(day) for day in days])
ATTESTATIONS = st.builds(
    lambda term, required, optional: required | {"valid_from": term[0], "valid_to": term[1]} | optional,
    TERMS,
    st.fixed_dictionaries({"kind": WORDS, "issuer": WORDS}),
    some(scope=WORDS, sha256=HEX),
)
MATCHES = some(provider=st.sampled_from(KNOWN.providers), connection=st.just("aws"), owner=WORDS, id=WORDS)
LISTS = st.lists(WORDS, max_size=3)
VENDORS = some(
    title=WORDS,
    criticality=LEVELS,
    owner=WORDS,
    **dict.fromkeys(("contacts", "accounts", "systems", "datasets", "sub_processors"), LISTS),
    holds=st.lists(MATCHES.filter(bool), min_size=1, max_size=2),
    attestations=st.lists(ATTESTATIONS, min_size=1, max_size=2),
    breaches=st.lists(
        st.builds(
            lambda told, more: told | more, st.fixed_dictionaries({"on": DATES, "what": WORDS}), some(source=WORDS)
        ),
        min_size=1,
        max_size=2,
    ),
    user_impact=JUDGED,
    cost_of_change=JUDGED,
)
DATASETS = st.builds(lambda level, more: {"sensitivity": level} | more, LEVELS, some(manifest=NAMES, why=WORDS))
REGISTRIES = st.builds(
    lambda vendors, datasets: (
        {(Sort.VENDOR, name): told for name, told in vendors.items()}
        | {(Sort.DATASET, name): told for name, told in datasets.items()}
    ),
    st.dictionaries(NAMES, VENDORS, max_size=3),
    st.dictionaries(WORDS, DATASETS, max_size=2),
)


def told(*texts):
    """Return what these files say together."""
    found = {}
    for number, text in enumerate(texts):
        said, bad = read(f"file-{number}", text.encode(), KNOWN)
        assert bad == []
        for each in said:
            found[each.sort, each.name] = found.get((each.sort, each.name), {}) | dict(each.keys)
    return found


@given(REGISTRIES.filter(bool))
def test_what_is_written_reads_as_what_was_there(registry):
    assert told(vendor_text.as_yaml(registry)) == registry
    assert told(vendor_text.as_json(registry)) == registry
    assert told(*(vendor_text.as_csv(registry, each) for each in Table)) == registry


@given(REGISTRIES)
def test_no_cell_is_computed_by_a_spreadsheet(registry):
    for table in Table:
        for row in csv.reader(vendor_text.as_csv(registry, table).splitlines()):
            assert all(not each or each[0].isalnum() or each[0] in '"[{' for each in row)


UNKNOWN_TOP = "line 1: something beside the lists of the registry (there are vendors and datasets)"
BAD = {
    "vendors:\n  - name: acme\n    critcality: high\n": "line 2: unknown key critcality (did you mean `criticality`?)",
    "vendors:\n  - title: Acme\n": "line 2: name: is missing (see `name` in docs/vendors.md)",
    "vendors:\n  - name: a b\n": "line 2: a vendor is not called a b (take letters",
    "vendors:\n  - name: acme\n    criticality: grave\n": "must be one of low, medium, high, critical, not grave",
    "vendors:\n  - name: acme\n    accounts: [123456789012]\n": "accounts number 1: must be a text",
    "vendors:\n  - name: acme\n    holds: [{}]\n": "line 2: `holds` does not say which credentials",
    "vendors:\n  - name: acme\n    holds: [{provider: vault_tokn}]\n": "did you mean `vault_token`?",
    "vendors:\n  - name: a\n    title: x\n  - name: a\n    title: y\n": "line 4: the vendor a is told otherwise",
    "vendor:\n  - name: acme\n": UNKNOWN_TOP,
    "datasets:\n  - name: crm\n    why: x\n": "line 2: sensitivity: is missing",
    "vendor,kind,issuer,valid_from,valid_to\nacme,SOC,EY,2026-02-01,2026-01-01\n": "2: attestations number 1: valid_to",
    "vendor,kind\n,SOC 2\n": "line 2: it does not say of which vendor",
    "name,title\nacme\n": "line 2: 1 columns where the header has 2",
}


@pytest.mark.parametrize("text", BAD)
def test_a_bad_row_is_told_with_its_line(text):
    _, [problem] = read("vendors.txt", text.encode(), KNOWN)
    assert BAD[text] in str(problem)
    assert str(problem).startswith("vendors.txt, line ")


@pytest.mark.parametrize(
    "row",
    [
        "title: AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "api_token: x",
        "owner: https://u:hunter22@acme.example",
    ],
)
def test_a_secret_is_refused_and_never_repeated(row):
    said, [problem] = read("v.yaml", f"vendors:\n  - name: acme\n    {row}\n".encode(), KNOWN)
    assert said == []
    assert "secret" in str(problem)
    assert row.partition(": ")[2] not in str(problem)


def test_null_takes_a_key_back_in_each_form():
    assert told("vendors:\n  - name: acme\n    owner: null\n") == {(Sort.VENDOR, "acme"): {"owner": None}}
    assert told("name,owner,title\nacme,null,\n") == {(Sort.VENDOR, "acme"): {"owner": None}}


def test_the_page_shows_a_file_that_is_read():
    page = (ROOT / "docs" / "vendors.md").read_text()
    text = page.partition("```yaml\n")[2].partition("```")[0]
    found = told(text)
    assert found[Sort.VENDOR, "acme"]["attestations"][0]["valid_to"] == "2026-12-31"
    assert found[Sort.DATASET, "patients"]["sensitivity"] == "critical"
