"""What a report says of what is open: what keeps it waiting, what moves it on, and what people took upon themselves."""

from __future__ import annotations

from typing import Any

from rich.console import RenderableType
from rich.text import Text

from rotator.flow.playbook_words import DESTRUCTION
from rotator.flow.standing import LANDS_AFTER
from rotator.ledger.waits import few
from rotator.report import revisions
from rotator.report.approval import to_be_reviewed
from rotator.report.gates import shut
from rotator.report.overridden import overridden
from rotator.report.paused import paused
from rotator.report.revisions import each_run
from rotator.report.tables import Sentence

SHOWN = 200
"""How many rows a table, and a list of what is open, may have: nobody reads more, and a report may name 200,000."""
_SCHEDULED = 20
_TOLD = 6
_BELOW = " " * 6


def for_you(incident: dict[str, Any]) -> list[RenderableType]:
    """Say what keeps the whole incident waiting, and how it goes on."""
    return [
        *paused(incident),
        *overridden(incident),
        *_closed(incident),
        *_unmanned(incident),
        *unapproved(incident),
        *revisions.unapproved(incident),
        *_alive_again(incident),
        *_to_be_resumed(incident),
        *_stopped(incident),
        *shut(incident),
        *to_be_reviewed(incident),
    ]


def _closed(incident: dict[str, Any]) -> list[RenderableType]:
    """Say that nothing of it is approved any more, and who said so; of what was deleted, that it never will be."""
    found: list[RenderableType] = []
    if incident["closed_at"]:
        line = f"CLOSED {incident['closed_at']} by {incident['closed_by']}: {incident['closed_reason']}."
        mend = incident["reopen"]
        found.append(Sentence(f"{line} To add to it, or approve: ", mend, style="bold") if mend else Text(line))
    if deleted_at := incident.get("evidence_deleted_at"):  # an older service says nothing of it
        gone = "nothing is added to it any more, and what its plan warned of is not known"
        found.append(Text(f"ITS EVIDENCE WAS DELETED {deleted_at} by policy: {gone}", style="bold"))
    return found


def _unmanned(incident: dict[str, Any]) -> list[RenderableType]:
    """Say that something is due and nobody does it, where that is so."""
    if not incident["work"]:
        return []
    return [Sentence("NOBODY WORKS on what is due. Start it with: ", incident["work"], style="bold red")]


def unapproved(incident: dict[str, Any]) -> list[RenderableType]:
    """Say first of all that nothing is being done, where that is so."""
    if incident["begun"] or incident.get("merged_into") or incident["closed_at"]:
        return []
    if incident["stale"]:
        how = "Add" if " incident add " in incident["again"] else "Declare"
        line = f"NOT APPROVED, and its plan is stale: {incident['stale']}. {how} all of it again: "
        return [Sentence(line, incident["again"], style="bold red")]
    if not incident["approve"]:
        return [Text("Nothing in it can be done by machine: there is nothing to approve.", style="bold")]
    return [Sentence("NOT APPROVED: nothing is being done. Start it with: ", incident["approve"], style="bold red")]


def _alive_again(incident: dict[str, Any]) -> list[RenderableType]:
    """Say which stolen credentials live again, by themselves or by somebody's act, and how each is stopped again."""
    found = [
        Sentence(
            f"ALIVE AGAIN: {each['provider']} {each['id']} ({each['run']}), seen by the {each['why']}; whoever "
            "has it can use it, and it is being stopped again. To follow that: ",
            each["command"],
            style="bold red",
        )
        for each in incident["alive_again"]
        if each.get("being_stopped")
    ]
    return [*found, *_resumed(incident)]


def _resumed(incident: dict[str, Any]) -> list[RenderableType]:
    return [
        Sentence(
            f"ALIVE AGAIN: {each['provider']} {each['id']} ({each['run']}) was resumed by {each['why']}; whoever "
            "has it can use it. Stop it again: ",
            each["command"],
            ", and approve that",
            style="bold red",
        )
        for each in incident["alive_again"]
        if not each.get("being_stopped")
    ]


