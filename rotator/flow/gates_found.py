"""The gates that findings open: all is cut, no bad software, datasets as recorded, new and narrower credentials."""

from __future__ import annotations

from rotator.flow.checklist import Gate
from rotator.flow.gate_facts import Checked, Did, Facts, Found, New, Shut, Since, met_by, moment, said_of
from rotator.flow.narrowing import Reach, wider


def cut(_: Gate, facts: Facts) -> Found:
    """Ask whether every access of the pause is dead, and every task done."""
    alive = [
        Shut(_key(each.name, each.again), f"{each.name}: {each.says}", each.todo)
        for each in facts.cut
        if each.dead_at is None
    ]
    return alive, [f"{each.name}: {each.says}" for each in facts.cut if each.dead_at is not None]


def software(gate: Gate, facts: Facts) -> Found:
    """Ask whether what it runs is known since the pause, and has no version that an advisory may mean."""
    known, words = facts.software, list(said_of(gate, facts, Did.YES))
    # What runs at a vendor who is breached may say anything, and no person saw what it sent.
    newer = [name for name, at in known.lists.items() if at > facts.paused_at and name not in known.of_pipelines]
    sbom = f"rotator vendor sbom {facts.vendor} FILE"
    shut = [
        Shut(f"bad {each}", each, f"have it replaced, then {sbom}, called as the list that it replaces")
        for each in known.bad
    ]
    if not newer:
        besides = ", but for what its own pipeline sent" if known.of_pipelines else ""
        shut.append(Shut("old", f"no list of what it runs was made since the pause{besides}", sbom))
    todo = met_by(gate, facts, "--document ADVISORY --reason …; or without it, saying why no package was the cause")
    if not words:
        what = "is no advisory that is here: nobody can compare its software with it"
        shut += [Shut(f"unread {each}", f"{each} {what}", todo) for each in known.unread]
    if not (words or known.advisories or known.unread):
        shut.append(Shut("advisory", "nobody has said by which advisory its software is judged", todo))
    told = [f"{name} is of {moment(at)}" for name, at in known.lists.items()]
    told += [f"compared with {each}" for each in known.advisories]
    return shut, told + [f"{each.by}: {each.reason}" for each in words]


def datasets(gate: Gate, facts: Facts) -> Found:
    """Ask whether each dataset within its reach was seen to be as recorded after the last access was dead."""
    ends = [each.dead_at for each in facts.cut]
    # What was dead before the pause tells nothing of what was altered until it.
    cut_at = None if None in ends else max([facts.paused_at, *(each for each in ends if each is not None)])
    shut = [
        Shut(f"unsaid {each}", f"nobody has said what {each} could reach", "say it in the inventory: `datasets`")
        for each in facts.unsaid
    ]
    shut += [found for each in facts.datasets if (found := _unchecked(each, gate, facts, cut_at)) is not None]
    told = [
        f"{each.name}: {'as recorded' if each.is_as_recorded else 'it differs'}, checked {_with(each)}"
        for each in facts.datasets
        if each.checked_at is not None
    ]
    return shut, told or (["it reached no dataset that the inventory names"] if not facts.datasets else [])


def _unchecked(one: Checked, gate: Gate, facts: Facts, cut_at: float | None) -> Shut | None:
    if not one.manifest or one.recorded_at is None:
        what = f"{one.name} has no manifest: nobody can tell whether it was altered"
        todo = f"record one for the next time, and name it in the registry; now {_override(gate, facts)}"
        return Shut(f"none {one.name}", what, todo)
    since = facts.exposed
    if one.recorded_at >= since.at:
        what = (
            f"the manifest {one.manifest} of {one.name} is too young: it was recorded at {moment(one.recorded_at)}, "
            f"not before {moment(since.at)} ({since.why}), and may be a picture of what was altered"
        )
        todo = f"no older one of that place is here: look at it in another way, then {_override(gate, facts)}"
        return Shut(f"late {one.name}", what, todo)
    # With the incident: else its report goes on telling the check before as the last one.
    verify = f"rotator manifest verify {one.manifest} --incident {facts.incident}"
    if one.checked_at is None or cut_at is None or one.checked_at < cut_at:
        what = f"{one.name} was not checked since the last of what the vendor held was dead{_older(one, since)}"
        if one.checked_at is not None and not one.is_as_recorded:
            what = (
                f"{one.name} DIFFERS from what was recorded; it is to be checked once all that the vendor held is dead"
            )
            return Shut(_key("unchecked", one.name, one.seen), what, f"put back what was altered, then {verify}")
        return Shut(f"unchecked {one.name}", what, verify)
    if not one.is_as_recorded:
        todo = f"put back what was altered, then {verify}"
        what = f"{one.name} is not as it was recorded{_older(one, since)}"
        return Shut(_key("altered", one.name, one.seen), what, todo)
    return None


