"""What issues short-lived credentials in the stead of a kind, made by a machine: a module for each provider.

Each has `ASKS`, what a person has to say, `PASSING`, the sorts of things that are there for a moment alone, and a class
`Conversion(issuer, connection)` with two methods:

    prepare(ref, asked, notes) -> facts        looks, says what it will make, and makes that
    take_away(thing) -> what came of it        for each thing of a preparation that was given up

Both are safe to call again. Nothing is made that `notes.intends` was not told of, so who is cut off leaves nothing
unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rotator.errors import BadInput

Thing = Mapping[str, str]
"""What is to be made: `what` in words, and what its module needs to find it again. No secret is in it."""
GONE, TAKEN = "was not there", "taken away"
WITHOUT = "without"
"""What a person may say beside what a kind asks for: the names of what may be lost."""


@dataclass(frozen=True, slots=True)
class Notes:
    """What a preparation writes down before it makes it; and what earlier ones, asked for the same, have `begun`.

    `intends` is called once, before the first of it; `became` where a thing has got a name by which it is found.
    """

    intends: Callable[[Sequence[Thing]], None]
    became: Callable[[Thing, Thing], None]
    begun: tuple[Thing, ...] = ()


@dataclass(frozen=True, slots=True)
class Loss:
    """What the old credential has and nothing gives to what takes its place: its name, and what that is."""

    name: str
    says: str


def refuse_losses(lost: Iterable[Loss], asked: Mapping[str, str]) -> list[str]:
    """Return what will be lost, by name. Raises BadInput, before anything is made, for what nobody said may be."""
    found = list(lost)
    may = {each.strip() for each in asked.get(WITHOUT, "").split(",")}
    if left := [each for each in found if each.name not in may]:
        names = ",".join(each.name for each in found)
        told = "; ".join(f"{each.name} ({each.says})" for each in left)
        raise BadInput(f"what takes its place would lose {told}", "--with", f"if it may: --with {WITHOUT}={names}")
    return [each.name for each in found]
