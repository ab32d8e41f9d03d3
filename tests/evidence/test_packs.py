"""A pack holds as it was written; both checks find any byte of it that is changed, and any record that is moved."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rotator.errors import BadInput
from rotator.evidence import pack, signing, verify_evidence
from rotator.evidence.checkpoint import Checkpoint, Following, Grown, make
from rotator.evidence.pack import Pack, write
from rotator.evidence.signing import SigningKey
from rotator.evidence.timestamp import Stamp
from rotator.evidence.verify import verify
from rotator.ledger.evidence import chained

KEY, NEXT, STRANGER = (SigningKey(bytes([number]) * 32) for number in (1, 2, 3))
INCIDENT, BRANCH, OTHER = "I-1", "I-1.1.0.0", "I-2"
ALL = (INCIDENT, BRANCH, OTHER, "service")


class History:
    """Chains that grow, and the checkpoints over them."""

    def __init__(self) -> None:
        self.rows: dict[str, list[str]] = {}
        self.ends: dict[str, Grown] = {}
        self.grown: dict[str, Grown] = {}
        self.checkpoints: list[Checkpoint] = []
        self.key = KEY

    def add(self, chain: str, count: int = 1) -> None:
        end = self.ends.get(chain, Grown(0, ""))
        records = [{"act": "said", "n": end.length + each} for each in range(count)]
        rows, length, head = chained(chain, end.length, end.head, records)
        self.rows.setdefault(chain, []).extend(row["body"] for row in rows)
        self.ends[chain] = self.grown[chain] = Grown(length, head)

    def sign(
        self,
        next_key: SigningKey | None = None,
        stolen_since: float | None = None,
        deleted: Mapping[str, Grown] | None = None,
    ) -> None:
        previous = self.checkpoints[-1] if self.checkpoints else None
        following = None if next_key is None else Following(next_key.public, stolen_since)
        self.checkpoints.append(make(self.key, previous, self.grown, 1.5 + len(self.checkpoints), following, deleted))
        self.grown, self.key = {}, next_key or self.key

    def write(self, path: Path, of: tuple[str, ...] = (), stamps: Iterable[Stamp] = (), made_at: float = 9.0) -> Path:
        mine = tuple(f"{each}." for each in of)
        found = (
            (chain, body)
            for chain, bodies in sorted(self.rows.items())
            if not of or chain in {*of, "service"} or chain.startswith(mine)
            for body in bodies
        )
        write(path, self.key, of, self.checkpoints, found, made_at, stamps)
        return path


def story(*, rotated: bool = False) -> History:
    found = History()
    for chain in ALL:
        found.add(chain, 2)
    found.sign(NEXT if rotated else None)
    found.add(BRANCH, 3)
    found.add("service")
    found.sign()
    found.add(BRANCH)
    found.sign()
    return found


def holds(path: Path, trusted: str = "") -> bool:
    """Ask both checks; they must agree."""
    try:
        ours = not verify(Pack(path), trusted).findings
    except BadInput:
        ours = False
    assert ours == (verify_evidence.checked(path, trusted) == 0)
    return ours


def altered(source: Path, target: Path, name: str, change: Callable[[bytes], bytes]) -> Path:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for each in old.namelist():
            data = old.read(each)
            new.writestr(each, change(data) if each == name else data)
    return target


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", [pack.PACK, pack.CHECKPOINTS, pack.RECORDS])
def test_a_file_that_is_there_twice_is_found_whichever_a_reader_takes(tmp_path: Path, name: str) -> None:
    path = story().write(tmp_path / "pack.zip")
    with zipfile.ZipFile(path, "a") as whole:
        whole.writestr(name, whole.read(name))
    assert not holds(path)


@pytest.mark.parametrize("rotated", [False, True], ids=["one_key", "a_new_key"])
@pytest.mark.parametrize("of", [(), (INCIDENT,), (INCIDENT, OTHER)], ids=len)
def test_what_was_written_holds(tmp_path: Path, of: tuple[str, ...], rotated: bool) -> None:
    path = story(rotated=rotated).write(tmp_path / "pack.zip", of)
    found = verify(Pack(path), KEY.public)
    assert (found.findings, found.checkpoints, found.until) == ([], 3, 3.5)
    assert found.keys == ([KEY.public, NEXT.public] if rotated else [KEY.public])
    assert holds(path)
    assert holds(path, KEY.public)
    assert not holds(path, STRANGER.public)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_byte_that_is_changed_is_found(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "whole.zip"
    if not path.exists():
        story(rotated=True).write(path)
    name = data.draw(st.sampled_from([pack.PACK, pack.CHECKPOINTS, pack.RECORDS]))
    with zipfile.ZipFile(path) as whole:
        size = len(whole.read(name))
    at, by = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, 255))
    found = altered(path, tmp_path / "altered.zip", name, lambda old: old[:at] + bytes([old[at] ^ by]) + old[at + 1 :])
    assert not holds(found)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_line_that_is_taken_out_doubled_or_moved_is_found(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "whole.zip"
    if not path.exists():
        story().write(path)
    name = data.draw(st.sampled_from([pack.CHECKPOINTS, pack.RECORDS]))
    with zipfile.ZipFile(path) as whole:
        lines = whole.read(name).splitlines(keepends=True)
    one, other = data.draw(st.integers(0, len(lines) - 1)), data.draw(st.integers(0, len(lines) - 1))
    changed = list(lines)
    how = data.draw(st.sampled_from(["out", "doubled", "swapped"] if one != other else ["out", "doubled"]))
    if how == "out":
        del changed[one]
    elif how == "doubled":
        changed.insert(other, lines[one])
    else:
        changed[one], changed[other] = lines[other], lines[one]
    found = altered(path, tmp_path / "altered.zip", name, lambda _: b"".join(changed))
    # Chains may stand in any order; records and checkpoints may not.
    if sorted(changed) != sorted(lines) or name == pack.CHECKPOINTS:
        assert not holds(found)
    else:
        assert holds(found) == (_by_chain(changed) == _by_chain(lines) and _stand_together(changed))


def _by_chain(lines: list[bytes]) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for each in lines:
        found.setdefault(json.loads(each)["chain"], []).append(each)
    return found


def _stand_together(lines: list[bytes]) -> bool:
    names = [json.loads(each)["chain"] for each in lines]
    return sum(here != there for here, there in pairwise(names)) == len(set(names)) - 1


def forged(change: Callable[[dict[str, list[str]]], None]) -> History:
    """Return a story whose records somebody who can write the ledger has changed, with all hashes made anew."""
    found = story()
    change(found.rows)
    for chain, bodies in list(found.rows.items()):
        told = [{k: v for k, v in json.loads(body).items() if k not in {"chain", "seq", "previous"}} for body in bodies]
        found.rows[chain] = [row["body"] for row in chained(chain, 0, "", told)[0]]
    return found


@pytest.mark.parametrize(
    ("change", "where", "what"),
    [
        (lambda rows: rows[BRANCH].__setitem__(0, rows[BRANCH][0].replace('"n":0', '"n":7')), f"{BRANCH} 2", "1 to 2"),
        (lambda rows: rows[BRANCH].__setitem__(3, rows[BRANCH][3].replace('"n":3', '"n":7')), f"{BRANCH} 5", "3 to 5"),
        (lambda rows: rows[BRANCH].__setitem__(5, rows[BRANCH][5].replace('"n":5', '"n":7')), f"{BRANCH} 6", "it was"),
        (lambda rows: rows[BRANCH].pop(), f"{BRANCH} 6", "missing"),
        (lambda rows: rows[BRANCH].append('{"act":"said"}'), f"{BRANCH} 7", "invented"),
        (lambda rows: rows.pop(BRANCH), BRANCH, "the whole chain is missing"),
        (lambda rows: rows.update({"I-3": ['{"act":"said"}']}), "I-3", "invented"),
    ],
    ids=["first", "middle", "last", "shortened", "lengthened", "chain_out", "chain_in"],
)
def test_who_writes_the_ledger_and_makes_all_hashes_anew_is_found(
    tmp_path: Path, change: Callable[[dict[str, list[str]]], None], where: str, what: str
) -> None:
    path = forged(change).write(tmp_path / "pack.zip")
    (found,) = verify(Pack(path)).findings
    assert found.where == where
    assert what in found.what
    assert not holds(path)


def test_a_checkpoint_of_a_strangers_key_ends_what_is_believed(tmp_path: Path) -> None:
    found = story()
    found.key = STRANGER
    found.add(INCIDENT)
    found.sign()
    path = found.write(tmp_path / "pack.zip")
    assert verify(Pack(path)).findings[0].where == "checkpoint 4"
    assert not holds(path)


def test_a_name_in_a_strangers_pack_is_shown_on_its_line_and_commands_no_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = story()
    found.add("\x1b[2J\n9 records of 9 chains hold\u202e")
    assert verify_evidence.checked(found.write(tmp_path / "pack.zip")) == 1
    told = capsys.readouterr().out.splitlines()
    assert all(each.isprintable() for each in told)
    assert not [each for each in told if each.startswith("9 records")]


def test_the_auditors_own_copy_is_a_program_of_its_own(tmp_path: Path) -> None:
    path = story().write(tmp_path / "pack.zip")
    with zipfile.ZipFile(path) as whole:
        (tmp_path / pack.VERIFIER).write_bytes(whole.read(pack.VERIFIER))
    command = [sys.executable, "-I", tmp_path / pack.VERIFIER, path, KEY.public]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "13 records of 4 chains hold, under 3 checkpoints" in found.stdout


def test_an_auditor_reads_the_check_whole() -> None:
    text = Path(verify_evidence.__file__).read_text()
    assert len(text.splitlines()) <= 150


def test_a_key_is_not_told() -> None:
    assert "AQEB" not in repr(KEY)
    with pytest.raises(TypeError):
        KEY.__reduce__()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_file_that_is_damaged_is_one_clear_word_or_holds_all_the_same(tmp_path: Path, data: st.DataObject) -> None:
    """Some bytes of a ZIP file, as the time of an entry, say nothing; no other ends with a traceback."""
    path = tmp_path / "whole.zip"
    if not path.exists():
        story(rotated=True).write(path)
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    many = bytes(data.draw(st.lists(st.integers(0, 255), min_size=1, max_size=8)))
    (tmp_path / "damaged.zip").write_bytes(whole[:at] + many + whole[at + len(many) :])
    command_ends_with(tmp_path / "damaged.zip", {0, 1, 2})


@pytest.mark.parametrize(
    "change",
    [
        {"chains": [["I-1"]]},
        {"chains": [["I-1", "2", "ab"]]},
        {"chains": [["I-1", 2.5, "ab"], [{}, 1, ""]]},
        {"chains": {"I-1": 1}},
        {"chains": [["I-1", True, "ab"]]},
        {"at": None},
        {"at": 1e300},
        {"key": ["a"]},
        {"next_key": {}},
        {"deleted": {}},
        {"deleted": [["I-1", "2", "ab"]]},
    ],
    ids=str,
)
def test_a_strangers_pack_of_other_forms_is_one_clear_finding(tmp_path: Path, change: dict[str, Any]) -> None:
    """Whoever makes a pack signs it with a key of his own: what he signed may be anything."""
    found = story()
    body = rfc8785.dumps({**found.checkpoints[0].told, **change}).decode()
    found.checkpoints = [Checkpoint(body, KEY.sign(signing.CHECKPOINT, body))]
    path = found.write(tmp_path / "pack.zip")
    assert verify(Pack(path)).findings[0].where == "checkpoint 1"
    command_ends_with(path, {1, 2})


def command_ends_with(path: Path, codes: set[int]) -> None:
    """Check it by both; neither ends in any way but these, 2 for what is no pack, and what one finds both do."""
    try:
        ours = 1 if verify(Pack(path)).findings else 0
    except BadInput:
        ours = 2
    theirs = verify_evidence.checked(path)
    assert {ours, theirs} <= codes
    assert bool(ours) == bool(theirs)


@pytest.mark.parametrize("line", [b"a" * 100, b"a" * 100 + b"\n"], ids=["endless", "long"])
def test_a_line_that_is_longer_than_any_is_not_read_into_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: bytes
) -> None:
    monkeypatch.setattr(pack, "MOST_LINE", 64)
    path = altered(story().write(tmp_path / "p.zip"), tmp_path / "bomb.zip", pack.RECORDS, lambda _: line)
    with pytest.raises(BadInput, match="longer line"):
        list(Pack(path).records())


def test_evidence_replaces_no_evidence_and_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    path = story().write(tmp_path / "pack.zip")
    before = path.read_bytes()
    with pytest.raises(BadInput, match="a file is there already"):
        story(rotated=True).write(path)
    assert path.read_bytes() == before
    with pytest.raises(BadInput, match="cannot be kept there"):
        story().write(path / "in-a-file.zip")
    with pytest.raises(BadInput, match="cannot be kept there"):
        story().write(tmp_path / "nowhere" / "pack.zip")
    with pytest.raises(BadInput, match="cannot be read"):
        Pack(tmp_path)


def test_whoever_ends_an_export_leaves_nothing_behind(tmp_path: Path) -> None:
    def records() -> Iterator[tuple[str, str]]:
        yield "I-1", story().rows["I-1"][0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "pack.zip", KEY, (), story().checkpoints, records(), 9.0)
    assert list(tmp_path.iterdir()) == []


def expired(*, grows: int = 0, longer: int = 0) -> History:
    """Return a story of which an incident was deleted: `longer` than it was signed, or it `grows` after it."""
    found = story(rotated=True)
    gone = {name: found.ends[name] for name in (INCIDENT, BRANCH)}
    gone[BRANCH] = Grown(gone[BRANCH].length + longer, gone[BRANCH].head)
    found.add("service")
    found.sign(deleted=gone)
    if grows:
        found.add(INCIDENT, grows)
        found.sign()
    found.add(OTHER)
    found.sign()
    for name in gone:
        del found.rows[name]
    return found


@pytest.mark.parametrize("of", [(), (INCIDENT,), (OTHER,)], ids=str)
def test_what_was_deleted_by_policy_is_not_missed_and_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], of: tuple[str, ...]
) -> None:
    path = expired().write(tmp_path / "pack.zip", of)
    found = verify(Pack(path), KEY.public)
    assert found.findings == []
    (gone,) = found.signed.deleted
    assert (gone.checkpoint, set(gone.chains), gone.records) == (4, {INCIDENT, BRANCH}, 8)
    assert verify_evidence.checked(path, KEY.public) == 0
    assert "2 chains with 8 records were deleted by policy, under checkpoint 4 of 1970-01-01" in capsys.readouterr().out


def test_a_pack_from_before_holds_all_the_same(tmp_path: Path) -> None:
    assert holds(story(rotated=True).write(tmp_path / "pack.zip"), KEY.public)


def test_what_was_deleted_and_is_there_is_told(tmp_path: Path) -> None:
    found = expired()
    found.rows[INCIDENT] = story().rows[INCIDENT]
    path = found.write(tmp_path / "pack.zip")
    (finding,) = verify(Pack(path)).findings
    assert (finding.where, finding.what) == (INCIDENT, "it was deleted under checkpoint 4, and is there")
    assert not holds(path)


@pytest.mark.parametrize("how", [{"longer": 1}, {"longer": -1}, {"grows": 1}], ids=str)
def test_what_was_deleted_otherwise_than_it_was_signed_or_grows_since_is_found(
    tmp_path: Path, how: dict[str, int]
) -> None:
    path = expired(**how).write(tmp_path / "pack.zip")
    if "grows" in how:
        assert "grew after it was deleted" in verify(Pack(path)).findings[0].what
    else:
        assert "was never signed as it was then" in verify(Pack(path)).findings[0].what
    assert not holds(path)


def test_nothing_is_deleted_twice_and_nothing_that_never_was(tmp_path: Path) -> None:
    for name, gone in (("twice", {INCIDENT: expired().ends[INCIDENT]}), ("never", {"I-9": Grown(1, "ab")})):
        found = expired()
        found.add("service")
        found.sign(deleted=gone)
        assert not holds(found.write(tmp_path / f"{name}.zip"))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_byte_that_is_changed_after_a_deletion_is_found(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "whole.zip"
    if not path.exists():
        expired().write(path)
    name = data.draw(st.sampled_from([pack.PACK, pack.CHECKPOINTS, pack.RECORDS]))
    with zipfile.ZipFile(path) as whole:
        size = len(whole.read(name))
    at, by = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, 255))
    found = altered(path, tmp_path / "altered.zip", name, lambda old: old[:at] + bytes([old[at] ^ by]) + old[at + 1 :])
    assert not holds(found)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_both_checks_agree_of_every_history_of_growing_signing_and_deleting(
    tmp_path: Path, data: st.DataObject
) -> None:
    """A chain that is written again after it was deleted, or deleted as it never stood, is all that is wrong."""
    found, deleted, wrong = History(), set[str](), False
    for _ in range(data.draw(st.integers(1, 6))):
        grown = data.draw(st.lists(st.sampled_from(ALL), unique=True))
        for chain in grown:
            found.add(chain)
        wrong |= bool(deleted & set(grown))
        gone = data.draw(st.lists(st.sampled_from(sorted(set(found.ends) - {"service"} | {OTHER})), unique=True))
        # As it is signed by the checkpoint before; what has just grown is not.
        wrong |= bool(set(gone) & (deleted | set(grown) | (set(ALL) - set(found.ends))))
        found.sign(deleted={each: found.ends.get(each, Grown(1, "ab")) for each in gone})
        deleted |= set(gone)
    there = data.draw(st.sets(st.sampled_from(sorted(deleted)))) if deleted else set[str]()
    for each in deleted - there:
        found.rows.pop(each, None)
    wrong |= any(each in found.rows for each in there)
    (tmp_path / "pack.zip").unlink(missing_ok=True)
    assert holds(found.write(tmp_path / "pack.zip")) is not wrong