def _older(one: Checked, since: Since) -> str:
    """Say which manifest is asked in place of the one that was named, and why."""
    if not one.instead_of:
        return ""
    return f" by {one.manifest}: {one.instead_of} was not recorded before {moment(since.at)} ({since.why})"


def _with(one: Checked) -> str:
    by = f"what {one.read_by} read there, which {one.checked_by} gave," if one.read_by else one.checked_by
    return f"with {one.manifest} by {by} at {moment(one.checked_at)}"


def credentials(gate: Gate, facts: Facts) -> Found:
    """Ask whether what it holds now was made since the pause, and reaches a part of what it reached, and less."""
    if not facts.new:
        return [], ["the inventory names nothing new that it holds"]
    shut = [each for one in facts.new for each in _not_new(one, facts)]
    if facts.before is None:
        return [*shut, *(_unknown(one, gate, facts) for one in facts.new)], []
    more, same = wider([each.reach for each in facts.new if each.reach is not None], facts.before)
    shut += [Shut(f"wider {each}", f"nothing that it held before reached {each}", _narrow(facts)) for each in more]
    if same:
        shut.append(Shut("same", "together they reach all that was reached before, and not less", _narrow(facts)))
    told = [f"{each.name}: made at {moment(each.created_at) or 'nobody knows when'}" for each in facts.new]
    return shut, told if shut else [*told, "together they reach a part of what was reached before, and less"]


def _unknown(one: New, gate: Gate, facts: Facts) -> Shut:
    reach = one.reach or Reach()
    # Who overrides it speaks of what it reaches by now, and of no more.
    key = _key("before", one.name, *reach.reads, *reach.administers, *reach.datasets)
    what = f"an older release paused it, and nobody knows any more whether it reached before what {one.name} does"
    return Shut(key, what, f"compare it by hand, then {_override(gate, facts)}")


def _not_new(one: New, facts: Facts) -> list[Shut]:
    shut = []
    listing = "rotator inventory discover --save"
    if not one.has_id:
        shut.append(Shut(f"which {one.name}", f"nobody knows which credential {one.name} is", listing))
    elif one.created_at is None:
        shut.append(Shut(f"age {one.name}", f"its issuer has not said when {one.name} was made", listing))
    elif one.created_at <= facts.paused_at:
        what = f"{one.name} was made before the pause, and was not cut"
        shut.append(Shut(f"old {one.name}", what, f"rotator vendor pause {facts.vendor} --reason … cuts it too"))
    if one.reach is None:
        what = f"nobody has said what {one.name} reaches"
        shut.append(Shut(f"reach {one.name}", what, "say it in the inventory: `reads`, `administers`, `datasets`"))
    if one.shorter:
        what = f"{one.name} lives long, and need not: {one.shorter}"
        shut.append(Shut(f"long {one.name}", what, "give it that, and take this one back"))
    return shut


def _key(*words: str) -> str:
    return " ".join(filter(None, words))


def _override(gate: Gate, facts: Facts) -> str:
    return f"rotator vendor override {facts.vendor} {gate.name} --reason …"


def _narrow(facts: Facts) -> str:
    return f"give {facts.vendor} less, and say so in the inventory"
