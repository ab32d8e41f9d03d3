"""An archive is read as far as it goes, within bounds, and nothing in it says where anything is written."""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotator.alarm import bundle
from rotator.errors import BadInput

FILES = {
    "access/trail.json": b'{"Records": []}',
    "evidence/host/a/freeze.txt": b"litellm==1.82.7\n",
    "evidence/job/o/r/7.log": b"x" * 100_000,
    "reports/leak.jsonl": b"{}",
}
WHOLE = st.dictionaries(
    st.from_regex(r"(reports|evidence|access|advisories)(/[a-z0-9._-]{1,9}){1,4}", fullmatch=True).filter(
        lambda name: ".." not in name.split("/") and "." not in name.split("/")
    ),
    st.binary(max_size=4000).filter(lambda raw: not raw.startswith(b"\x1f\x8b")),
    max_size=8,
)


def zipped(files, how=zipfile.ZIP_DEFLATED):
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", how) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return raw.getvalue()


def tarred(files, mode="w", **more):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode=mode, **more) as packed:
        for name, content in files.items():
            entry = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(name)
            entry.size = 0 if isinstance(content, tarfile.TarInfo) else len(content)
            packed.addfile(entry, None if isinstance(content, tarfile.TarInfo) else io.BytesIO(content))
    return raw.getvalue()


def read(body):
    found = bundle.opened(body)
    try:
        return {name: stream.read() for folder in bundle.FOLDERS for name, stream in found.files(folder)}
    finally:
        found.close()


def refusal(body):
    with pytest.raises(BadInput) as refused:
        read(body)
    return str(refused.value)


@pytest.mark.parametrize("pack", [zipped, tarred, lambda files: tarred(files, "w:gz")])
@given(files=WHOLE)
def test_what_was_packed_comes_out_whole_and_once(pack, files):
    body = pack(files)
    assert read(body) == files
    assert not files or bundle.is_one(body)


def test_a_folder_is_told_in_order_and_a_file_can_be_read_from_its_beginning_again():
    found = bundle.opened(zipped(FILES))
    assert found.names("evidence") == ["evidence/host/a/freeze.txt", "evidence/job/o/r/7.log"]
    for _, stream in found.files("access"):
        assert stream.read(2) == b'{"'
        stream.seek(0)
        assert stream.read() == FILES["access/trail.json"]
    assert stream.closed
    found.close()


def test_an_access_log_comes_unzipped_and_evidence_as_it_is():
    small = gzip.compress(b"[]")
    assert read(zipped({"access/a.json.gz": small, "evidence/host/a/b.gz": small})) == {
        "access/a.json.gz": b"[]",
        "evidence/host/a/b.gz": small,
    }


@pytest.mark.parametrize(
    "name",
    [
        "../evidence/x",
        "evidence/../../x",
        "/etc/passwd",
        "evidence\\..\\x",
        "evidence/a\nb",
        "evidence",
        "other/x",
        "evidence/" + "a/" * 40 + "x",
        "evidence/" + "a" * 1100,
        "C:/x",
    ],
)
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_a_name_that_leads_elsewhere_is_refused(pack, name):
    said = refusal(pack({name: b"x"}))
    assert "no plain path" in said or "nobody knows what it is" in said
    assert "\n" not in said


def test_a_name_that_looks_like_a_secret_is_not_repeated():
    assert "ghp_" not in refusal(zipped({f"evidence/ghp_{'x9' * 18}\\a": b"x"}))


@pytest.mark.parametrize("kind", [tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.BLKTYPE])
def test_what_is_no_plain_file_is_refused(kind):
    entry = tarfile.TarInfo("evidence/x")
    entry.type, entry.linkname = kind, "/etc/passwd"
    assert "no plain file" in refusal(tarred({"evidence/x": entry}))


def test_links_are_followed_nowhere():
    entry = tarfile.TarInfo("evidence/x")
    entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
    assert read(tarred({"evidence/x": entry, "evidence/host/a/f": b"y"})) == {"evidence/host/a/f": b"y"}
    link = zipfile.ZipInfo("evidence/x")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as packed:
        packed.writestr(link, "/etc/passwd")
    assert read(raw.getvalue()) == {}


