"""Play a path through on a toy issuer with a thief at the door, and say what harm came of it.

Written apart from the check that it judges: nothing is looked up by position here, everything simply happens.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rotator.flow.playbook_walk import Can
from rotator.flow.playbook_words import Expect, Strategy, Subject, Verb

MAY_REPLACE = {Strategy.CONTAIN_FIRST, Strategy.REPLACE_FIRST}


@dataclass
class World:
    """One stolen credential and its successor. A door is None (the issuer) or "target" (each of the targets)."""

    strategy: Strategy
    can: frozenset
    alive: bool = True
    kept: bool = False
    thief_inside: bool = False
    cut: bool = False
    closed_doors: set = field(default_factory=set)
    opened_to_us: set = field(default_factory=set)
    refused_us: set = field(default_factory=set)
    last_word: str = "nothing"
    made: int = 0
    known: bool = False
    works: bool = False
    in_use: bool = False

    @property
    def thief_out(self):
        return not self.alive and not self.thief_inside and self.closed_doors <= self.refused_us


def unsafe(strategy, path, can):
    """Return the first harm, or None."""
    world = World(strategy, can)
    for line in path:
        if world.alive and can & {Can.SESSION_ENDING, Can.INSTALLABLE}:
            world.thief_inside = True
        if harm := _play(world, line):
            return f"{line.id}: {harm}"
    return _aftermath(world)


def _play(world, line):
    if line.do.verb is Verb.PRESERVE:
        world.kept = True
        return None
    if Can.PRESERVING in world.can and not world.kept:
        return "something happened before its last use was kept"
    if line.do.subject is Subject.CONSUMERS:
        return None if world.in_use else "consumers are told of nothing"
    if line.do.subject is Subject.REPLACEMENT:
        return _on_replacement(world, line) if world.strategy in MAY_REPLACE else "nothing was to be replaced"
    return _knock(world, line) if line.do.verb is Verb.VERIFY else _deed(world, line)


def _deed(world, line):
    world.last_word = "a deed"
    if line.do.verb is Verb.RESUME:
        return "the stolen credential was given new life"
    if line.do.verb is Verb.END_SESSIONS:
        world.cut = True
        if line.each or Can.INSTALLABLE not in world.can:
            world.thief_inside = False
        return None
    if world.strategy is Strategy.CUT_ONLY:
        return "cut_only killed it"
    if world.strategy is Strategy.REPLACE_FIRST and not world.in_use:
        return "consumers lost it before they had the new one"
    world.alive = False
    world.closed_doors.add(line.each)
    return None


def _knock(world, line):
    world.last_word = "a knock"
    if line.expect is Expect.ACCEPTED:
        return "it waits for a thief's key to work"
    if world.alive:
        if line.expect is Expect.REJECTED:
            return "it waits for a living key to be refused"
        if not world.cut:
            world.opened_to_us.add(line.each)
    elif line.expect is Expect.REJECTED and line.each in world.opened_to_us:
        world.last_word = "a refusal"
        world.refused_us.add(line.each)
    return None


def _on_replacement(world, line):
    verb = line.do.verb
    if verb in {Verb.ISSUE, Verb.GENERATE}:
        world.made += 1
        world.known = verb is Verb.ISSUE
        if world.made > 1:
            return "an orphan was made"
        if world.strategy is Strategy.CONTAIN_FIRST and not world.thief_out:
            return "the thief can read the new one"
    elif not world.made:
        return "there is nothing yet"
    elif verb is Verb.INSTALL:
        world.known, world.works = True, False
    elif verb is Verb.VERIFY:
        everywhere = line.each or Can.INSTALLABLE not in world.can
        world.works = world.works or bool(world.known and everywhere and line.expect is Expect.ACCEPTED)
    elif verb is Verb.PROMOTE:
        world.in_use = True
        return None if world.works else "consumers got what nobody had tried"
    else:
        return "the new one was taken away"
    return None


def _aftermath(world):
    if world.strategy is Strategy.CUT_ONLY:
        harmless = world.cut and world.last_word in {"a knock", "a refusal"}
        return None if harmless else f"nothing was cut, or the last word was {world.last_word}"
    if not world.thief_out or world.last_word != "a refusal":
        return f"the thief may be inside, or nobody proved the contrary: the last word was {world.last_word}"
    if world.strategy in MAY_REPLACE and not world.in_use:
        return "nobody uses the new one"
    return None
