"""Read files of the inventory for an import: all of them whole before any is believed, and each place it names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rotator.bootstrap import Rotator
from rotator.errors import BadInput
from rotator.flow.inventory import Said
from rotator.flow.paths import mounts_of
from rotator.inventory_file import Known, read
from rotator.outside import module_of


@dataclass(frozen=True, slots=True)
class Rows:
    """What the files say, and what is wrong with each row that is bad: with one, none is to be believed."""

    said: Sequence[Said]
    bad: Sequence[BadInput]


def rows(parts: Rotator, files: Iterable[tuple[str, bytes]]) -> Rows:
    """Return what these files say, each with the name that errors call it.

    Raises BadInput for a place that no replacement could be put to: the night would be too late to learn it.
    """
    known = Known(list(parts.playbooks), mounts_of(parts.connections))
    said: list[Said] = []
    bad: list[BadInput] = []
    for name, raw in files:
        found, problems = read(name, raw, known)
        said += found
        bad += problems
    if not bad:
        _check_places(parts, said)
    return Rows(said, bad)


def _check_places(parts: Rotator, said: Iterable[Said]) -> None:
    families = {each.name: each.family for each in parts.settings.connections}
    seen: dict[tuple[str, str], str] = {}
    for row in said:
        for place in row.keys.get("deliver") or ():
            seen.setdefault((place["store"], place["connection"]), f"{row.where}: deliver")
    for (store, connection), where in seen.items():
        try:
            family = module_of("stores", store, "store").FAMILY
        except BadInput as error:
            raise BadInput(error.what, where, error.mend) from None
        if families[connection] != family:
            mend = f"{connection} is one of {families[connection]}"
            raise BadInput(f"{store} needs a connection of the family {family}", where, mend)