@pytest.mark.parametrize("pack", [zipped, lambda files: tarred(files, "w:gz")])
def test_a_bomb_is_put_out_after_the_sixteen_mebibytes_that_are_free(pack, monkeypatch):
    monkeypatch.setattr(bundle, "FREE_BYTES", 1 << 16)
    assert "too much, unpacked" in refusal(pack({"evidence/host/a/x": bytes(10 << 20)}))


def test_a_bomb_in_a_zipped_log_is_one_too(monkeypatch):
    monkeypatch.setattr(bundle, "FREE_BYTES", 1 << 16)
    inner = gzip.compress(bytes(50 << 20))
    for how in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        assert "too much, unpacked" in refusal(zipped({"access/x.gz": inner}, how))
    twice = gzip.compress(inner)
    assert read(zipped({"access/x.gz": twice})) == {"access/x.gz": inner}


def test_who_goes_on_after_too_much_is_told_at_the_end(monkeypatch):
    """Evidence that cannot be read is left out by who reads it: a bomb must not be taken for that."""
    monkeypatch.setattr(bundle, "FREE_BYTES", 1 << 16)
    found = bundle.opened(zipped({"evidence/host/a/x": bytes(10 << 20)}))
    files = found.files("evidence")
    _, stream = next(files)
    with pytest.raises(BadInput):
        stream.read()
    with pytest.raises(BadInput, match="too much, unpacked"):
        next(files)
    found.close()


def test_too_many_files_are_refused_before_each_costs_memory(monkeypatch):
    monkeypatch.setattr(bundle, "MOST_FILES", 3)
    many = {f"evidence/host/a/{number}": b"" for number in range(4)}
    assert "too many files" in refusal(zipped(many))
    assert "too many files" in refusal(tarred(many))
    monkeypatch.setattr(zipfile, "ZipFile", None)
    assert "too many files" in refusal(zipped_before(many | {f"access/{number}": b"" for number in range(4)}))


def zipped_before(files, ZipFile=zipfile.ZipFile):  # noqa: N803 - the class itself
    raw = io.BytesIO()
    with ZipFile(raw, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return raw.getvalue()


def test_a_header_that_is_as_long_as_a_file_is_not_looked_through():
    """To look for its keys in thirty megabytes of digits takes for ever, with the whole process waiting."""
    long = tarred({"evidence/x": b"y"}, format=tarfile.PAX_FORMAT, pax_headers={"comment": "1" * (1 << 20)})
    assert "damaged" in refusal(long)
    assert read(tarred({"evidence/x": b"y"}, format=tarfile.PAX_FORMAT, pax_headers={"comment": "1"})) == {
        "evidence/x": b"y"
    }


@pytest.mark.parametrize("how", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_of_packing_are_refused(how):
    assert "packed or encrypted" in refusal(zipped(FILES, how))
    with pytest.raises(BadInput, match="a form that is not read"):
        bundle.is_one(b"7z\xbc\xaf\x27\x1c")


@pytest.mark.parametrize("pack", [zipped, tarred, lambda files: tarred(files, "w:gz")])
@given(data=st.data())
def test_whatever_is_broken_is_one_clear_line(pack, data):
    body = pack(FILES)
    at = data.draw(st.integers(min_value=0, max_value=len(body) - 1))
    broken = data.draw(st.sampled_from([body[:at], body[:at] + os.urandom(8) + body[at + 8 :]]))
    said = {str(error) for error in tried(broken)}
    assert not any("\n" in each for each in said)


def tried(body):
    """Read what claims to be an archive; yield why it cannot be."""
    try:
        if bundle.is_one(body):
            assert len(read(body)) <= len(FILES)
    except BadInput as error:
        yield error


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_a_tar_that_is_cut_off_is_not_taken_for_a_shorter_one(mode):
    body = tarred({"evidence/host/a/1": b"a", "evidence/host/a/2": b"b"}, mode)
    plain = gzip.decompress(body) if mode == "w:gz" else body
    for length in range(512, 2048, 512):
        cut = plain[:length]
        assert "damaged" in refusal(gzip.compress(cut) if mode == "w:gz" else cut)
    spoiled = plain[:1024] + b"\xff" * 512 + plain[1536:]
    assert "damaged" in refusal(gzip.compress(spoiled) if mode == "w:gz" else spoiled)
