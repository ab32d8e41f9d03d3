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
    """It lists the same where node_modules was never made: nothing is said to be installed, as `add` says it."""
    tree = "├─ ansi-styles@4.3.0\n├─ chalk@5.6.1\n│  └─ ansi-styles@^4.1.0\n└─ yallist@4.0.0\n"
    text = f"yarn list v1.22.22\n{tree}Done in 0.05s.\n"
    assert sureness("host/a/list.txt", text) == ["locked"]
    assert found("host/a/list.txt", text).components == 3
    added = f"yarn add v1.22.22\n[4/4] Building fresh packages...\nsuccess Saved 3 new dependencies.\n{tree}"
    for log in (added, text + added):
        assert sureness("job/org/web/test.log", log) == ["installed"]


# Written by pnpm 10.34, Yarn 1.22 and Yarn 4.18; only chalk's number was put in by hand, and pnpm's root.
PNPM_LS = """\
Legend: production dependency, optional only, dev only

web@1.0.0 /srv/web (PRIVATE)
│
│   dependencies:
├─┬ boxen@7.0.0
│ └── chalk@5.6.1
├── left@npm:left-pad@1.3.0
│
│   devDependencies:
├── @types/node@20.1.0
└── supports-color@7.2.0 [deduped]

5 packages
"""
PNPM_LONG = """\
Legend: production dependency, optional only, dev only

web@1.0.0 /srv/web (PRIVATE)
│
│   dependencies:
└── chalk@5.6.1
    Terminal string styling done right
    git+https://git.example/chalk.git
    https://git.example/chalk#readme
    /srv/web/node_modules/.pnpm/chalk@5.6.1/node_modules/chalk
"""
PNPM_PATHS = """\
/srv/web
/srv/web/node_modules/.pnpm/@types+node@20.1.0/node_modules/@types/node
/srv/web/node_modules/.pnpm/chalk@5.6.1/node_modules/chalk
"""
PNPM_WHY = """\
chalk@5.6.1
└─┬ boxen@7.0.0
  └── web@1.0.0 (dependencies)

Found 1 version of chalk
"""
PNPM_INSTALL = """\
Lockfile is up to date, resolution step is skipped
Progress: resolved 1, reused 0, downloaded 0, added 0
Packages: +8
++++++++
Progress: resolved 8, reused 8, downloaded 0, added 8, done

dependencies:
+ chalk 5.6.1
+ left <- left-pad 1.3.0

Done in 830ms using pnpm v10.34.9
"""
PNPM_PROGRESS = (
    '{"time":1795395994460,"hostname":"vm","pid":1,"level":"debug","name":"pnpm:scope","selected":1}\n'
    '{"time":1795395994520,"hostname":"vm","pid":1,"level":"debug","name":"pnpm:progress",'
    '"packageId":"chalk@5.6.1","requester":"/srv/web","status":"resolved"}\n'
)
YARN_WHY = """\
yarn why v1.22.22
[1/4] Why do we have the module "chalk"...?
[2/4] Initialising dependency graph...
[3/4] Finding dependency...
[4/4] Calculating file sizes...
info \r=> Found "chalk@5.6.1"
info Has been hoisted to "chalk"
Done in 0.06s.
"""
YARN_4_WHY = "└─ boxen@npm:7.0.0\n   └─ chalk@npm:5.6.1 (via npm:^5.4.1)\n"
YARN_4_INFO = "├─ boxen@npm:7.0.0\n│  └─ Dependencies\n│     └─ chalk@npm:^5.4.1 → npm:5.6.1\n"
YARN_4_INFO_JSON = '{"value":"boxen@npm:7.0.0","children":{"Dependencies":[{"locator":"chalk@npm:5.6.1"}]}}\n'
YARN_4_INSTALL = """\
➤ YN0000: · Yarn 4.18.1
➤ YN0000: ┌ Resolution step
➤ YN0085: │ + @types/node@npm:20.1.0, chalk@npm:5.6.1, left-pad@npm:1.3.0, and 2 more.
➤ YN0000: └ Completed in 0s 399ms
"""
NODE_TEXTS = [
    (PNPM_LS, ["installed"]),
    (PNPM_LONG, ["installed"]),
    (PNPM_PATHS, ["locked"]),
    (PNPM_WHY, ["locked"]),
    (PNPM_INSTALL, ["installed"]),
    (PNPM_PROGRESS, ["locked"]),
    (YARN_WHY, ["locked"]),
    (YARN_WHY.replace('"chalk@', '"boxen#chalk@'), ["locked"]),
    (YARN_4_WHY, ["locked"]),
    (YARN_4_INFO, ["locked"]),
    (YARN_4_INFO_JSON, ["locked"]),
    (YARN_4_INSTALL, ["locked"]),
]


