"""A folder of real evidence: every site that had a bad version is found, with its window, and none besides."""

from __future__ import annotations

import io
import json

import pytest

from rotator.packages import evidence
from rotator.packages.advisory import read, spec
from rotator.packages.component import Document, Sureness, Unread
from rotator.packages.matching import match
from tests.packages.world import ADVISORIES, CHALK, FILES, LITELLM, files, found, told

PLANTED = {
    ("container:registry.example/team/api", "litellm", "1.82.7", "installed"),
    ("container:registry.example/team/worker", "litellm", "1.82.8", "installed"),
    ("host:build-1", "chalk", "5.6.1", "installed"),
    ("host:build-1", "litellm", "1.82.7", "installed"),
    ("host:ci-7", "litellm", "1.82.7", "installed"),
    ("host:ci-9", "litellm", "1.82.7", "installed"),
    ("host:ci-9", "litellm", "1.82.8", "installed"),
    ("host:gpu-1", "litellm", "1.82.8", "installed"),
    ("host:laptop-3", "litellm", "1.82.7", "installed"),
    ("job:org/app/deploy-to-staging", "litellm", "1.82.7", "installed"),
    ("job:org/app/deploy-to-staging", "litellm", "1.82.8", "installed"),
    ("job:org/app/lint", "litellm", "1.82.7", "installed"),
    ("job:org/app/lint", "litellm", "1.82.8", "installed"),
    ("job:org/app/test", "litellm", "1.82.7", "installed"),
    ("host:node-1", "chalk", "5.6.1", "installed"),
    ("job:org/model/image", "litellm", "1.82.7", "installed"),
    ("job:org/tool/release", "litellm", "1.82.7", "installed"),
    ("job:org/tool/release", "litellm", "1.82.8", "installed"),
    ("job:org/web/test", "chalk", "5.6.1", "installed"),
    ("repository:app", "litellm", "1.82.7", "locked"),
    ("repository:loose", "litellm", "1.82.7", "locked"),
    ("repository:npm", "chalk", "5.6.1", "locked"),
    ("repository:org/app", "litellm", "1.82.7", "locked"),
    ("repository:org/model", "litellm", "1.82.7", "locked"),
    ("repository:org/old", "chalk", "5.6.1", "locked"),
    ("repository:org/pipenv", "litellm", "1.82.7", "locked"),
    ("repository:org/science", "litellm", "1.82.7", "locked"),
    ("repository:org/site", "chalk", "5.6.1", "locked"),
    ("repository:org/tool", "litellm", "1.82.7", "locked"),
    ("repository:org/web", "chalk", "5.6.1", "locked"),
    ("repository:org/lib", "litellm", "1.82.7 or 1.82.8", "allowed"),
}
FORMATS = {
    "host/build-1/.package-lock.json": "package-lock.json",
    "host/gpu-1/conda-list.txt": "conda list",
    "host/node-1/pnpm-ls.json": "npm ls, pnpm ls and yarn list as JSON",
    "job/org/model/image/build.txt": "CI job logs",
    "job/org/web/test/npm-ls.txt": "npm ls, pnpm ls and yarn list as text",
    "loose/env.cdx.xml": "CycloneDX XML",
    "loose/npm.spdx": "SPDX tag-value",
    "loose/npm.spdx.json": "SPDX",
    "loose/run-4712.txt": "CI job logs",
    "loose/uv.cdx.json": "CycloneDX",
    "repository/org/app/requirements.txt": "pip freeze, pip list and requirements files",
    "repository/org/app/uv.lock": "uv.lock, poetry.lock and pylock.toml",
    "repository/org/model/environment.yml": "conda-lock.yml and environment.yml",
    "repository/org/pipenv/Pipfile.lock": "Pipfile.lock",
    "repository/org/science/conda-lock.yml": "conda-lock.yml and environment.yml",
    "repository/org/site/pnpm-lock.yaml": "pnpm-lock.yaml",
    "repository/org/site/yarn.lock": "yarn.lock",
    "repository/org/tool/poetry.lock": "uv.lock, poetry.lock and pylock.toml",
    "repository/org/tool/pylock.toml": "uv.lock, poetry.lock and pylock.toml",
}


@pytest.fixture(scope="module")
def findings():
    advisories = [CHALK]
    for path in sorted(ADVISORIES.iterdir()):
        with path.open("rb") as stream:
            advisories += read(path.name, stream)
    return match(advisories, evidence.walk(files()))


def hit(findings, site, version="1.82.7"):
    [one] = [each for each in findings.hits if str(each.site) == site and each.version == version]
    return one


def test_every_planted_site_is_found_and_no_other(findings):
    assert set(told(findings)) == PLANTED
    assert len(findings.hits) == len(PLANTED)
    assert findings.files == len(FILES)
    assert findings.components == 141


def test_nothing_is_found_of_what_was_nowhere():
    findings = match([spec("litellm==1.82.6"), spec("npm:chalk==5.6.0")], evidence.walk(files()))
    # 1.82.6 is within what `litellm>=1.80` admits.
    assert told(findings) == [("repository:org/lib", "litellm", "1.82.6", "allowed")]


