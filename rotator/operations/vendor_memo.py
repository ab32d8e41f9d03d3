"""Decision memos as files, of one vendor or of all that a notice touches: at the command line and over HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rotator import clock
from rotator.alarm.looking_up import is_id
from rotator.alarm.vendor_notice import BREACHED, Given, told
from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.vendor_notice import Notice
from rotator.operations.view import FileOf
from rotator.packages.advisory import Advisory
from rotator.report import vendors_memo_forms
from rotator.report.vendor_memo_forms import MEDIA_TYPES, MemoForm, written
from rotator.shown import vendor_memo, vendors_memo


def file(parts: Rotator, by: str, form: MemoForm, asked: Mapping[str, str]) -> Iterator[bytes]:
    """Return a memo as a file. Raises BadInput for what cannot be had, and where PDF cannot be made here."""
    return written(made(parts, by, asked), form)


def made(parts: Rotator, by: str, asked: Mapping[str, str]) -> dict[str, Any]:
    """Return the memo of the vendor `name` as data; `advisories` and `breached` are names with commas between.

    With neither, and no `notice`, it tells what is known of the vendor. Raises BadInput for what cannot be had.
    """
    return made_of(parts, by, asked["name"], _asked(asked))


def made_of(parts: Rotator, by: str, name: str, given: Given) -> dict[str, Any]:
    """Return the memo of a vendor for what was given; records of advisories too, which no query holds.

    Where nothing was given it is for what the vendor is, or was last, paused for.
    """
    notice, advisories = _paused_for(parts, name) if given.is_empty else told(parts, given, by)
    return vendor_memo.memo(parts, name, notice, advisories, clock.now(), by)


def file_of_all(parts: Rotator, by: str, form: MemoForm, asked: Mapping[str, str]) -> Iterator[bytes]:
    """Return the memo of all vendors that a notice touches as a file. Raises BadInput where none was given."""
    return vendors_memo_forms.written(made_of_all(parts, by, _asked(asked)), form)


def made_of_all(parts: Rotator, by: str, given: Given) -> dict[str, Any]:
    """Return the memo of all vendors that a notice touches as data. Raises BadInput where none was given."""
    notice, advisories = told(parts, given, by)
    return vendors_memo.memo(parts, notice, advisories, clock.now(), by)


def _asked(asked: Mapping[str, str]) -> Given:
    return Given(_names(asked, "advisories"), {}, _names(asked, "breached"), asked.get("notice", ""))


def _paused_for(parts: Rotator, name: str) -> tuple[Notice, Sequence[Advisory]]:
    """Return the notice for which a vendor was paused last, as far as it can be had now; none where it never was."""
    pause = next(iter(parts.pauses.every(name)), None)
    if pause is None or not pause.notices:
        return vendor_memo.NO_NOTICE, ()
    breached = [each.removeprefix(BREACHED) for each in pause.notices if each.startswith(BREACHED)]
    try:
        return told(parts, Given([each for each in pause.notices if is_id(each)], {}, breached))
    except BadInput as gone:
        note = f"what it was paused for cannot be had now: {gone.what}"
        title = f"It was paused for {', '.join(pause.notices)}"
        return Notice(pause.notices[0], title, frozenset(pause.notices), notes=(note,)), ()


def _names(asked: Mapping[str, str], key: str) -> list[str]:
    return [each.strip() for each in asked.get(key, "").split(",") if each.strip()]


MEMO = FileOf("/vendors/{name}/memo.{form}", file, MEDIA_TYPES)
OF_ALL = FileOf("/vendor-memo.{form}", file_of_all, MEDIA_TYPES)