def _to_be_resumed(incident: dict[str, Any]) -> list[RenderableType]:
    """Say which stolen credentials are about to get their life back, and how that is called off."""
    return [
        Sentence(
            f"NOT YET ALIVE: {each['provider']} {each['id']} ({each['run']}) will be resumed by {each['why']} "
            f"({each['step']}, {each['when']}); to call it off: ",
            each["command"],
            style="bold red",
        )
        for each in incident["to_be_resumed"]
    ]


def _stopped(incident: dict[str, Any]) -> list[RenderableType]:
    """Say what a person stopped, and how it goes on."""
    return [
        Sentence(
            f"STOPPED: {each['what']}, by {each['by']}: {each['reason']}. Let it go on: ",
            each["command"],
            style="bold red",
        )
        for each in incident["stops"]
    ]


def not_begun(credentials: list[dict[str, Any]]) -> list[RenderableType]:
    """Say what is open before the plan is approved: all of it, and what no approval will begin."""
    planned = sum(bool(each["steps"]) for each in credentials)
    by_hand = [each for each in credentials if not each["steps"]]
    if not planned:
        return still_open(by_hand)
    head = f"Still open: {planned:,} credentials, of which nothing is done before the plan is approved"
    return [Text(f"{head}, and:" if by_hand else head, style="bold"), *(still_open(by_hand)[1:] if by_hand else [])]


def still_open(credentials: list[dict[str, Any]]) -> list[RenderableType]:
    """Say what is not finished, and under it what a person can do about it: the command, and what it means."""
    lines: list[RenderableType] = []
    for each in credentials:
        about = f"  {each['run']}  {each['provider'] or 'not recognised'} {each['id']}: "
        lines += [Sentence(about + reason) for reason in each["open"]]
        waiting = [one for run in each_run([each]) for one in run["next"] if not one["due_at"]]
        ways = {way["command"]: way["means"] for one in waiting for way in one["ways"]}
        lines += [Sentence(_BELOW, command, f"   {means}") for command, means in ways.items()]
        lines += [_tried(one) for run in each_run([each]) for one in run["trying"]]
    lines += once_mended(credentials, _BELOW)
    if not lines and any(each["stopped"] for each in credentials):
        return [Text("What is left is stopped.", style="bold red")]
    if not lines and (stated := sum(each["state"] == "stated_dead" for each in credentials)):
        are = "is dead by its issuer's" if stated == 1 else "are dead by their issuer's"
        said = f"Nothing waits. {stated:,} {are} word alone: nobody saw it refused."
        return [Text(said, style="cyan")]
    if not lines:
        return [Text("Nothing is open.", style="green")]
    return [Text("Still open:", style="bold"), *lines[:SHOWN], *rest(len(lines))]


def once_mended(credentials: list[dict[str, Any]], indent: str = "") -> list[RenderableType]:
    """Say how what no machine can answer is asked about again or told ended, nothing where there is no such."""
    by_hand = [each for each in credentials if each["state"] == "manual" and not each["steps"]]
    if not by_hand:
        return []
    what = "once the cause of what no machine can answer is mended: this incident does not ask again"
    one, another = by_hand[0], "; likewise each other" if len(by_hand) > 1 else ""
    ended = f"rotator exposure dismiss {one['run'].rpartition('.')[0]} {one['run']} --as already_dead --reason …"
    return [
        Sentence(indent, one["again"], f"   {what}"),
        Sentence(indent, ended, f"   once a person has ended it by hand{another}"),
    ]


def _tried(one: dict[str, Any]) -> RenderableType:
    """Say until when something is tried by itself, and what a person can do then."""
    again = ", ".join(filter(None, (f"it is tried again by itself until {one['until'][11:19]}Z", one["told"])))
    return Sentence(f"{_BELOW}{again}; then it waits for you: ", one["then"], f"   {one['means']}")


