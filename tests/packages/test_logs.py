"""What an installer's line says, and what a log says of its job."""

from __future__ import annotations

import pytest

from rotator.packages.advisory import spec
from tests.packages.world import found

BAD = [spec("litellm==1.82.7"), spec("npm:chalk==5.6.1"), spec("npm:@s/a==1.0.0"), spec("github:o/act==v1")]
AT = "2026-03-24T10:47:00.1234567Z "


@pytest.mark.parametrize(
    ("line", "sure", "came"),
    [
        ("Successfully installed idna-3.20 litellm-1.82.7", "installed", True),
        ("#12 3.456 Successfully installed litellm-1.82.7", "installed", True),
        ("\x1b[32mSuccessfully installed litellm-1.82.7\x1b[0m", "installed", True),
        ("      Successfully uninstalled litellm-1.82.7", "installed", False),
        ("    Found existing installation: litellm 1.82.7", "installed", False),
        ("Requirement already satisfied: litellm in /usr/lib/python3 (from a) (1.82.7)", "installed", False),
        (" + litellm==1.82.7", "installed", True),
        (" + litellm==1.82.7 (from file:///w/litellm-1.82.7-py3-none-any.whl)", "installed", True),
        (" ~ litellm==1.82.7", "installed", True),
        ("  - Installing litellm (1.82.7)", "installed", True),
        ("  • Installing litellm (1.82.7 wheels/litellm-1.82.7-py3-none-any.whl)", "installed", True),
        ("  - Updating litellm (1.82.6 -> 1.82.7)", "installed", True),
        ("  - Updating litellm (1.82.7 /w/a.whl -> 1.82.8 /w/b.whl)", "installed", False),
        ("  Downloading litellm-1.82.7-py3-none-any.whl (14.8 MB)", "fetched", True),
        ("Using cached litellm-1.82.7.tar.gz (2 MB)", "fetched", True),
        ("Processing ./dist/litellm-1.82.7-py2.py3-none-any.whl", "fetched", True),
        ("Downloading https://files.example/aa/litellm-1.82.7-py3-none-any.whl (1 MB)", "fetched", True),
        ("  Downloading litellm-1.82.7-py3-none-any.whl.metadata (38 kB)", "allowed", True),
        ("Collecting litellm==1.82.7 (from -r requirements.txt (line 3))", "locked", True),
        ("Collecting litellm==1.82.7", "locked", True),
        ("##[group]Run pip install 'litellm[proxy]==1.82.7' idna", "locked", True),
        ("+ uv pip install --system litellm==1.82.7", "locked", True),
        ("litellm==1.82.7", "locked", False),
        ("├── chalk@5.6.1", "installed", False),
        ("│ └─┬ chalk@5.6.1 deduped", "installed", False),
        ("+ chalk@5.6.1", "installed", True),
        ("+ chalk 5.6.1 (6.0.1 is available)", "installed", True),
        ("+ @s/a@1.0.0", "installed", True),
        ("npm http fetch GET 200 https://npm.example/chalk/-/chalk-5.6.1.tgz 95ms (cache miss)", "fetched", True),
        ("npm http fetch GET 200 https://npm.example/@s/a/-/a-1.0.0.tgz 95ms (cache miss)", "fetched", True),
        ("npm warn deprecated chalk@5.6.1: do not use", "fetched", True),
        ("$ npm install --no-save chalk@5.6.1", "locked", True),
        ("Download action repository 'o/act@v1' (SHA:0e58ed8671d6b60d0890c21b07f8835ace038e67)", "installed", True),
        ("Download action repository 'o/act/sub@v1' (SHA:0e58ed8671d6b60d0890c21b07f8835ace038e67)", "installed", True),
    ],
)
def test_a_line_says_what_came_and_how_surely(line, sure, came):
    [hit] = found("job/o/a/b/1.log", AT + line + "\n" + AT.replace(":00.", ":09.") + "bye", *BAD).hits
    assert (hit.sureness, hit.line) == (sure, 1)
    assert (hit.since is not None) is came
    assert hit.until.second == 9


@pytest.mark.parametrize(
    "line",
    [
        "Successfully installed litellm-1.82.70 my-litellm-1.82.7",
        "Collecting litellm>=1.80 (from -r requirements.txt (line 1))",
        "ERROR: No matching distribution found for litellm==1.82.7",
        "ERROR: Could not find a version that satisfies the requirement litellm==1.82.7 (from versions: 1.82.6)",
        "Downloading litellm_proxy-1.82.7-py3-none-any.whl (1 MB)",
        "Successfully built litellm",
        "added 2 packages in 3s",
        "Would install chalk",
        "user@5.6.1 chalk",
    ],
)
def test_a_line_that_does_not_say_so_is_no_hit(line):
    assert found("job/o/a/b/1.log", line, *BAD).hits == ()


def test_gitlabs_times_are_read_too():
    [hit] = found(
        "job/o/a/b/1.log", "2026-03-24T10:47:12.123456Z 00O Successfully installed litellm-1.82.7\n", *BAD
    ).hits
    assert hit.since.isoformat() == "2026-03-24T10:47:12.123456+00:00"


def test_a_log_without_times_has_no_window():
    [hit] = found("job/o/a/b/1.log", "Successfully installed litellm-1.82.7\n", *BAD).hits
    assert (hit.since, hit.until) == (None, None)


def test_what_was_there_before_it_was_installed_came_earlier():
    text = (
        f"{AT}Requirement already satisfied: litellm in /usr (1.82.7)\n{AT.replace(':00.', ':05.')} + litellm==1.82.7\n"
    )
    [hit] = found("job/o/a/b/1.log", text, *BAD).hits
    assert hit.since is None


HEADER = """{at}Current runner version: '2.331.0'
{at}Runner name: '{runner}'
{at}Machine name: '{machine}'
{at}Complete job name: {job}
{at}Syncing repository: Org/App
{at}Successfully installed litellm-1.82.7
"""


def test_a_log_names_its_job_and_a_machine_of_ones_own():
    text = HEADER.format(at=AT, runner="ci-9-a", machine="CI-9", job="Build (3.11, linux)")
    assert [str(hit.site) for hit in found("log.txt", text, *BAD).hits] == [
        "host:ci-9",
        "job:org/app/build-(3.11,-linux)",
    ]


def test_a_hosted_runner_is_nobodys_host():
    text = HEADER.format(at=AT, runner="GitHub Actions 3", machine="fv-az1", job="build")
    assert [str(hit.site) for hit in found("log.txt", text, *BAD).hits] == ["job:org/app/build"]


def test_the_clients_download_names_the_job_before_each_line():
    text = f"build\tSet up job\t\ufeff{AT}Syncing repository: org/app\nbuild\tRun\t{AT} + litellm==1.82.7\n"
    assert [str(hit.site) for hit in found("log.txt", text, *BAD).hits] == ["job:org/app/build"]
