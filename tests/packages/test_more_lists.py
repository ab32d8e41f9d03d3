"""What conda, Pipenv, npm, pnpm and Yarn list, in each of the ways they write it; what CI systems put before pip's."""

from __future__ import annotations

import json

import pytest

from rotator.packages.advisory import spec
from tests.packages.world import found, sureness, told

TABLE = """\
Package            Version
------------------ ---------
idna               3.10
litellm            1.82.7
pip                24.0
DONE 0.5s
"""
CONDA = "# packages in environment at /opt/conda:\n#\n# Name  Version  Build  Channel\n"
TIMES = {
    "github": "2026-03-24T10:47:11.2340881Z ",
    "gitlab": "2026-03-24T10:47:11.234088Z 01O ",
    "buildkite": "\x1b_bk;t=1774349231234\x07",
    "buildkite's download": "[2026-03-24T10:47:11.234Z] ",
}


@pytest.mark.parametrize("prefix", [*TIMES.values(), "#12 3.456 ", "2026-03-24T10:47:11.2340881Z #12 3.456 "])
def test_pips_table_is_read_behind_what_a_ci_system_puts_before_it(prefix):
    text = "".join(f"{prefix}{line}\n" for line in TABLE.splitlines())
    findings = found("job/org/app/build.txt", text)
    assert told(findings) == [("job:org/app/build", "litellm", "1.82.7", "installed")]
    assert findings.components == 3


def test_the_time_of_a_line_is_the_jobs():
    for prefix in TIMES.values():
        text = f"{prefix}Collecting idna\n{prefix}Successfully installed litellm-1.82.7\n"
        [hit] = found("job/org/app/build.txt", text).hits
        assert (hit.since.isoformat()[:22], hit.until.isoformat()[:22]) == ("2026-03-24T10:47:11.23",) * 2


@pytest.mark.parametrize(
    "line",
    [
        "# litellm==1.82.7",
        "#   - litellm=1.82.7",
        "pip uninstall --yes litellm==1.82.7",
        "npm uninstall chalk@5.6.1",
        "conda remove litellm=1.82.7",
        "yarn remove chalk@5.6.1",
    ],
)
def test_a_comment_or_the_wish_to_be_rid_of_it_is_no_hit(line):
    for prefix in ("", *TIMES.values(), "#12 3.456 "):
        assert told(found("job/org/app/build.txt", f"{prefix}{line}\n")) == []


@pytest.mark.parametrize(
    ("text", "sure"),
    [
        ("litellm 1.82.7 pypi_0 pypi", ["installed"]),
        ("litellm 1.82.7 pyhd8ed1ab_0 conda-forge", ["allowed"]),
        ("litellm 1.82.7 pyhd8ed1ab_0", ["allowed"]),
        ("litellm-proxy 1.82.7 pypi_0 pypi", []),
        ("# litellm 1.82.7 pypi_0 pypi", []),
        ("litellm 1.82.6 pypi_0 pypi", []),
    ],
)
def test_condas_table_tells_by_its_channel_whose_package_it_is(text, sure):
    assert sureness("host/a/list.txt", f"{CONDA}python 3.11.11 h9e4cc4f_1_cpython conda-forge\n{text}\n") == sure
    log = "".join(f"#12 3.456 {line}\n" for line in f"{CONDA}python 3.11.11 h1 conda-forge\n{text}\nDone.".splitlines())
    assert sureness("job/org/app/build.txt", log) == sure


def test_mambas_table_is_condas():
    heading = 'List of packages in environment: "/opt/conda"\n\n  Name  Version  Build  Channel\n─────\n'
    text = f"{heading}  litellm  1.82.7  pypi_0  pypi\n"
    assert sureness("host/a/list.txt", text) == ["installed"]