def scheduled(credentials: list[dict[str, Any]], start: str = "") -> list[RenderableType]:
    """Say what comes by itself, and how to have it earlier; `start` is what must run then, where nothing does."""
    waiting = [(each, one) for each in each_run(credentials) for one in each["next"] if one["due_at"]]
    if not waiting:
        return []
    lines = [
        Sentence(about + f"and not before {_opened(one['kept_by'])}")
        if one["kept_by"]
        else Sentence(f"{about}earlier: ", one["command"], _at_what_price(one))
        for each, one in sorted(waiting, key=lambda pair: str(pair[1]["due_at"]))[:_SCHEDULED]
        for about in [f"  {one['due_at'][:16]}Z  {each['run']} {one['step']}; "]
    ]
    more = (
        [Text(f"  … and {len(waiting) - _SCHEDULED:,} more (-o json has them all)")]
        if len(waiting) > _SCHEDULED
        else []
    )
    alone = "  Nothing that stays runs here and would do it: keep this running, or start it then: "
    unattended = [Sentence(alone, start, style="yellow")] if start else []
    return [Text("Scheduled:", style="bold"), *lines, *more, *unattended]


def _opened(gate: str) -> str:
    return "its destruction is approved" if gate.startswith(DESTRUCTION) else f"{gate} is open"


def _at_what_price(one: dict[str, Any]) -> str:
    """Say what it means to have it earlier, where that is more than to have it earlier."""
    means = next((way["means"] for way in one["ways"]), "")
    return f" ({means})" if LANDS_AFTER in means else ""


def acted(credentials: list[dict[str, Any]]) -> list[RenderableType]:
    """Say where a person took a risk, or took something back."""
    lines = []
    for each in each_run(credentials):
        about = f"  {each['run']}  {each['provider'] or 'not recognised'} {each['id']}: "
        if each["risk_accepted"]:
            risk = f"{few(each['risk_accepted_of']) or 'who was not noted'} could read its new secret"
            lines.append(f"{about}{risk}; that was accepted by {each['risk_accepted']}")
        if each["gone_ahead"]:
            lines.append(f"{about}it began before the rotator's own credential was replaced: {each['gone_ahead']}")
        lines += [
            f"{about}{_place(one)} is taken back by {one['by']} ({one['state']}); {one['why']}"
            for one in each["undone"]
        ]
        lines += [f"{about}{_place(one)} was skipped: {one['means']}; {one['why']}" for one in each["skipped"]]
        lines += [f"{about}{_place(one)} no longer waited for its time; {one['why']}" for one in each["released"]]
    if not lines:
        return []
    return [Text("Said by people:", style="bold"), *map(Sentence, lines[:SHOWN]), *rest(len(lines))]


def told(incident: dict[str, Any]) -> list[RenderableType]:
    """Say who was told what happened, and who could not be."""
    gone = [f"{each['channel']} {each['at'][11:19]}" for each in incident["told"] if each["state"] == "sent"]
    left = [each for each in incident["told"] if each["state"] != "sent" and each["reason"]]
    more = f" and {len(gone) - _TOLD:,} more" if len(gone) > _TOLD else ""
    lines: list[RenderableType] = [Sentence(f"told: {', '.join(gone[:_TOLD])}{more}")] if gone else []
    for each in left[-_TOLD:]:
        so_far = "given up" if each["state"] == "given_up" else "it is tried again by itself"
        line = f"NOT TOLD: {each['channel']}, of {', '.join(each['events'])}: {each['reason']}; {so_far}"
        lines.append(Sentence(line, style="red" if each["state"] == "given_up" else "yellow"))
    return lines


def _place(one: dict[str, Any]) -> str:
    return f"{one['step']} on {one['target']}" if one["target"] else str(one["step"])


def rest(count: int) -> list[RenderableType]:
    return [Text(f"  … and {count - SHOWN:,} more (-o json has them all)")] if count > SHOWN else []
