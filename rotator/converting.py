"""Prepare that a credential gives way to short-lived ones: make what issues them, beside what is there.

Nothing that is in use changes by it. What is about to be made is written before, and what came of it after, in the
service's own chain. Who is refused half way takes back what he made; what was cut off in between the next command of
that credential settles: what was for a moment is ended, what was asked otherwise taken back, and what is asked again
carried on. What nobody can tell yet is known: the doctor tells of it.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from rotator import clock
from rotator.bootstrap import Rotator
from rotator.conversions import GONE, WITHOUT, Notes, Thing
from rotator.credential import Leaked
from rotator.errors import BadInput, Rejected, RotatorError, Uncertain
from rotator.flow.playbook_words import meant
from rotator.flow.short_life import Act
from rotator.flow.step import LANDS_S
from rotator.intake.shapes import holds_material
from rotator.ledger import conversions
from rotator.ledger.conversions import Unfinished
from rotator.nothing_new import refuse_paused
from rotator.report.clocks import moment


def prepare(  # noqa: PLR0917 - which credential, and what is asked of whom
    parts: Rotator, kind: str, name: str, connection: str, asked: Mapping[str, str], by: str
) -> dict[str, Any]:
    """Return what was made, by name. Raises BadInput for what is missing; one of the three errors of its issuers.

    Whoever is refused, or told "later", finds nothing made that was not there before, but for what somebody who asked
    for the same has prepared whole meanwhile; else the error says what is left. Raises Uncertain("unsettled") while
    nobody can tell what came of an earlier attempt. For a vendor that is paused nothing is made, and what was made as
    it is paused is taken back.
    """
    module, moves = _module(parts, kind)
    _must_be_whole(kind, asked, module.ASKS)
    ref = parts.outside.provider_of(kind, connection).identify(Leaked(id=name, connection=connection))
    refuse_paused(parts, ref)
    told: dict[str, Any] = {"kind": kind, "connection": ref.connection, "owner": ref.owner, "id": ref.id}
    # One address in two spellings is one conversion: whoever ends it ends it under both.
    told["asked"] = {word: value.rstrip("/") for word, value in asked.items() if word != WITHOUT}
    conversion = module.Conversion(parts.settings.connection(connection), parts.settings.connection)
    earlier, begun = _settled(parts, conversion, told, module.PASSING, by)
    conversions.begun(parts.database, told, by)
    made: list[Thing] = []

    def intends(things: Sequence[Thing]) -> None:
        refuse_paused(parts, ref)
        if things:
            conversions.intended(parts.database, told, by, things)
            made.extend(things)

    def became(thing: Thing, now: Thing) -> None:
        conversions.tried(parts.database, told, by, thing, now)
        made[:] = [*(each for each in made if each != thing), now]

    try:
        facts = conversion.prepare(ref, asked, Notes(intends, became, begun))
        refuse_paused(parts, ref)
    except Uncertain as lost:
        # What is on its way may land behind whoever takes it back now.
        what = "what was begun may be there: say the same again, or take it back by --undo"
        raise Uncertain(lost.reason, f"{lost.detail}; {what}".removeprefix("; ")) from None
    except RotatorError as refusal:
        left = _take_away(parts, conversion, told, made, by) if conversions.is_unfinished(parts.database, told) else []
        if left:
            raise Rejected(refusal.reason, f"{refusal.detail}; and left behind: {_words(left)}") from None
        raise
    conversions.prepared(parts.database, told, by, facts)
    done = {**told, "facts": dict(facts), "moves": _left(moves), "retire": _retire(kind, ref.id)}
    return {**done, "earlier": earlier} if earlier else done


def undo(parts: Rotator, kind: str, name: str, connection: str, by: str) -> list[dict[str, Any]]:
    """Take back what preparations of a credential made that never ended; return each thing with what came of it.

    What was prepared whole is not touched: somebody may use it. Raises BadInput where there is nothing to take back.
    """
    module, _ = _module(parts, kind)
    which = (kind, connection, name)
    every = conversions.unfinished(parts.database)
    found = [each for each in every if (each.kind, each.connection, each.id) == which]
    if not found:
        raise BadInput("no conversion of it was begun and never ended", name, "nothing to do")
    conversion = module.Conversion(parts.settings.connection(connection), parts.settings.connection)
    return [one for each in found for one in _taken_back(parts, conversion, each, each.things, by)]


def _settled(
    parts: Rotator, conversion: Any, told: Mapping[str, Any], passing: Collection[str], by: str
) -> tuple[list[dict[str, Any]], tuple[Thing, ...]]:
    """Settle what attempts left that never ended; return what came of that, and what of this one is carried on.

    What another credential of that owner was to be given is this one, where the same was asked. Raises
    Uncertain("unsettled") where what this one made for a moment is not known to be gone.
    """
    came: list[dict[str, Any]] = []
    begun: list[Thing] = []
    which = (told["kind"], told["connection"], told["id"])
    for each in conversions.unfinished(parts.database):
        is_this = each.makes_the_same(told)
        if not is_this and (each.kind, each.connection, each.id) != which:
            continue
        if not is_this and clock.now() < each.sent_at + LANDS_S:
            came += [{"what": one["what"], "left": "who asked for it may be at it still"} for one in each.things]
            continue
        ended = [one for one in each.things if not is_this or one.get("sort") in passing]
        begun += [one for one in each.things if one not in ended]
        settled = _taken_back(parts, conversion, each, ended, by)
        if is_this and (left := [f"{one['what']} ({one['left']})" for one in settled if one["left"]]):
            raise Uncertain("unsettled", f"an earlier attempt may have left {'; '.join(left)}")
        came += settled
    return came, tuple(begun)


def _taken_back(
    parts: Rotator, conversion: Any, of: Unfinished, things: Sequence[Thing], by: str
) -> list[dict[str, Any]]:
    """Take away things of an attempt; return each with why it is left, "" where it is not."""
    told = {"kind": of.kind, "connection": of.connection, "owner": of.owner, "id": of.id, "asked": dict(of.asked)}
    left = _take_away(parts, conversion, told, things, by, of.sent_at + LANDS_S)
    return [{"what": one["what"], "left": next((why for it, why in left if it == one), "")} for one in things]


def _take_away(  # noqa: PLR0917 - of whom, what, and since when nothing more can come
    parts: Rotator,
    conversion: Any,
    told: Mapping[str, Any],
    things: Sequence[Thing],
    by: str,
    landed_at: float = 0.0,
) -> list[tuple[Thing, str]]:
    """Take away each, the last first; return what is left, and why.

    What is not there before `landed_at`, in epoch seconds, may be on its way: who asked for it got no answer.
    """
    if not things:
        return []
    gone: list[tuple[Thing, str]] = []
    left: list[tuple[Thing, str]] = []
    for each in reversed(things):
        try:
            came = conversion.take_away(each)
        except RotatorError as error:
            left.append((each, str(error)))
            continue
        if came == GONE and clock.now() < landed_at:
            left.append((each, f"it is not there, and may come until {moment(landed_at)}: say the same again then"))
        else:
            gone.append((each, came))
    conversions.undone(parts.database, told, by, gone, {each["what"]: why for each, why in left})
    return left


def _module(parts: Rotator, kind: str) -> tuple[Any, Any]:
    """Return who prepares it, and the moves. Raises BadInput for what no machine prepares."""
    playbook = parts.playbooks.get(kind)
    if playbook is None:
        raise BadInput(f"no kind is called {kind}", "KIND", meant(kind, parts.playbooks))
    short = playbook.short_lived
    if short is None or not short.is_prepared:
        said = "its moves are a person's" if short is not None else "nobody knows of a short-lived way"
        raise BadInput(f"no machine prepares that for {kind}: {said}", kind, f"see `rotator playbook show {kind}`")
    return importlib.import_module(f"rotator.conversions.{playbook.provider}"), short.moves


def _must_be_whole(kind: str, asked: Mapping[str, str], asks: Mapping[str, str]) -> None:
    for name in asked:
        if name not in asks and name != WITHOUT:
            raise BadInput(f"nobody asks for {name}", "--with", meant(name, asks))
    if lacking := [f"{name} ({what})" for name, what in asks.items() if not asked.get(name)]:
        raise BadInput(f"to convert {kind}, say {'; '.join(lacking)}", "--with", "as --with NAME=VALUE")
    for name, value in asked.items():
        if holds_material(value):
            raise BadInput("a secret seems to stand in it", f"--with {name}", "give names alone")


def _left(moves: Any) -> list[str]:
    """Return what follows in words: a person's moves behind the machine's."""
    after = [each.machine for each in moves].index(Act.PREPARE) + 1
    return [each.person for each in moves[after:] if each.person is not None]


def _retire(kind: str, name: str) -> str:
    return f"rotator respond --strategy revoke_only FILE, where FILE is a list that names {kind} {name}"


def _words(left: Iterable[tuple[Thing, str]]) -> str:
    return "; ".join(f"{each['what']} ({why})" for each, why in left)