@pytest.mark.parametrize(("text", "sure"), NODE_TEXTS)
def test_what_pnpm_and_yarn_say_as_text_is_known_by_what_is_in_it(text, sure):
    assert sureness("host/a/kept.txt", text) == sure
    assert sureness("host/a/kept.txt", text.replace("5.6.1", "5.6.2")) == []


@pytest.mark.parametrize("prefix", TIMES.values())
@pytest.mark.parametrize(("text", "sure"), NODE_TEXTS)
def test_and_behind_the_times_of_a_ci_system(prefix, text, sure):
    assert sureness("job/org/web/test.txt", "".join(f"{prefix}{line}\n" for line in text.splitlines() if line)) == sure


@pytest.mark.parametrize("text", [PNPM_LS, PNPM_LONG, PNPM_PATHS, PNPM_WHY])
def test_in_a_repository_nothing_runs_so_a_list_there_says_what_would_be(text):
    assert sureness("repository/org/web/pnpm-ls.txt", text) == ["locked"]


def test_a_list_that_names_nothing_is_named():
    [unread] = found("host/a/ls.txt", "Legend: production dependency, optional only, dev only\n\nnothing\n").unread
    assert "it lists no package that could be read" in unread.why


# As conda's and micromamba's documentation show them: neither could be run here.
CONDA_INSTALL = """\
Collecting package metadata (current_repodata.json): ...working... done
Solving environment: ...working... done

## Package Plan ##

  environment location: /opt/conda

  added / updated specs:
    - litellm

The following packages will be downloaded:

    package                    |            build
    ---------------------------|-----------------
    litellm-1.82.7             |     pyhd8ed1ab_0         5.0 MB  conda-forge

The following NEW packages will be INSTALLED:

  litellm            conda-forge/noarch::litellm-1.82.7-pyhd8ed1ab_0

Downloading and Extracting Packages
litellm-1.82.7       | 5.0 MB    | ########## | 100%
"""


@pytest.mark.parametrize("prefix", ["", *TIMES.values(), "#12 3.456 "])
@pytest.mark.parametrize(
    "text",
    [
        CONDA_INSTALL,
        "The following packages will be UPDATED:\n\n  litellm  c::litellm-1.82.7-h1_0 --> c::litellm-1.83.0-h1_0\n",
        "## Package Plan ##\n  litellm  conda-forge::litellm-1.82.6-h1 --> conda-forge/noarch::litellm-1.82.7-h1\n",
        "## Package Plan ##\nLinking litellm-1.82.7-pyhd8ed1ab_0\n",
    ],
)
def test_what_conda_installs_may_be_the_package_of_that_name(prefix, text):
    kept = "".join(f"{prefix}{line}\n" for line in text.splitlines() if line)
    assert sureness("job/org/model/build.txt", kept) == ["allowed"]
    assert sureness("job/org/model/build.txt", kept.replace("1.82.7", "1.82.5")) == []
    assert sureness("job/org/model/build.txt", kept.replace("litellm-", "litellm-proxy-")) == []


@pytest.mark.parametrize(
    "prefix",
    ["INFO:builder:", "svc/build> ", "<14>1 - app: ", "{7} stdout F ", "E2026 build-9 7f:", "2026/03/24 step=2 "],
)
def test_pips_table_behind_what_nobody_here_knows_is_named_and_no_more(prefix):
    text = "".join(f"{prefix}{line}\n" for line in TABLE.splitlines())
    findings = found("job/org/app/build.log", f"{prefix}$ pip list\n{text}{prefix}litellm 1.82.8\n")
    assert told(findings) == [("job:org/app/build", "litellm", "1.82.7", "locked")]
    assert findings.components == 3


@pytest.mark.parametrize(
    "text",
    [
        "x: Package Version\nx: litellm 1.82.7\n",
        "x: The Package Version\nx: --- --- of\nx: litellm 1.82.7\n",
        "x: Package Version\nx: ------- -------\nx: litellm one\nx: litellm 1.82.7\n",
    ],
)
def test_what_is_no_table_of_pips_names_nothing(text):
    assert told(found("job/org/app/build.log", text)) == []


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
