"""Logs that pass through other programs, and what installers print in several lines; and what only looks like it."""

from __future__ import annotations

import pytest

from rotator.packages.advisory import spec
from tests.packages.world import found

BAD = [spec("litellm==1.82.7"), spec("npm:chalk==5.6.1"), spec("npm:@s/a==1.0.0")]
LOG = "job/o/a/b/1.log"
TABLE = "$ pip list\nPackage    Version Editable project location\n---------- ------- -----\n"
SHOWN = "Name: litellm\nVersion: 1.82.7\nSummary: x\n"


def sure(text: str) -> list[str]:
    return [str(hit.sureness) for hit in found(LOG, text, *BAD).hits]


@pytest.mark.parametrize(
    "prefix",
    [
        "12:34:56 ",
        "[12:34:56] ",
        "web-1  | ",
        "\x1b[36mweb-1  | \x1b[0m",
        "[2026-03-24T10:47:00.123Z] ",
        "[2026-03-24T10:47:00] ",
        "2026-03-24 10:47:00,123 ",
        "web-1  | 2026-03-24T10:47:00.1Z ",
        "[INFO] ",
        "[pod/api-7/app] ",
        "Mar  4 10:47:00 ci-9 runner[71]: ",
    ],
)
@pytest.mark.parametrize(
    "line",
    [
        " + litellm==1.82.7",
        "  - Installing litellm (1.82.7)",
        "+ chalk 5.6.1",
        "├── chalk@5.6.1",
        TABLE + "litellm 1.82.7",
    ],
)
def test_what_stands_before_a_line_hides_nothing(prefix, line):
    assert sure("\n".join(prefix + each for each in line.split("\n"))) == ["installed"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TABLE + "idna 3.20\nlitellm 1.82.7 /w", ["installed"]),
        (TABLE + "idna 3.20\nDone.\nlitellm 1.82.7", []),
        (SHOWN, ["locked"]),
        (SHOWN + "Location: /usr/lib/python3/dist-packages\n", ["installed"]),
        ("├── litellm v1.82.7 (*)", ["locked"]),
        ("│   └── litellm[proxy] v1.82.7 (extra: a)", ["locked"]),
        ("litellm v1.82.7\n└── idna v3.20", ["locked"]),
        ("├── litellm [required: >=1.80, installed: 1.82.7]", ["installed"]),
        ("  - litellm [required: Any, installed: 1.82.7]", ["installed"]),
        ("├── mine@npm:chalk@5.6.1", ["installed"]),
        ("+ mine <- chalk 5.6.1", ["installed"]),
        ("Uninstalled 1 package in 39ms\nInstalled 1 package in 1ms\n - litellm==1.82.7\n + x==1", ["installed"]),
        ("Would uninstall 1 package\n - litellm==1.82.7", ["installed"]),
        ("12 http fetch GET 200 https://npm.example/@s%2fa/-/a-1.0.0.tgz 95ms", ["fetched"]),
        ("Successfully installed " + "a-1.0.0 " * 9000 + "litellm-1.82.7", ["installed"]),
        ("  - Installing litellm (1.82.7): Skipped for the following reason: Already installed", ["installed"]),
    ],
)
def test_what_installers_list(text, said):
    assert sure(text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("$ cat environment.yml\n  - pip:\n    - litellm==1.82.7", ["locked"]),
        (" - litellm==1.82.7", ["locked"]),
        ("Would install 1 package\n + litellm==1.82.7", ["locked"]),
        ("  - Installing litellm (1.82.7): Skipped for the following reason: Not required", ["locked"]),
        ("  - Installing litellm (1.82.7): Failed", ["fetched"]),
        ("tests/golden.txt: Successfully installed litellm-1.82.7", ["locked"]),
        ('level=info msg="Successfully installed litellm-1.82.7"', ["locked"]),
        ('{"log":" + litellm==1.82.7\\n","stream":"stdout"}', ["locked"]),
        ("golden.txt:3: + litellm==1.82.7", ["locked"]),
        ("golden.txt:3:    Downloading litellm-1.82.7-py3-none-any.whl (1 MB)", ["locked"]),
        ('"resolved": "https://npm.example/chalk/-/chalk-5.6.1.tgz"', ["locked"]),
        ("npm http fetch GET 404 https://npm.example/chalk/-/chalk-5.6.1.tgz 100ms", []),
    ],
)
def test_what_only_looks_like_it_is_not_said_to_be_installed(text, said):
    assert sure(text) == said


def test_a_line_found_within_another_says_not_when_it_came():
    at = "2026-03-24T10:47:00Z "
    [hit] = found(LOG, f"{at}golden: Successfully installed litellm-1.82.7", *BAD).hits
    assert hit.since is None


def test_a_log_in_which_no_package_was_found_is_named():
    [unread] = found(LOG, "Done.", *BAD).unread
    assert (unread.path, "no package" in unread.why) == (LOG, True)
    assert found(LOG, "+ chalk 5.6.0", *BAD).unread == ()
