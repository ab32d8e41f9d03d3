"""An advisory is read from an OSV record or from what somebody types; what is neither gets one clear line."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rotator.errors import BadInput
from rotator.packages.advisory import Advisory, merged, read, spec
from rotator.packages.names import Package, package, purl
from tests.packages.world import ADVISORIES

COMMITS = {"type": "GIT", "events": [{"introduced": "0"}]}
RECORD = json.loads((ADVISORIES / "PYSEC-2026-2.json").read_text())


def reading(text: str) -> tuple[Advisory, ...]:
    return read("osv.json", io.BytesIO(text.encode()))


@pytest.mark.parametrize(
    ("text", "of", "versions"),
    [
        ("litellm==1.82.7,1.82.8", "PyPI:litellm", ("1.82.7", "1.82.8")),
        (" LiteLLM == 1.82.7, ==1.82.8 ", "PyPI:litellm", ("1.82.7", "1.82.8")),
        ("Typing_Extensions==4", "PyPI:typing-extensions", ("4",)),
        ("npm:chalk==5.6.1", "npm:chalk", ("5.6.1",)),
        ("npm:chalk@5.6.1", "npm:chalk", ("5.6.1",)),
        ("@scope/Name==1.0.0", "npm:@scope/Name", ("1.0.0",)),
        ("pkg:npm/%40scope/name@1.0.0?x=y#z", "npm:@scope/name", ("1.0.0",)),
        ("pkg:pypi/litellm@1.82.7,1.82.8", "PyPI:litellm", ("1.82.7", "1.82.8")),
        ("github:tj-actions/changed-files==v44", "GitHub Actions:tj-actions/changed-files", ("v44",)),
        ("maven:org.x:y==2.0", "Maven:org.x:y", ("2.0",)),
    ],
)
def test_a_package_is_named_as_people_write_it(text, of, versions):
    [affected] = spec(text).affected
    assert (str(affected.package), affected.versions, affected.every) == (of, versions, False)
    assert spec(text).id == text.strip()


def test_every_version_is_asked_for_in_so_many_words():
    [affected] = spec("npm:crossenv==*").affected
    assert affected.every
    assert affected.covers("anything") is True


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "--package: `` names no package with its bad versions (write `litellm==1.82.7,1.82.8`"),
        ("litellm", "--package: `litellm` names no package with its bad versions"),
        ("litellm==", "--package: `litellm==` names no package"),
        ("litellm>=1.82", "--package: `litellm>=1.82` names no package"),
        ("litellm==banana", "--package: `banana` is no version of PyPI:litellm"),
        ("litellm==1.82.*", "--package: `1.82.*` is no version of PyPI:litellm"),
        ("npm:chalk==^5", "--package: `^5` is no version of npm:chalk"),
        ("nmp:chalk==5.6.1", "--package: `nmp` is no ecosystem (one of PyPI, npm,"),
        ("chalk@5.6.1", "--package: `chalk@5.6.1` names no package"),
        ("pkg:npm/chalk", "--package: `pkg:npm/chalk` names no package"),
        ("a\x1b[2Jb==1", "--package: `a?[2Jb==1` names no package"),
        ("x" * 500, f"--package: `{'x' * 80}…` names no package"),
    ],
)
def test_what_names_no_bad_version_is_refused_in_one_line(text, says):
    with pytest.raises(BadInput) as refused:
        spec(text)
    assert str(refused.value).startswith(says)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(RECORD),
        json.dumps(RECORD, indent=4),
        json.dumps([RECORD]),
        json.dumps({"vulns": [RECORD]}),
        "\ufeff" + json.dumps(RECORD) + "\r\n\n",
    ],
)
def test_a_record_may_come_alone_in_a_list_or_as_the_service_answers(text):
    [advisory] = reading(text)
    assert advisory.names == {"PYSEC-2026-2", "MAL-2026-2144"}
    assert advisory.published.isoformat() == "2026-03-24T16:15:08.809028+00:00"
    assert [each.covers("1.82.8") for each in advisory.affected] == [True]


def test_three_records_of_one_event_are_one_advisory():
    found = []
    for path in sorted(ADVISORIES.iterdir()):
        with path.open("rb") as stream:
            found += read(path.name, stream)
    assert len(found) == 3
    for order in (found, found[::-1]):
        [one] = merged(order)
        assert one.names == {"PYSEC-2026-2", "MAL-2026-2144", "GHSA-5mg7-485q-xm76"}
        assert one.id == order[0].id
        assert [str(each.package) for each in one.affected] == ["PyPI:litellm"]


def test_a_third_record_joins_two_that_did_not_know_each_other():
    first, second, third = (
        Advisory("A"), Advisory("B"), Advisory("C", aliases=frozenset({"A", "B"})),
    )  # fmt: skip
    assert [each.id for each in merged([first, second])] == ["A", "B"]
    [one] = merged([first, second, third])
    assert one.names == {"A", "B", "C"}


def test_what_one_record_takes_back_another_may_still_say():
    taken_back, standing = spec("litellm==1.82.7"), spec("litellm==1.82.8")
    when = RECORD | {"withdrawn": "2026-04-01T00:00:00Z"}
    [withdrawn] = reading(json.dumps(when))
    assert withdrawn.withdrawn is not None
    assert [each.withdrawn for each in merged([withdrawn])] == [withdrawn.withdrawn]
    both = merged([withdrawn, Advisory("X", withdrawn.names, standing.affected)])
    assert [(each.withdrawn, each.affected[0].versions) for each in both] == [(None, ("1.82.8",))]
    assert taken_back.affected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "osv.json: the report is empty"),
        ("{", "osv.json, character 0: this is not JSON, or it is cut off (give one OSV record"),
        ("[]", "osv.json: there is no advisory in it"),
        ("{}", "osv.json: this is no OSV record: it has no id"),
        ("[3]", "osv.json: this is no OSV record: it has no id"),
        ('{"id": "X"}', "osv.json, X: it names no package whose versions could be looked for (say it with --package)"),
        ("[" * 100_000, "osv.json, character 0: this is not JSON"),
        (
            json.dumps({"id": "X", "affected": [{"package": {"name": "a", "ecosystem": "PyPI"}, "ranges": [COMMITS]}]}),
            "osv.json, X: it names no package",
        ),
    ],
)
def test_what_is_no_advisory_is_refused_in_one_line(text, says):
    with pytest.raises(BadInput) as refused:
        reading(text)
    assert str(refused.value).startswith(says)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_no_damage_to_a_record_does_more_than_that(data):
    text = json.dumps(RECORD)
    begin = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(begin, min(len(text), begin + 30)))
    put = data.draw(st.sampled_from(["", "null", "3", "[]", "{}", '"', "\\", "}", "é", "9" * 20, "true"]))
    try:
        found = reading(text[:begin] + put + text[end:])
    except BadInput as refused:
        assert "\n" not in str(refused)  # noqa: PT017 - the one error that is allowed
    else:
        assert [each.affected[0].covers("1.0") is not None for each in merged(found)]


@settings(max_examples=40, deadline=None)
@given(text=st.text(max_size=40) | st.from_regex(r"(pkg:)?[a-z:@%/]{0,12}(==|@)[\w.,*+]{0,12}", fullmatch=True))
def test_any_words_are_a_package_or_refused(text):
    try:
        assert spec(text).affected
    except BadInput as refused:
        assert "\n" not in str(refused)  # noqa: PT017


@pytest.mark.parametrize(
    ("text", "of", "version"),
    [
        ("pkg:pypi/LiteLLM@1.82.7", ("PyPI", "litellm"), "1.82.7"),
        ("pkg:npm/@scope/name", ("npm", "@scope/name"), ""),
        ("pkg:npm/@scope/name@1.0.0", ("npm", "@scope/name"), "1.0.0"),
        ("pkg:maven/org.x/y@2?type=jar", ("Maven", "org.x:y"), "2"),
        ("pkg:golang/example.org/m/v2@v2.0.1", ("Go", "example.org/m/v2"), "v2.0.1"),
        ("pkg:githubactions/actions/cache/save@v4", ("GitHub Actions", "actions/cache"), "v4"),
        ("pkg:pypi/torch@2.0%2Bcpu", ("PyPI", "torch"), "2.0+cpu"),
    ],
)
def test_a_purl_tells_package_and_version(text, of, version):
    assert purl(text) == (Package(*of), version)


@pytest.mark.parametrize(
    "text", ["", "pkg:", "pkg:pypi", "pkg:pypi/", "pkg:/x", "https://example.org/x@1", "pkg:pypi/@"]
)
def test_what_is_no_purl_is_none(text):
    found = purl(text)
    assert found is None or found[0].name


def test_npm_tells_names_apart_by_case_and_pypi_does_not():
    assert package("npm", "JSONStream") != package("npm", "jsonstream")
    assert package("PyPI", "Zope.Interface") == package("PyPI", "zope-interface")