@pytest.mark.parametrize(
    ("text", "sure"),
    [
        (
            "# This file may be used to create an environment using:\n# $ conda create\nlitellm=1.82.7=pypi_0",
            ["installed"],
        ),
        ("python=3.11.11=h1\nlitellm=1.82.7=pyhd8ed1ab_0", ["allowed"]),
        (
            "# platform: linux-64\n@EXPLICIT\nhttps://c.example/noarch/litellm-1.82.7-pyhd8ed1ab_0.conda#d41d",
            ["allowed"],
        ),
        ("@EXPLICIT\nhttps://c.example/noarch/litellm-proxy-1.82.7-pyhd8ed1ab_0.tar.bz2", []),
        ('[{"dist_name": "x", "name": "litellm", "version": "1.82.7", "channel": "pypi"}]', ["installed"]),
        ('[{"dist_name": "x", "name": "litellm", "version": "1.82.7", "channel": "conda-forge"}]', ["allowed"]),
    ],
)
def test_conda_lists_in_several_ways(text, sure):
    assert sureness("host/a/conda", text) == sure


@pytest.mark.parametrize(
    ("line", "sure"),
    [
        ("  - litellm=1.82.7=pyhd8ed1ab_0", ["allowed"]),
        ("  - litellm==1.82.7", ["allowed"]),
        ("  - conda-forge::litellm 1.82.7", ["allowed"]),
        ('  - "litellm=1.82"', ["allowed"]),
        ("  - litellm>=1.80,<2", ["allowed"]),
        ("  - litellm", ["allowed"]),
        ("  - litellm=1.81", []),
        ("  - litellm>=1.83", []),
        ("  # - litellm=1.82.7", []),
        ("  - pip:\n    - litellm==1.82.7", ["locked"]),
        ("  - pip:\n    - -r requirements.txt\n    - litellm[proxy]>=1.80\n  - zlib", ["allowed"]),
        ("prefix: /opt/litellm==1.82.7", []),
        ("variables:\n  - litellm==1.82.7", []),
    ],
)
def test_an_environment_is_as_sure_as_it_is_exact(line, sure):
    text = f"name: a\nchannels: [conda-forge]\ndependencies:\n  - python=3.11\n{line}\n".replace(
        "[conda-forge]", "\n  - c"
    )
    assert sureness("repository/o/a/environment.yml", text) == sure


def test_an_environment_in_one_line_is_named():
    [unread] = found("repository/o/a/environment.yml", "channels:\ndependencies:\n  - a\ndependencies: [b]\n").unread
    assert "its dependencies stand in one line" in unread.why


@pytest.mark.parametrize(
    ("group", "entry", "sure"),
    [
        ("default", {"version": "==1.82.7"}, ["locked"]),
        ("docs", {"version": "===1.82.7"}, ["locked"]),
        ("default", {"file": "https://c.example/litellm-1.82.7-py3-none-any.whl"}, ["locked"]),
        ("default", {"git": "https://git.example/litellm", "ref": "0f3"}, ["allowed"]),
        ("default", {"version": "*"}, ["allowed"]),
        ("default", {"version": "==1.82.6"}, []),
        ("_meta", {"version": "==1.82.7"}, []),
    ],
)
def test_pipenvs_lock_has_groups(group, entry, sure):
    lock = {"_meta": {"hash": {}}, "default": {"idna": {"version": "==3.10"}}}
    lock.setdefault(group, {})["litellm"] = entry
    assert sureness("repository/o/a/Pipfile.lock", json.dumps(lock)) == sure


NESTED = {"chalk": {"version": "5.6.1", "resolved": "https://c.example/chalk/-/chalk-5.6.1.tgz"}}


