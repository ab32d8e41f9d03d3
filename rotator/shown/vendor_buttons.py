"""What a person can do about a vendor, as a board offers it: pause it, meet or override its gates, let it in again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from shlex import quote
from typing import Any

from rotator.datasets import LIST
from rotator.flow.approval import Role
from rotator.flow.checklist import Asks
from rotator.flow.roles import Act
from rotator.flow.vendor_terms import Name
from rotator.shown.buttons import WHY, Button, api_path, form

_WORDS = {"name": "confirm", "label": "Type the words that are asked for", "on": "not_confirmed"}
_MEANT = {"name": "yes", "label": "Yes, that is meant", "kind": "check", "on": "not_confirmed"}
_GRANTS = {
    "name": "resume_grants",
    "label": "Give back the grants that were suspended",
    "kind": "check",
    "optional": True,  # else nobody is let in again but with all that was suspended
}
_WHICH = {"name": "notice", "label": "For which notice (its id); empty for every one", "optional": True}
_SENDER = {"name": "from", "label": "From whom it is"}
_DATED = {"name": "dated", "label": "The day that it bears", "kind": "day"}
_SAYS = {"name": "reason", "label": "What does it say? It becomes evidence."}
_HASHED = "it is hashed by the service, which keeps no copy: keep it where you keep evidence"
_KEPT = "It is kept."
_TERM = (
    {"name": "kind", "label": "Of which kind: SOC 2 Type II, ISO 27001"},
    {"name": "issuer", "label": "Who attests it"},
    {"name": "scope", "label": "What it speaks of", "optional": True},
    {"name": "from", "label": "The first day of its term", "kind": "day"},
    {"name": "to", "label": "Its last day", "kind": "day"},
)


def gates(vendor: str, shown: Mapping[str, Any] | None, role: Role) -> dict[str, list[Button]]:
    """Return what can be done for each gate of a paused vendor, by the gate's name."""
    return {each["gate"]: list(_of(vendor, each, role)) for each in (shown["gates"] if shown else ())}


def _of(vendor: str, gate: Mapping[str, Any], role: Role) -> Iterator[Button]:
    if gate["is_open"]:
        return
    name = gate["gate"]
    asks = Asks(gate["asks"])
    if asks is Asks.ATTESTATIONS and " meet " not in gate["todo"]:  # none is valid: there is none to believe
        yield attestation(vendor, role)
    else:
        yield from _met_by(vendor, name, asks, role)
    means = "opens it against what was found, and stands in every report for good"
    to = api_path("vendors", vendor, "gates", name, "override")
    yield form("Override", means, to, Act.OVERRIDE_GATE, role, (WHY, _WORDS), "It is overridden.", "danger")


def _met_by(vendor: str, name: str, asks: Asks, role: Role) -> Iterator[Button]:
    """Yield what a person gives for a gate that asks so; what findings alone open is said by the gate itself."""
    meet, given = (api_path("vendors", vendor, "gates", name, how) for how in ("meet", "document"))
    runs = api_path("vendors", vendor, "software")
    match asks:
        case Asks.DOCUMENT:
            fields = (_file("The report"), _SENDER, _DATED, _SAYS)
            yield form("Give the report", _HASHED, given, Act.MEET_GATE, role, fields, _KEPT, "primary")
        case Asks.SOFTWARE:
            listed, advisory = _file("Its SBOM, freeze, lock file or installer's log"), _file("Its OSV record")
            means = "replaces the list that was called so; what it says is compared with the advisories"
            done = "It runs {components} components by {source}."
            yield form("Give what it runs now", means, runs, Act.GIVE_SOFTWARE, role, (listed,), done, "primary")
            yield form("Give an advisory", "", given, Act.MEET_GATE, role, (advisory, WHY), _KEPT)
            means = "says by which judgement there is no advisory to compare its software with"
            yield form("No package was the cause", means, meet, Act.MEET_GATE, role, (WHY,), _KEPT)
        case Asks.ATTESTATIONS:
            means = "says why those that are valid now are believed: a paper alone opens nothing"
            yield form("Believe them", means, meet, Act.MEET_GATE, role, (WHY,), _KEPT, "primary")
        case Asks.APPROVAL:
            yield form("Say yes", "", meet, Act.APPROVE, role, (WHY,), _KEPT, "primary")


def _file(label: str) -> dict[str, str]:
    return {"name": "file", "label": label, "kind": "file"}


def attestation(vendor: str, role: Role) -> Button:
    """Return how an attestation of a vendor is recorded."""
    means = f"{_HASHED}; it is weak evidence, and opens no gate by itself"
    done = "Recorded: {kind} by {issuer}, {valid_from} to {valid_to}."
    to = api_path("vendors", vendor, "attestations")
    return form("Record an attestation", means, to, Act.ATTEST, role, (*_TERM, _file("The document")), done)


def reading(manifest: Mapping[str, Any], incident: str, role: Role) -> Button:
    """Return how a dataset is checked by what was read where it lies, as evidence of an incident where there is one."""
    means = "it is as good as who read it: the check has his name, by the file, and yours"
    fields = (_file("What it wrote"), *([{"name": "incident", "kind": "hidden", "value": incident}] * bool(incident)))
    to, done = api_path("manifests", manifest["name"], "checks"), "Checked: {result}."
    found = form("Check by what was read there", means, to, Act.CHECK_DATASET, role, fields, done)
    return replace(found, elsewhere=reads(manifest))


def reads(manifest: Mapping[str, Any]) -> str:
    """Return the command that reads a dataset where it was recorded, and writes what is there to a file."""
    place, to = manifest["source"], f"--to {manifest['name']}.reading"
    if place == LIST:
        return f"find . -type f -print0 | xargs -0 sha256sum | rotator manifest read - {to}"
    through = f" --connection {quote(manifest['connection'])}" if manifest["connection"] else ""
    return f"rotator manifest read {quote(place)}{through} {to}"


def restore(vendor: str, shown: Mapping[str, Any] | None, role: Role) -> Button | None:
    """Return how a paused vendor is let in again, where all its gates are open."""
    if shown is None or not shown["is_open"]:
        return None
    fields = (WHY, *((_GRANTS,) if shown["grants"] else ()), _MEANT)
    means = "lets it in again: from then on new credentials may be made for it"
    to = api_path("vendors", vendor, "restore")
    return form("Restore", means, to, Act.RESTORE_VENDOR, role, fields, "It is let in again.", "primary")


def terms(vendor: str, role: Role) -> list[Button]:
    """Return how each term of a vendor that people may judge is set; without a value what was set is taken back."""
    return [_term(vendor, each, role) for each in Name]


def _term(vendor: str, name: Name, role: Role) -> Button:
    value = {"name": "value", "label": "Value; empty takes back what was set", "optional": True}
    words = name.value.replace("_", " ")
    to = api_path("vendors", vendor, "terms", name.value)
    return form(f"Set {words}", "", to, Act.ASSESS, role, (value, _WHICH, WHY), _KEPT)
