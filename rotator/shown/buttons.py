"""What a person can do, as a board offers it: each command of the report as a button, with the form that it opens.

The report says what to do in commands, the safe one first. Here each becomes the same act over HTTP, a page where it
is done, or stays a command, where no browser can give it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from rotator.flow.approval import Role
from rotator.flow.playbook_words import Until
from rotator.flow.proof import Evidence
from rotator.flow.roles import NEEDS, Act, may
from rotator.ledger.opening import BRAKE
from rotator.report.attention import for_you
from rotator.report.revisions import each_run

API = "/api/v1"
WHY = MappingProxyType({"name": "reason", "label": "Why? It becomes evidence."})
_DID = MappingProxyType({"name": "reason", "label": "What did you do, and how do you know? It becomes evidence."})
_NOTE = MappingProxyType({"name": "note", "label": "What did you find? It becomes evidence."})
_MEANT = MappingProxyType({"name": "yes", "label": "Yes, that is meant", "kind": "check", "on": "not_confirmed"})
_LEFT = MappingProxyType(
    {"name": "accept_open", "label": "What is open may stay so", "kind": "check", "on": "still_open"}
)
_AS = MappingProxyType(
    {
        "name": "as",
        "label": "As what?",
        "kind": "choice",
        "options": (
            ("", "choose"),
            ("false_positive", "a false positive"),
            ("canary", "our canary"),
            ("not_ours", "not ours"),
            ("already_dead", "already dead"),
        ),
    }
)
_STOPPED = "Stopped: {what}. {waiting} unfinished wait."
_GATES = {
    Until.NO_LEGAL_HOLD.value: "Lift the legal hold",
    Until.HOST_ISOLATED.value: "Open the gate",
    BRAKE: "Begin the waves that wait",
}


@dataclass(frozen=True, slots=True)
class Button:
    """One thing to do: a form for the API (`path`), a page of the board (`link`), or else a `command` to give.

    `elsewhere` is a command that is typed before, on another machine. `refused` says why who asks may not do it, ""
    where he may. `done` is said afterwards, its {names} filled from the answer.
    """

    label: str
    means: str = ""
    path: str = ""
    link: str = ""
    command: str = ""
    elsewhere: str = ""
    fields: tuple[Mapping[str, Any], ...] = ()
    done: str = "Done."
    tone: str = ""
    refused: str = ""


def button(command: str, means: str, role: Role) -> Button:
    """Return what a command of the report is on a board, for somebody of that role."""
    name, given = _read(command)
    made = _MAKES.get(name) if "--although-paused" not in command.split() else None  # who means it, says whom
    return made(given, means, role) if made else Button("", means, command=command)


def buttons(row: Mapping[str, Any], role: Role) -> list[Button]:
    """Return what can be done now about a credential of the report: what moves each of its runs on."""
    found: dict[str, Button] = {}
    for run in each_run([dict(row)]):
        ways = [way for one in run["next"] if not one["due_at"] for way in one["ways"]]
        for way in ways:
            made = button(way["command"], way["means"], role)
            of = "" if run["run"] == row["run"] or not made.path else f" of {run['run']}"
            found.setdefault(way["command"], replace(made, label=made.label + of))
    return list(found.values())


def dismissal(incident: str, row: Mapping[str, Any], role: Role) -> Button | None:
    """Return how a credential of the report is left alone, with a reason: None for what is so, or dead."""
    if row["dismissed"] or row["evidence"] != Evidence.NONE:
        return None
    means = "leaves it alone: it stays in the report, and nobody waits for it"
    path = api_path("incidents", incident, "exposures", row["run"], "dismiss")
    return form("Dismiss", means, path, Act.DISMISS, role, (_AS, WHY), "It is dismissed. {issuer_says}")


def reopening(incident: str, run: str, role: Role) -> Button:
    """Return how a dismissal is taken back."""
    means = "takes the dismissal back: its run goes on where it was"
    path = api_path("incidents", incident, "exposures", run, "reopen")
    return form("Take it up again", means, path, Act.REOPEN, role, (WHY,), "It is open again.")


def stop(incident: str, role: Role) -> Button:
    """Return the large button: nothing more of an incident is called."""
    means = "starts no more calls of this incident; what is under way ends, and everything can go on later"
    return form("Stop", means, api_path("incidents", incident, "stop"), Act.STOP, role, (WHY,), _STOPPED, "danger")


def stop_all(role: Role) -> Button:
    """Return what stops every incident."""
    means = "starts no more calls of anything, of any incident"
    return form("Stop everything", means, f"{API}/stop", Act.STOP, role, (WHY,), _STOPPED, "danger")


def stop_connection(name: str, role: Role) -> Button:
    """Return what stops the calls of one connection, of whatever incident."""
    means = f"starts no more calls of {name}, of any incident"
    path = api_path("connections", name, "stop")
    return form(f"Stop {name}", means, path, Act.STOP, role, (WHY,), _STOPPED, "danger")


def ending(incident: str, role: Role, *, is_closed: bool) -> Button:
    """Return how an incident is closed, or opened again."""
    if is_closed:
        return _again([incident], "it can be added to, and what is added approved", role)
    means = "says that it is over: nothing of it is approved or added any more; what is scheduled still comes"
    return form(
        "Close", means, api_path("incidents", incident, "close"), Act.CLOSE, role, (WHY, _LEFT), "It is closed."
    )


def hold(incident: str, role: Role) -> Button:
    """Return how a legal hold is placed."""
    means = "nothing is destroyed on schedule until somebody lifts it; what is contained by revoking is revoked"
    path = api_path("incidents", incident, "gates", Until.NO_LEGAL_HOLD.value, "close")
    return form("Place a legal hold", means, path, Act.CLOSE_GATE, role, (WHY,), "The legal hold is placed.")


def sentences(incident: Mapping[str, Any], role: Role) -> list[dict[str, Any]]:
    """Return what keeps a whole incident waiting, in the report's words, each with the button that moves it on."""
    return [_sentence(each, role) for each in for_you(dict(incident))]


