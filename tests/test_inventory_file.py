"""An inventory is read from three forms alike, refused row by row in one line each, and never with a secret in it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotator.inventory_file import Known, read
from rotator.settings.credentials import CredentialSettings, custody_of

KNOWN = Known(["aws_iam_access_key", "vault_token"], {"aws": "", "vault": "kv"})
TOKEN = "ghp_" + "a" * 36
ENTRY = {
    "match": {"provider": "aws_iam_access_key", "connection": "aws", "owner": "ci"},
    "criticality": "high",
    "environment": "production",
    "reads": ["vault:kv/*"],
    "administers": [],
    "deliver": [{"store": "vault_kv", "connection": "vault", "name": "ci/aws"}],
    "consumers": [{"webhook": "https://ci.example.com/reload"}],
    "reachable_from": ["host:ci-7", "job:org/app/build"],
    "vendor": "Acme Ltd",
    "datasets": ["customers"],
    "contact": "team-a@example.com",
}
YAML = """
credentials:
  - match: {provider: aws_iam_access_key, connection: aws, owner: ci}
    criticality: high
    environment: production
    reads: ["vault:kv/*"]
    administers: []
    deliver: [{store: vault_kv, connection: vault, name: ci/aws}]
    consumers: [{webhook: "https://ci.example.com/reload"}]
    reachable_from: ["host:CI-7", "job:Org/App/build"]
    vendor: Acme Ltd
    datasets: [customers]
    contact: team-a@example.com
