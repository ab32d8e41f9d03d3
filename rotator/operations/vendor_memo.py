"""The decision memo of one vendor as a file: the same at the command line and over HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rotator import clock
from rotator.alarm.vendor_notice import Given, told
from rotator.bootstrap import Rotator
from rotator.operations.views import FileOf
from rotator.report.vendor_memo_forms import MEDIA_TYPES, MemoForm, written
from rotator.shown import vendor_memo


def file(parts: Rotator, by: str, form: MemoForm, asked: Mapping[str, str]) -> Iterator[bytes]:
    """Return a memo as a file. Raises BadInput for what cannot be had, and where PDF cannot be made here."""
    return written(made(parts, by, asked), form)


def made(parts: Rotator, by: str, asked: Mapping[str, str]) -> dict[str, Any]:
    """Return the memo of the vendor `name` as data; `advisories` and `breached` are names with commas between.

    With neither, and no `notice`, it tells what is known of the vendor. Raises BadInput for what cannot be had.
    """
    given = Given(_names(asked, "advisories"), {}, _names(asked, "breached"), asked.get("notice", ""))
    return made_of(parts, by, asked["name"], given)


def made_of(parts: Rotator, by: str, name: str, given: Given) -> dict[str, Any]:
    """Return the memo of a vendor for what was given; records of advisories too, which no query holds."""
    notice, advisories = (vendor_memo.NO_NOTICE, ()) if given.is_empty else told(parts, given)
    return vendor_memo.memo(parts, name, notice, advisories, clock.now(), by)


def _names(asked: Mapping[str, str], key: str) -> list[str]:
    return [each.strip() for each in asked.get(key, "").split(",") if each.strip()]


MEMO = FileOf("/vendors/{name}/memo.{form}", file, MEDIA_TYPES)