def test_what_is_not_understood_is_named(findings):
    assert [str(each) for each in findings.unread] == [
        "not read: loose/logo.png: this is binary data, not a report",
        "not read: loose/notes.md: this is no evidence of packages that rotator reads",
    ]


def test_each_file_is_known_by_what_is_in_it():
    formats = {each.path: each.format for each in evidence.walk(files()) if isinstance(each, Document)}
    assert {path: formats[path] for path in FORMATS} == FORMATS
    assert set(formats.values()) == set(evidence.formats())


def test_the_surest_come_first(findings):
    ranks = [list(Sureness).index(each.sureness) for each in findings.hits]
    assert ranks == sorted(ranks)


def test_one_event_goes_by_the_name_that_was_read_first(findings):
    assert {each.advisory_id for each in findings.hits} == {"npm:chalk==5.6.1", "PYSEC-2026-2"}


def test_a_jobs_window_is_from_the_download_to_the_logs_end(findings):
    one = hit(findings, "job:org/app/test")
    assert [one.since.isoformat(), one.until.isoformat()] == [
        "2026-03-24T10:47:11.234088+00:00",
        "2026-03-24T10:51:41.771011+00:00",
    ]


def test_where_nobody_says_when_it_came_it_came_no_earlier_than_it_was_published(findings):
    one = hit(findings, "host:ci-7")
    # uv.lock and pylock.toml tell when 1.82.7 was uploaded.
    assert one.since.isoformat() == "2026-03-24T10:39:10+00:00"
    assert one.until is None
    assert hit(findings, "container:registry.example/team/worker", "1.82.8").since is None


def test_a_machine_of_ones_own_had_what_its_job_had(findings):
    job, host = hit(findings, "job:org/app/deploy-to-staging", "1.82.8"), hit(findings, "host:ci-9", "1.82.8")
    assert (host.since, host.until) == (job.since, None)
    assert job.until.isoformat() == "2026-03-24T11:00:15+00:00"
    assert not [each for each in findings.hits if each.site.name.startswith("runnervm")]


@pytest.mark.parametrize(
    ("place", "path", "line", "why"),
    [
        (("host:ci-7", "1.82.7"), "host/ci-7/pip-freeze.txt", 4, "line 4, says that litellm 1.82.7 was installed"),
        (
            ("container:registry.example/team/api", "1.82.7"),
            "container/registry.example/team/api@sha256-0f3/sbom.cdx.json", None, "component 4, says that",
        ),
        (("repository:org/app", "1.82.7"), "repository/org/app/requirements.txt", 11, "got it, and 1 more file"),
        (("repository:org/tool", "1.82.7"), "repository/org/tool/poetry.lock", 21, "names litellm 1.82.7: who"),
        (
            ("repository:org/lib", "1.82.7 or 1.82.8"), "repository/org/lib/requirements.in", 2,
            "admits litellm 1.82.7 or 1.82.8 by `<2,>=1.80`",
        ),
        (("repository:loose", "1.82.7"), "loose/env.cdx.xml", 163, "nothing says whose file it is (put it under"),
    ],
)  # fmt: skip
def test_a_hit_says_on_what_it_rests(findings, place, path, line, why):
    one = hit(findings, *place)
    assert (one.path, one.line) == (path, line)
    assert one.why.startswith(path)
    assert why in one.why


def test_two_files_of_one_site_are_one_hit_by_the_surer():
    [one] = match(
        [LITELLM],
        [
            *evidence.walk([("host/a/requirements.txt", _stream("litellm==1.82.7"))]),
            *evidence.walk([("hosts/A/freeze", _stream("litellm==1.82.7"))]),
            *evidence.walk([("host/a/x/requirements.txt", _stream("litellm"))]),
        ],
    ).hits
    assert (one.sureness, one.path) == (Sureness.INSTALLED, "hosts/A/freeze")


def test_a_range_is_no_news_where_a_version_is_known():
    text = "litellm>=1.0\nlitellm==1.82.8\n"
    assert told(found("repository/o/a/requirements.txt", text)) == [("repository:o/a", "litellm", "1.82.8", "locked")]


def test_what_was_withdrawn_is_not_looked_for_and_said_so():
    affected = [{"package": {"ecosystem": "PyPI", "name": "a"}, "versions": ["1"]}]
    text = json.dumps({"id": "W", "withdrawn": "2026-01-01T00:00:00Z", "affected": affected})
    findings = found("freeze.txt", "a==1", *read("w", _stream(text)))
    assert findings.hits == ()
    assert findings.notes == ("W was withdrawn and is not looked for",)


def test_a_file_that_cannot_be_opened_or_breaks_off_is_named():
    class Broken:
        def read(self, _size: int = -1) -> bytes:
            raise OSError(5, "Input/output error")

    findings = match(
        [LITELLM], evidence.walk([("a/freeze.txt", Broken()), ("b/freeze.txt", _stream("litellm==1.82.7"))])
    )
    assert findings.unread == (Unread("a/freeze.txt", "it cannot be read (Input/output error)"),)
    assert len(findings.hits) == 1


def _stream(text: str):
    return io.BytesIO(text.encode())
