"""What `sha256sum` and BagIt write is read; what is no such line is refused with its number."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.errors import BadInput
from rotator.manifests import listed
from rotator.manifests.entry import Entry, Kind, encoded

SOME = hashlib.sha256(b"some").hexdigest()


def read(text: bytes):
    return list(listed.read(io.BytesIO(text), "standard input"))


def test_lines_of_sha256sum_and_of_bagit_are_read():
    text = f"{SOME}  a b.txt\n{SOME.upper()} *./c\n\\{SOME}  two\\nlines\\\\\n{SOME}  data/100%25%0Afull\r\n".encode()
    paths = [b"a b.txt", b"c", b"two\nlines\\", b"data/100%\nfull"]
    assert read(text) == [Entry(encoded(each), Kind.FILE, None, SOME) for each in paths]


def test_what_the_real_program_writes_is_read(tmp_path):
    names = [b"plain", b"two\nlines", b"back\\slash", b"\xff\xfe", b" lead", "Käse".encode()]
    for each in names:
        (tmp_path / each.decode("utf-8", "surrogateescape")).write_bytes(each)
    program = shutil.which("sha256sum")
    assert program is not None
    told = subprocess.run([program, "--", *names], cwd=tmp_path, capture_output=True, check=True).stdout
    assert read(told) == [Entry(encoded(each), Kind.FILE, None, hashlib.sha256(each).hexdigest()) for each in names]


@given(
    st.lists(
        st.binary(min_size=1, max_size=12).filter(lambda each: b"%" not in each and not each.startswith(b"./")),
        unique=True,
    )
)
def test_names_as_sha256sum_escapes_them_come_back(names):
    lines = []
    for name in names:
        escaped = name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
        lines.append((b"\\" if escaped != name else b"") + SOME.encode() + b"  " + escaped + b"\n")
    assert [each.path for each in read(b"".join(lines))] == list(map(encoded, names))


@pytest.mark.parametrize(
    "line", [b"", b"hello", SOME[:-1].encode() + b"  a", SOME.encode(), SOME.encode() + b"  ", b"\0" * 70_000]
)
def test_what_is_no_such_line_is_refused_by_its_number(line):
    with pytest.raises(BadInput) as error:
        read(f"{SOME}  a\n".encode() + line + b"\n")
    assert "line 2" in str(error.value)
    assert "sha256sum" in str(error.value)