"""
CELLS = {
    "provider": "aws_iam_access_key",
    "connection": "aws",
    "Owner": "ci",
    "id": "",
    "criticality": "high",
    "environment": "production",
    "reads": "vault:kv/*",
    "administers": "[]",
    "deliver": "vault_kv:vault:ci/aws",
    "consumers": "https://ci.example.com/reload",
    "reachable_from": "host:ci-7; job:org/app/build",
    "vendor": "Acme Ltd",
    "datasets": "customers",
    "contact": "team-a@example.com",
}
CSV = f"{','.join(CELLS)}\n{','.join(CELLS.values())}\n"


@pytest.mark.parametrize(
    "text",
    [
        YAML,
        CSV,
        CSV.replace("\n", "\r\n"),
        "\ufeff" + json.dumps([ENTRY]),
        json.dumps({"credentials": [ENTRY]}, indent=2),
        json.dumps(ENTRY) + "\n" + json.dumps(ENTRY),
    ],
    ids=["yaml", "csv", "csv of windows", "list", "object", "lines"],
)
def test_every_form_says_the_same(text):
    [found], bad = read("own", text.encode(), KNOWN)
    assert bad == []
    assert {"match": found.match, **found.keys} == ENTRY
    assert custody_of(found.match, found.keys) == CredentialSettings.model_validate(ENTRY).custody()


def test_an_empty_cell_says_nothing_and_a_null_takes_back():
    [found], _ = read("own.csv", b"owner,criticality,contact,reads\nci,,null,\n", KNOWN)
    assert found.keys == {"contact": None}


ROWS = [
    ({"match": {"provider": "aws_iam_acces_key"}}, "no provider is called aws_iam_acces_key", "did you mean `aws_iam"),
    ({"match": {"connection": "aw"}}, "no connection is called aw", "did you mean `aws`"),
    ({"match": {"owner": "x"}, "reads": ["valt:kv"]}, "no connection is called valt", "did you mean `vault`"),
    ({"match": {"owner": "x"}, "reads": ["vault:kv/+/aws"]}, "reads has vault:kv/+/aws, which matches no", "write `*`"),
    ({"match": {"owner": "x"}, "administers": ["vault:v1/kv/data/a"]}, "matches no secret", "leave out the v1/"),
    ({"match": {"owner": "x"}, "reads": ["vault:/kv/metadata"]}, "matches no secret", "or write kv/data/NAME"),
    ({"match": {"owner": "x"}, "criticality": "hgh"}, "criticality: must be one of low, medium", "not hgh"),
    ({"match": {"owner": "x"}, "reachable_from": ["ci-7"]}, "`ci-7` is no site", "host, repository, job"),
    ({"match": {"owner": "x"}, "consumer": []}, "unknown key consumer", "did you mean `consumers`"),
    ({"match": {}}, "does not say of which credentials", "`match` names one of"),
    ({"match": {"owner": ""}}, "does not say of which credentials", "`match` names one of"),
    ({"match": {"owner": "x\x00"}}, "`match` has what is no plain text", "words of"),
    ({"criticality": "low"}, "match: is missing", "docs/configuration.md"),
    ({"match": {"owner": 7}}, "match: owner: must be a text", "docs/configuration.md"),
    ([], "an entry is a table of keys", "begin it with match"),
]


@pytest.mark.parametrize(("row", "what", "mend"), ROWS, ids=[what for _, what, _ in ROWS])
def test_a_bad_row_is_told_in_one_line_with_its_place_and_the_way_to_mend_it(row, what, mend):
    text = "[\n" + json.dumps({"match": {"owner": "fine"}}) + ",\n" + json.dumps(row) + "\n]"
    _, [problem] = read("own.json", text.encode(), KNOWN)
    told = str(problem)
    assert told.startswith("own.json, line 3: ")
    assert what in told
    assert mend in told
    assert "\n" not in told


@pytest.mark.parametrize(
    "row",
    [
        {"match": {"owner": "x"}, "password": "c4nary"},
        {"match": {"owner": "x"}, "contact": f"see {TOKEN}"},
        {"match": {"id": TOKEN}},
        {"match": {"owner": "x"}, TOKEN: "x"},
        {"match": {"owner": "x"}, "criticality": TOKEN},
        {"match": {"owner": "x"}, "datasets": ["postgres://app:c4nary@db/shop"]},
        {"match": {"owner": "x"}, "consumers": [{"webhook": "https://u:c4nary@host/x"}]},
        {"match": {"owner": "x"}, "vendor": "-----BEGIN OPENSSH PRIVATE KEY-----"},
        {"match": {"owner": "x"}, "contact": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYc4naryKEY9"},
        {"match": {"owner": "x"}, "contact": "key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYc4naryKEY9."},
        {"match": {"owner": "x"}, "contact": "AIzaSyD-9tSrke72PouQMnMX-a7eZSc4naryWBY"},
        {"match": {"owner": "x"}, "reachable_from": ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2ln"]},
    ],
)
def test_what_looks_like_a_secret_is_refused_and_not_repeated(row):
    _, [problem] = read("own.json", json.dumps([row]).encode(), KNOWN)
    assert "secret" in str(problem) or "no plain word" in str(problem)
    assert not any(word in str(problem) for word in ("c4nary", TOKEN, "eyJ"))


@pytest.mark.parametrize(
    "name",
    [
        "356a192b7913b04c54574d18c28d46e6395428ab",
        "356A192B7913B04C54574D18C28D46E6395428AB",
        "repository/Shop/Payments2/CheckoutBasket",
        "arn:aws:iam::123456789012:role/Platform/PaymentsReader2/JobsInTest",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/Shop/Db-a1B2c3",
        "https://Wiki.example.com/Q7xBz3Lk9Vd/RtYp5Nw2Hs8JmCf4GaUe6Ti1Oq",
        "https://build/Job/Q7xBz3Lk9VdRtYp5Nw2Hs8JmCf4G",
        "SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY8",
        "Ann.Example-Team+Payments2@example.com",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "ci-runner@example-project-123456.iam.gserviceaccount.com",
    ],
)
def test_what_is_long_and_a_name_is_no_secret(name):
    [found], bad = read("own.json", json.dumps([{"match": {"owner": name}}]).encode(), KNOWN)
    assert (found.match["owner"], bad) == (name, [])


def test_what_looks_like_a_policy_or_an_address_and_is_a_name_is_taken():
    reads = ["aws:a/+/b", "aws:v1/x", "vault:kv/data/*", "vault:kv/a+b", "vault:app/metadata", "vault:kv/v1/x", "vault"]
    [found], bad = read("own.json", json.dumps([{"match": {"owner": "x"}, "reads": reads}]).encode(), KNOWN)
    assert (found.keys["reads"], bad) == (reads, [])


def test_the_id_of_an_access_key_is_no_secret():
    [found], bad = read("own.csv", b"provider,id\naws_iam_access_key,AKIAQ4R7T2W9Z3K5M8N1\n", KNOWN)
    assert (found.match["id"], bad) == ("AKIAQ4R7T2W9Z3K5M8N1", [])


def test_one_match_told_otherwise_in_one_file_is_refused_and_the_same_again_is_one():
    _, [problem] = read("own.csv", b"owner,criticality\nci,low\nci,low\nci,high\n", KNOWN)
    assert str(problem) == "own.csv, line 4: owner=ci is told otherwise at line 2 (join the two)"


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"", "own: nothing in it"),
        (b"\xff\xfe", "own, line 1: not UTF-8 text"),
        (b"owner,id\nci\n", "own, line 2: 1 columns where the header has 2"),
        (b"owner,owner\nci,x\n", "own, line 1: the column owner stands there twice"),
        (b'owner,id\n"ci,x\n', "own, line 2: this is not CSV"),
        (b"owner,reads\nci,[x\n", "own, line 2: `reads` is not JSON"),
        (b'[{"match": {"owner": "x"}},\n {"match"', "own, line 2: this is not JSON"),
        (b'[{"match": {}, "match": {}}]', "own, line 1: the same key twice"),
        (b'{"credentials": [], "x": 1}', "own: the entries stand under `credentials`"),
        (b"entries: []\n", "own: the entries stand under `credentials`"),
        (b"credentials:\n  - match: {owner: &x ci}\n", "own, line 2: anchors and aliases"),
    ],
)
def test_a_file_that_is_not_what_it_seems_is_told_in_one_line(raw, told):
    _, [problem] = read("own", raw, KNOWN)
    assert str(problem).startswith(told)


@settings(max_examples=40, deadline=None)
@given(
    st.binary(max_size=60), st.sampled_from([b"", b"owner,id,reads\n", b"[", b"credentials:\n - ", b'{"credentials":'])
)
def test_whatever_comes_is_read_or_refused_in_one_line(raw, head):
    _, bad = read("own", head + raw, KNOWN)
    assert all("\n" not in each.what for each in bad)