def _sentence(told: Any, role: Role) -> dict[str, Any]:
    command, style = getattr(told, "command", ""), str(told.style)
    tone = "red" if "red" in style else "amber" if command else ""
    found = button(command, getattr(told, "after", "").strip(" ;,"), role) if command else None
    return {"text": told.plain.strip(), "tone": tone, "button": found}


def _read(command: str) -> tuple[str, list[str]]:
    """Return a command's name, and its arguments without options: of those a form asks itself."""
    words = command.split()[1:]
    count = next((number for number in (2, 1) if " ".join(words[:number]) in _MAKES), 0)
    plain: list[str] = []
    for each in words[count:]:
        if each.startswith("--"):
            break
        plain.append(each)
    return " ".join(words[:count]), plain


def form(  # noqa: PLR0917 - a button
    label: str,
    means: str,
    path: str,
    act: Act,
    role: Role,
    fields: Iterable[Mapping[str, Any]] = (WHY,),
    done: str = "Done.",
    tone: str = "",
) -> Button:
    """Return a button that opens a form for an act of the API; who may not do it is told why."""
    refused = "" if may(role, act) else f"needs the role {NEEDS[act]}"
    return Button(label, means, path, fields=tuple(fields), done=done, tone=tone, refused=refused)


def api_path(*names: str) -> str:
    """Return where the API has what is named so."""
    return "/".join((API, *(quote(each, safe="") for each in names)))


def _step(
    label: str, verb: str, act: Act, done: str, fields: Iterable[Mapping[str, Any]] = (WHY,)
) -> Callable[[list[str], str, Role], Button]:
    def made(given: list[str], means: str, role: Role) -> Button:
        run, step = given[:2]
        return form(f"{label} {step}", means, api_path("runs", run, "steps", step, verb), act, role, fields, done)

    return made


def _gate(given: list[str], means: str, role: Role) -> Button:
    incident, gate = given[:2]
    path = api_path("incidents", incident, "gates", gate, "open")
    return form(_GATES.get(gate, "Open the gate"), means, path, Act.OPEN_GATE, role, done="It is open: {gate}.")


def _isolated(given: list[str], means: str, role: Role) -> Button:
    incident, host = given[:2]
    path = api_path("incidents", incident, "hosts", host, "isolate")
    return form("Mark isolated", means, path, Act.ISOLATE, role, (_DID,), f"{host} is isolated.")


def _reviewed(given: list[str], means: str, role: Role) -> Button:
    path = api_path("incidents", given[0], "review")
    return form("Mark reviewed", means, path, Act.REVIEW, role, (_NOTE,), "Reviewed: {reviewed}.")


def _goes_on(given: list[str], means: str, role: Role) -> Button:
    name = given[0] if given else ""
    label = "Continue" if name else "Continue everything"
    of = ("incidents", name) if name.startswith("inc-") else ("connections", name) if name else ()
    return form(label, means, api_path(*of, "continue"), Act.CONTINUE, role, done="It goes on: {what}.", tone="primary")


def _again(given: list[str], means: str, role: Role) -> Button:
    path = api_path("incidents", given[0], "reopen")
    return form("Open again", means, path, Act.REOPEN, role, done="It is open again.")


def _page(label: str, address: str, tone: str = "") -> Callable[[list[str], str, Role], Button]:
    def made(given: list[str], means: str, role: Role) -> Button:  # noqa: ARG001 - as all that make one
        where = address.format(*(quote(each, safe="") for each in given))
        return Button(label, means, link=where, tone=tone)

    return made


_MAKES: Mapping[str, Callable[[list[str], str, Role], Button]] = MappingProxyType(
    {
        "run retry": _step("Retry", "retry", Act.RETRY, "It is tried again."),
        "run skip": _step("Skip", "skip", Act.SKIP, "It goes on without it."),
        "run undo": _step("Undo", "undo", Act.UNDO, "Taken back: {takes_back}.", (WHY, _MEANT)),
        "run done": _step("Mark done:", "done", Act.DONE, "It is noted as done.", (_DID,)),
        "hold release": _step("Release", "release", Act.RELEASE, "Released: {meant}."),
        "gate open": _gate,
        "host isolate": _isolated,
        "review": _reviewed,
        "continue": _goes_on,
        "incident reopen": _again,
        "approve": _page("Look at the plan and approve", "/incidents/{0}/plan", "primary"),
        "report": _page("Open that incident", "/incidents/{0}"),
        "incident declare": _page("Declare it again", "/incidents/new"),
        "incident add": _page("Add a report", "/incidents/new?to={0}"),
    }
)