@pytest.mark.parametrize(
    ("listed", "sure"),
    [
        ({"version": "1.0.0", "name": "web", "dependencies": NESTED}, ["installed"]),
        ({"name": "web", "dependencies": {"a": {"version": "1.0.0", "dependencies": NESTED}}}, ["installed"]),
        ({"name": "web", "dependencies": {"alias": NESTED["chalk"]}}, ["installed"]),
        ({"name": "web", "dependencies": {"chalk": {"required": "5.6.1", "missing": True}}}, []),
        ({"name": "web", "dependencies": {"chalk": {"version": "5.6.1", "missing": True}}}, []),
        ([{"path": "/w", "devDependencies": {"paint": {"from": "chalk", "version": "5.6.1"}}}], ["installed"]),
        ([{"path": "/w", "dependencies": {"a": {"version": "link:../a", "dependencies": NESTED}}}], ["installed"]),
        ([{"path": "/a", "dependencies": {}}, {"path": "/b", "unsavedDependencies": NESTED}], ["installed"]),
        ([{"path": "/w", "dependencies": {"chalk-cli": {"from": "chalk-cli", "version": "5.6.1"}}}], []),
    ],
)
def test_npm_and_pnpm_list_trees(listed, sure):
    assert sureness("host/a/ls.json", json.dumps(listed)) == sure
    assert sureness("host/a/ls.json", json.dumps(listed, indent=2)) == sure


@pytest.mark.parametrize(
    ("trees", "sure"),
    [
        ([{"name": "chalk@5.6.1", "children": []}], ["locked"]),
        ([{"name": "a@1.0.0", "children": [{"name": "chalk@5.6.1", "children": []}]}], ["locked"]),
        ([{"name": "a@1.0.0", "children": [{"name": "chalk@5.6.1", "shadow": True}]}], []),
        ([{"name": "a@1.0.0", "children": [{"name": "chalk@^5.6.1"}]}], []),
    ],
)
def test_yarn_lists_trees(trees, sure):
    lines = [{"type": "info", "data": "x"}, {"type": "tree", "data": {"type": "list", "trees": trees}}]
    for order in (lines, lines[1:]):
        assert sureness("host/a/list.json", "".join(json.dumps(each) + "\n" for each in order)) == sure


def test_yarn_lists_as_text_too():
    tree = "├─ ansi-styles@4.3.0\n├─ chalk@5.6.1\n│  └─ ansi-styles@^4.1.0\n└─ yallist@4.0.0\n"
    text = f"yarn list v1.22.22\n{tree}Done in 0.05s.\n"
    assert sureness("host/a/list.txt", text) == ["installed"]
    assert found("host/a/list.txt", text).components == 3


def test_what_a_project_asks_for_is_not_taken_for_what_it_has():
    [unread] = found(
        "host/a/package.json", '{"name": "w", "version": "1.0.0", "dependencies": {"chalk": "5.6.1"}}'
    ).unread
    assert "it says what a project asks for" in unread.why
    scripts = '{"name": "w", "scripts": {}, "dependencies": {"chalk": "5.6.1"}}'
    assert found("host/a/package.json", scripts).hits == ()


def test_another_version_of_a_channels_package_is_none():
    assert sureness("host/a/list.txt", f"{CONDA}chalk 5.6.1 h1 c\n", spec("npm:chalk==5.6.2")) == []


@pytest.mark.parametrize(
    "each",
    [
        {"version": "5.6.1", "from": "chalk@^5.6.0"},
        {"version": "5.6.1", "from": "chalk@^5.6.0", "resolved": "https://npm.example/download/chalk/5.6.1/abc"},
        {"version": "5.6.1", "from": "chalk"},
    ],
)
def test_what_npm_says_was_asked_for_is_no_part_of_a_name(each):
    listed = json.dumps({"name": "app", "version": "1.0.0", "dependencies": {"chalk": each}})
    assert [one[1:] for one in told(found("host/a/npm-ls.json", listed))] == [("chalk", "5.6.1", "installed")]


def test_an_older_conda_names_what_pip_put_there():
    assert sureness("host/a/list.txt", f"{CONDA}litellm 1.82.7 <pip>\n") == ["installed"]


def test_pips_list_may_stand_in_one_line_of_an_environment():
    asked = "name: x\nchannels: [defaults]\ndependencies:\n  - pip: [pandas, 'litellm==1.82.7']\n"
    assert sureness("repository/a/b/environment.yml", asked) == ["locked"]
