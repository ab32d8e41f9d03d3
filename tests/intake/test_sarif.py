"""The samples are SARIF of the planted home directory, by four scanners.

kingfisher's is made by `planted.py`, gitleaks 8.30.1's of a repository of that home (`gitleaks git repo -f sarif`),
ggshield 1.56.1's and leakkill 0.8.0's as their tests say. From those of gitleaks and leakkill the rules that found
nothing were left out.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from rotator.errors import BadInput


def sarif(tool: str | None, *results: dict[str, object], tool_last: bool = False) -> bytes:
    named = {} if tool is None else {"tool": {"driver": {"name": tool}}}
    run = {"results": list(results), **named} if tool_last else {**named, "results": list(results)}
    return json.dumps({"version": "2.1.0", "runs": [run]}).encode()


def result(rule: str, snippet: str | None, message: str = "") -> dict[str, object]:
    region = {"startLine": 3} | ({} if snippet is None else {"snippet": {"text": snippet}})
    place = {"physicalLocation": {"artifactLocation": {"uri": "file:///src/a.py"}, "region": region}}
    return {"ruleId": rule, "message": {"text": message}, "locations": [place]}


def test_kingfishers_is_its_json_report(sample, exposures):
    def told(name):
        return {(each.source, each.rule, each.leaked) for each in exposures(sample(name))}

    # The JSON report is of each place; SARIF leaves out those of a secret that it has already.
    assert told("kingfisher.sarif") == told("kingfisher.json")
    pairs = [each.leaked for each in exposures(sample("kingfisher.sarif")) if each.leaked.id and each.leaked.secret]
    assert {each.id for each in pairs} == {"AKIAUJZDEGXDNCF32EPF", "AKIAH2KVJ72CEUVW75EF"}


def test_gitleaks_is_its_json_report_with_commits(sample, exposures):
    found = exposures(sample("gitleaks.sarif"))

    def told(found):
        # A private key is written anew, with other padding, for each home.
        return {(each.rule, each.leaked.id or each.rule == "private-key" or each.leaked.secret) for each in found}

    assert told(found) == told(exposures(sample("gitleaks.json")))
    assert {each.source for each in found} == {"gitleaks"}
    assert {each.commit for each in found} == {"926089ed9c820c7f99f9a560d0180a532de6cac7"}
    assert {each.seen_at for each in found} == {datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC)}


@pytest.mark.parametrize(("name", "source"), [("ggshield.sarif", "ggshield"), ("leakkill.sarif", "leakkill")])
def test_places_alone_are_listed_for_a_person(sample, exposures, name, source):
    found = exposures(sample(name))
    assert found
    assert {each.source for each in found} == {source}
    assert all(each.leaked.secret is None and each.leaked.id is None and each.line for each in found)
    assert all(each.rule.endswith("(secret not told)") for each in found)


def test_each_place_of_a_result_is_one(exposures):
    one = result("github-pat", "s")
    found = exposures(sarif("gitleaks", {**one, "locations": one["locations"] * 2}))
    assert [each.where for each in found] == ["/src/a.py:3"] * 2


@pytest.mark.parametrize("text", ["REDACTED", "[REDACTED:ae4b4411]"])
@pytest.mark.parametrize("tool", ["gitleaks", "kingfisher"])
def test_a_redacted_report_is_refused(exposures, tool, text):
    with pytest.raises(BadInput, match="redacted"):
        exposures(sarif(tool, result("x", text)))


def test_another_tools_snippet_is_a_line_of_code(exposures):
    token = "ghp_X83RZJzzzzgEOzdmenCkhvMdgaKjIg8xNbe3"
    found = exposures(
        sarif(
            "Semgrep OSS",
            result("generic.secrets.github", f'TOKEN = "{token}"'),
            result("python.sql-injection", "execute(query)"),
            result("py.hardcoded-password", 'PASSWORD = "hunter2"', "A password"),
        )
    )
    assert [(each.source, each.rule, each.where) for each in found] == [
        ("list", "github_token", "/src/a.py:3"),
        ("sarif", "semgrep oss:py.hardcoded-password (secret not told)", "/src/a.py:3"),
    ]
    assert found[0].leaked.secret.reveal() == token


def test_each_run_is_its_own_tools_wherever_it_names_itself(exposures):
    gitleaks = {"results": [result("github-pat", "one")], "tool": {"driver": {"name": "gitleaks"}}}
    kingfisher = {"tool": {"driver": {"name": "kingfisher"}}, "results": [result("a", "two")]}
    for runs in ([gitleaks, kingfisher], [kingfisher, gitleaks]):
        found = exposures(json.dumps({"runs": runs}).encode())
        assert {(each.source, each.rule) for each in found} == {("gitleaks", "github-pat"), ("kingfisher", "a")}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (sarif(None, result("x", "y")), "report: the run names no tool"),
        (sarif("gitleaks", {"message": {}}), "report, result 1: this result names no rule"),
        (sarif("gitleaks", result("x", None)), "report, result 1: a finding without its secret"),
        (b'{"runs": [{"results": [{"ruleId": "x"},]}]}', "report, byte "),
        (b'{"runs": []} {}', "report, byte 13: something follows the report's end"),
    ],
)
def test_a_mistake_is_named_with_its_place(exposures, text, says):
    with pytest.raises(BadInput) as refused:
        exposures(text)
    assert str(refused.value).startswith(says)
