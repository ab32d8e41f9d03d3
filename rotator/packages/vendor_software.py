"""Match advisories with what vendors are known to run: which of it is bad, and which may be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rotator.flow.vendor import Software
from rotator.flow.vendor_notice import Listed
from rotator.packages.advisory import Advisory
from rotator.packages.affected import Affected
from rotator.packages.names import PYPI, UNTOLD, Package, package
from rotator.packages.sighting import clean


def match(advisories: Iterable[Advisory], runs: Mapping[str, Iterable[Software]]) -> dict[str, list[Listed]]:
    """Return what of each vendor's software is bad or may be, each once; what was withdrawn is not looked for."""
    by_package: dict[Package, list[Affected]] = {}
    by_name: dict[str, list[Affected]] = {}
    for event in advisories:
        for each in event.affected if event.withdrawn is None else ():
            by_package.setdefault(each.package, []).append(each)
            by_name.setdefault(_plain(each.package.name), []).append(each)
    names = {each.name for each in by_package} | set(by_name)
    found: dict[str, list[Listed]] = {}
    for vendor, software in runs.items():
        for one in dict.fromkeys(software):
            if one.name not in names and _plain(one.name) not in by_name:
                continue
            if one.ecosystem == UNTOLD:
                wanted = by_name.get(_plain(one.name), ())
            else:
                wanted = by_package.get(package(one.ecosystem, one.name), ())
            found.setdefault(vendor, []).extend(_listed(one, affected) for affected in wanted if _may_be(one, affected))
    return {vendor: some for vendor, some in found.items() if some}


def spoken_about(advisories: Iterable[Advisory], runs: Mapping[str, Iterable[Software]]) -> dict[str, list[Software]]:
    """Return of what each vendor runs whatever has a name that these speak of: the rest is gone through once."""
    names = {_plain(each.package.name) for event in advisories for each in event.affected}
    plain: dict[str, bool] = {}  # most vendors run the same
    found: dict[str, list[Software]] = {}
    for vendor, software in runs.items():
        for one in software:
            is_named = plain.get(one.name)
            if is_named is None:
                plain[one.name] = is_named = _plain(one.name) in names
            if is_named:
                found.setdefault(vendor, []).append(one)
    return found


def _may_be(one: Software, affected: Affected) -> bool:
    return not one.version or affected.covers(one.version) is not False


def _listed(one: Software, affected: Affected) -> Listed:
    name = f"{clean(one.name)} {clean(one.version)}".strip()
    where = clean(one.source)
    if not one.version:
        return Listed(one, None, f"{where} lists {name}, in no version that it tells")
    if one.ecosystem == UNTOLD:
        return Listed(one, None, f"{where} lists {name}, and not whose package that is: it may be another's")
    if affected.covers(one.version):
        return Listed(one, True, f"{where} lists {name}, which is bad")
    return Listed(one, None, f"{where} lists {name}, whose order is not known here: it may be bad")


def _plain(name: str) -> str:
    return package(PYPI, name).name
