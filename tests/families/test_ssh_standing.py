"""How an account's standing to a file is judged where no real host of ours stands so: what is unclear is left open."""

from __future__ import annotations

import asyncssh
import pytest

from rotator.families.ssh_standing import judged

WELL = {
    "folder": "yes",
    "enter": "yes",
    "write": "yes",
    "uid": "1000",
    "shell": "/usr/bin/dash",
    "folder_flags": "--------------e------- /k",
    "file_flags": "--------------e------- /k/keys",
}
MINE = asyncssh.SFTPAttrs(uid=1000, permissions=0o40700)
ROOTS = asyncssh.SFTPAttrs(uid=0, permissions=0o40755)
SHARED = asyncssh.SFTPAttrs(uid=0, permissions=0o40770)
STICKY = asyncssh.SFTPAttrs(uid=1001, permissions=0o41777)
FILE = asyncssh.SFTPAttrs(uid=1000, permissions=0o100600)
ANOTHERS = asyncssh.SFTPAttrs(uid=1001, permissions=0o100644)


def granted(at, standing=FILE, **changed):
    return judged("/k", at, standing, {**WELL, **changed})[0]


def test_a_folder_of_ones_own_is_enough():
    assert granted(MINE)
    assert judged("/k", MINE, None, {name: told for name, told in WELL.items() if name != "file_flags"}) == (True, "")


def test_a_shell_that_sees_other_files_than_sftp_tells_nothing():
    assert granted(MINE, folder="no") is None


@pytest.mark.parametrize("said", [{}, {"end": "yes"}, {**WELL, "uid": ""}])
def test_a_shell_that_does_not_carry_out_the_question_tells_nothing(said):
    assert judged("/k", MINE, FILE, said)[0] is None


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("lsattr: Operation not supported While reading flags on /k/keys", True),
        ("lsattr: Inappropriate ioctl for device While reading flags on /k/keys", True),
        ("sh: 1: lsattr: not found", None),
        ("lsattr: Permission denied While reading flags on /k/keys", None),
        ("", None),
        ("-----a--------e------- /k/keys", False),
        ("----i--------- /k/keys", False),
    ],
)
def test_a_lock_that_no_mode_shows_is_known_or_left_open(told, expected):
    assert granted(MINE, file_flags=told) is expected


def test_in_a_sticky_folder_only_owners_replace_and_of_root_nobody_can_tell():
    assert granted(STICKY, FILE)
    assert granted(STICKY, ANOTHERS) is False
    assert granted(STICKY, FILE, uid="0") is None
    assert granted(STICKY, None)


def test_busybox_is_believed_of_an_owner_alone():
    assert granted(MINE, shell="/bin/busybox")
    assert granted(ROOTS, uid="0", shell="/bin/busybox")
    assert granted(SHARED, shell="/bin/busybox") is None
    assert granted(SHARED)
