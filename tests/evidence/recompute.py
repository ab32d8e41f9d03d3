"""Compute a compliance report's figures anew, from an evidence pack alone, by the formulas of docs/metrics.md.

    python recompute.py PACK REPORT.json

REPORT.json is what `rotator report compliance -o json` printed. Of it are taken the period, when it was made, and what
was aimed at; all else is computed from the pack's records, and compared: exit code 0 where each figure is equal to the
last digit, 1 where one is not. Standard library alone, no code of the rotator. Check the pack's signatures first.
"""

from __future__ import annotations

import json
import math
import sys
import zipfile
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

STATES = ("proven_dead", "stated_only", "let_in_again", "dismissed", "excluded", "manual", "not_approved")
STATES += ("left_alive", "open")
BESIDE = ("risk_accepted", "broke_glass", "standing_order", "review_open", "gate_overridden")
GROUPS = ("incident", "provider", "connection", "owner", "severity", "vendor", "period")
# `bool` is true of every credential. Each clock: from when, to when, and of which credentials.
CLOCKS = {
    "detected": ("exposed_at", "detected_at", "all"),
    "declared": ("detected_at", "declared_at", "all"),
    "approved": ("detected_at", "requested_at", "runs"),
    "acknowledged": ("detected_at", "acknowledged_at", "all"),
    "contained": ("detected_at", "contained_at", "all"),
    "proven_dead": ("detected_at", "proven_at", "all"),
    "replaced": ("detected_at", "replaced_at", "replacing"),
    "converged": ("detected_at", "converged_at", "converging"),
}
OF_SERVERS = {"mariadb_user", "postgres_role", "rabbitmq_user", "redis_acl_user", "vault_database_static_role"}
CONTROLS = {
    ("PCI DSS", "8.6.3"): bool,
    ("PCI DSS", "8.3.9"): lambda one: one["provider"].endswith("_password"),
    ("NIST SP 800-53", "IA-5"): bool,
    ("NIST SP 800-53", "IA-5(1)"): lambda one: one["provider"].endswith("_password") or one["provider"] in OF_SERVERS,
    ("CIS Amazon Web Services Foundations Benchmark", "2.12"): lambda one: one["provider"] == "aws_iam_access_key",
    ("NIST Cybersecurity Framework", "RS.AN-06"): bool,
}
SCHEDULED = {"8.6.3", "8.3.9", "IA-5", "2.12"}
OF_DUTY = ("provider", "connection", "owner", "credential", "due_at")
BECAME = ("on_time", "late", "overdue", "open", "by_hand", "taken_over", "elsewhere")
AGES = ("credentials", "unknown", "over_max_age")
AGES += ("under_30d", "under_60d", "under_90d", "under_180d", "under_365d", "older")
CLOCK_NAMES = ("acknowledged_at", "contained_at", "replaced_at", "converged_at")


class History:
    """What the records tell, in their order: incidents, credentials, and what began without approval."""

    def __init__(self, records: list[dict[str, Any]]) -> None:
        self.incidents: dict[str, dict[str, Any]] = {}
        self.credentials: dict[str, dict[str, Any]] = {}
        self.alone: list[dict[str, Any]] = []
        self.clocks: dict[str, dict[str, Any]] = {}
        self.routine: set[str] = set()
        self.drills: set[str] = set()
        self.deleted: dict[str, list[float]] = {}
        self.duties: dict[tuple[Any, ...], dict[str, Any]] = {}
        self.aged: list[dict[str, Any]] = []
        self.overridden: dict[tuple[Any, ...], dict[str, Any]] = {}
        gone: set[str] = set()
        for each in records:
            gone |= set(each.get("withdrawn", {}))
            getattr(self, "_" + each.get("act", "").replace(" ", "_"), lambda _record: None)(each)
        for name, told in self.clocks.items():
            if name in self.credentials:
                dead = told["dead_at"]
                self.credentials[name] |= {key: told[key] for key in CLOCK_NAMES}
                self.credentials[name]["proven_at"] = dead if told["evidence"] == "proven" else None
                self.credentials[name]["stated"] = told["evidence"] == "stated"
                # Older releases tell of none.
                self.credentials[name]["let_in"] = told["evidence"] == "none" and told.get("let_in_at") is not None
        known = self.credentials.items()
        apart = self.routine | self.drills
        self.found = [one for name, one in known if name not in gone and one["incident"] not in apart]
        self.drilled = [one for name, one in known if name not in gone and one["incident"] in self.drills]
        for one in (*self.found, *self.drilled):
            one |= {key: self.incidents[one["incident"]][key] for key in ("severity", "exposed_at")}

    def _declared(self, told: dict[str, Any]) -> None:
        self.incidents[told["chain"]] = {"severity": told["severity"], "exposed_at": told["exposed_at"]}

    def _agreed(self, told: dict[str, Any]) -> None:
        self.routine.add(told["chain"])

    def _evidence_deleted(self, told: dict[str, Any]) -> None:
        self.deleted |= {each["incident"]: each["came"] for each in told["incidents"]}

    def _due(self, told: dict[str, Any]) -> None:
        for each in told["credentials"]:
            key = (told["policy"], *(each[name] for name in OF_DUTY))
            first = self.duties.get(key, {}).get("noted_at", told["at"])
            self.duties[key] = {**each, "policy": told["policy"], "noted_at": first, "settled": False}

    def _due_no_more(self, told: dict[str, Any]) -> None:
        for each in told["credentials"]:
            self.duties[each["policy"], *(each[name] for name in OF_DUTY)]["settled"] = True

    def _aged(self, told: dict[str, Any]) -> None:
        self.aged.append(told)

    def _drill(self, told: dict[str, Any]) -> None:
        self.drills.add(told["chain"])

    def _raised(self, told: dict[str, Any]) -> None:
        self.incidents[told["chain"]]["severity"] = told["severity"]

    def _enrolled(self, told: dict[str, Any]) -> None:
        came = {"incident": told["chain"], **{key: told[key] for key in ("revision", "detected_at", "declared_at")}}
        for each in told["runs"]:
            known = {"requested_at": None, "proven_at": None, "stated": False, "risk": None, "let_in": False}
            known |= dict.fromkeys(CLOCK_NAMES) | self.credentials.get(each["run"], {})
            named = {"of": each["run"], "provider": each["kind"], "task": False, "reason": ""}
            self.credentials[each["run"]] = known | each | named | came
        for each in told["tasks"]:
            none = dict.fromkeys([*CLOCK_NAMES, "requested_at", "proven_at", "weight", "risk"])
            named = {"of": each["task"], "provider": each["kind"] or "", "owner": "", "credential": each["key"]}
            none |= {"strategy": "", "consumers": False, "stated": False, "let_in": False}
            self.credentials[each["task"]] = none | each | named | came | {"task": True}

    def _approved(self, told: dict[str, Any]) -> None:
        for one in self.credentials.values():
            mine = one["incident"] == told["chain"] and one["revision"] in told.get("revisions", [1])
            if mine and not one["task"] and one["dismissed"] is None:
                one["requested_at"] = told["at"]

    def _dismissed(self, told: dict[str, Any]) -> None:
        self.credentials[told["of"]]["dismissed"] = f"{told['as']}, said by {told['by']}: {told['reason'].strip()}"

    def _reopened(self, told: dict[str, Any]) -> None:
        if "of" in told:  # else the incident was
            self.credentials[told["of"]]["dismissed"] = None

    def _added(self, told: dict[str, Any]) -> None:
        for task, run in told.get("answered", {}).items():
            one = self.credentials[task]
            if one["dismissed"] is None:
                one["dismissed"] = f"{told['by']}: its issuer has named it since: {run}"

    def _released(self, told: dict[str, Any]) -> None:
        if told.get("accepts_risk_of") or told.get("accepts_footholds"):
            one, why = self.credentials[told["run"]], f"{told['by']}: {told['reason'].strip()}"
            one["risk"] = why if one["risk"] is None else f"{one['risk']}; {why}"

    def _broke_glass(self, told: dict[str, Any]) -> None:
        for scope in told["scope"]:
            self._began("broke_glass", told, scope, f"{told['by']}: {told['reason']}")

    def _ordered(self, told: dict[str, Any]) -> None:
        for scope in told["scope"]:
            self._began("standing_order", told, scope, told["by"])

    def _began(self, sort: str, told: dict[str, Any], scope: str, reason: str) -> None:
        known = {"incident": told["chain"], **{key: told[key] for key in ("at", "plan", "by")}}
        self.alone.append(known | {"sort": sort, "scope": scope, "reason": reason, "seen": False})

    def _gate_overridden(self, told: dict[str, Any]) -> None:
        # The vendor's chain tells it as the incident's does.
        self.overridden[tuple(told[key] for key in ("incident", "at", "gate", "by"))] = told

    def _reviewed(self, told: dict[str, Any]) -> None:
        for each in self.alone:
            if each["incident"] == told["chain"]:
                named = {key: each[key] for key in ("plan", "scope", "by")}
                each["seen"] = each["seen"] or named in told["what"]

    def _clocks(self, told: dict[str, Any]) -> None:
        known = self.clocks.get(told["run"])
        if known is None or known["number"] < told["number"]:
            self.clocks[told["run"]] = told


def in_order(records: list[dict[str, Any]], until: float) -> list[dict[str, Any]]:
    """Put the chains together by time, up to a moment; the records of one chain stay as they are in it."""
    latest: dict[str, float] = {}
    timed = []
    for each in records:
        at = max(each.get("at") or 0.0, latest.get(each["chain"], 0.0))
        latest[each["chain"]] = at
        timed.append((at, each))
    return [each for at, each in sorted(timed, key=lambda pair: pair[0]) if at <= until]


def report(records: list[dict[str, Any]], begin: float, end: float, made_at: float, aims: list[Any]) -> dict[str, Any]:
    """Return every figure of the report."""
    history = History(in_order(records, made_at))
    everything = [one for one in history.found if begin <= one["declared_at"] < end]
    everything.sort(key=lambda one: (one["incident"], len(one["of"]), one["of"]))
    mine = [one for one in everything if one["dismissed"] is None and not one["let_in"]]
    noted = [duty(one, history, made_at) for one in history.duties.values() if begin <= one["noted_at"] < end]
    duties = [one for one in noted if one["of"].partition(".")[0] not in history.deleted]
    gone = len(noted) - len(duties)
    listed = exceptions(everything, [one for one in history.alone if begin <= one["at"] < end])
    listed += [overridden(one) for _, one in sorted(history.overridden.items()) if one["at"] < end]
    return {
        "population": {
            "incidents": len({one["incident"] for one in everything}),
            "credentials": len(everything),
            "counted": len(mine),
            "looked_at": len(everything),
            "without_evidence": sum(any(begin <= at < end for at in came) for came in history.deleted.values()),
        },
        "states": {name: sum(state(one) == name for one in everything) for name in STATES},
        "clocks": {name: times(name, mine, made_at) for name in CLOCKS},
        "exposure": exposure(mine, made_at),
        "by": {name: by(name, mine, made_at) for name in GROUPS},
        "targets": [target(aim, mine, made_at) for aim in aims],
        "exceptions": {
            "counts": {name: sum(one["sort"] == name for one in listed) for name in (*STATES[1:], *BESIDE)},
            "listed": listed,
        },
        "controls": [
            control(key, [one for one in everything if counts(one)])
            | {"scheduled": scheduled([one for one in duties if counts(one)]) if key[1] in SCHEDULED else None}
            for key, counts in CONTROLS.items()
        ],
        "readiness": readiness([one for one in history.drilled if begin <= one["declared_at"] < end], made_at),
        "hygiene": hygiene(history.aged, duties, gone, begin, end),
    }


def readiness(of: list[dict[str, Any]], made_at: float) -> dict[str, Any]:
    """Return what drills measured: their incidents are no one's exposure, and counted nowhere else."""
    counted = [one for one in of if not one["stated"]]
    weeks: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for one in of:
        year, week, _ = datetime.fromtimestamp(one["declared_at"], UTC).isocalendar()
        weeks.setdefault((one["provider"], f"{year}-W{week:02}"), []).append(one)
    return {
        "drills": len({one["incident"] for one in of}),
        "canaries": len(of),
        "stated": len(of) - len(counted),
        "clocks": {name: times(name, counted, made_at) for name in CLOCKS},
        "trend": [trend(*key, mine, made_at) for key, mine in sorted(weeks.items())],
    }


def duty(one: dict[str, Any], history: History, made_at: float) -> dict[str, Any]:
    """Return what came due by hygiene with what became of it, and by how much it was late."""
    begun = history.credentials.get(one["of"], {"dismissed": None, "replaced_at": None, "task": False})
    done, left, by = begun["replaced_at"], begun["dismissed"] is not None, one["replace_by"]
    if done is not None and not left:
        became = "on_time" if done <= by else "late"
    elif begun["task"] and (left or one["settled"]):
        became = "by_hand"
    elif left:
        became = "taken_over"
    elif one["settled"]:
        became = "elsewhere"
    else:
        became = "overdue" if made_at > by else "open"
    lateness = ((made_at if done is None else done) - by, became == "late")
    return {**one, "became": became, "is_task": begun["task"], "lateness": lateness}


def punctual(duties: list[dict[str, Any]]) -> dict[str, Any]:
    """Return how many came due and stand how, and of what is decided the share that was on time."""
    counts = {name: sum(one["became"] == name for one in duties) for name in BECAME}
    decided = counts["on_time"] + counts["late"] + counts["overdue"]
    return {
        "due": len(duties),
        **counts,
        "tasks": sum(one["is_task"] for one in duties),
        "decided": decided,
        "on_time_share": told(counts["on_time"] / decided) if decided else None,
        "lateness": figures_of([one["lateness"] for one in duties if one["became"] in {"late", "overdue"}], 0),
    }


def scheduled(duties: list[dict[str, Any]]) -> dict[str, Any]:
    found = punctual(duties)
    return {name: found[name] for name in ("due", *BECAME[:5], "on_time_share")}


def hygiene(
    every: list[dict[str, Any]], duties: list[dict[str, Any]], gone: int, begin: float, end: float
) -> dict[str, Any]:
    """Return what came due by hygiene, in all and by policy, and the newest ages of the period."""
    names = sorted({one["policy"] for one in duties})
    newest = ([{"at": None, "policies": []}] + [one for one in every if begin <= one["at"] < end])[-1]
    aged = [one | {"max_age_s": told(one["max_age_s"])} for one in newest["policies"]]
    at = "" if newest["at"] is None else datetime.fromtimestamp(newest["at"], UTC).isoformat(timespec="milliseconds")
    return {
        "without_evidence": gone,
        "all": punctual(duties),
        "policies": [{"policy": name, **punctual([one for one in duties if one["policy"] == name])} for name in names],
        "ages": {
            "at": at.replace("+00:00", "Z"),
            "all": {name: sum(one[name] for one in aged) for name in AGES},
            "policies": aged,
        },
    }


def trend(provider: str, week: str, of: list[dict[str, Any]], made_at: float) -> dict[str, Any]:
    counted = [one for one in of if not one["stated"]]
    found = times("proven_dead", counted, made_at)
    still = sorted(one["incident"] for one in counted if one["proven_at"] is None)
    ended = [(max(one["proven_at"] - one["detected_at"], 0.0), one["incident"]) for one in counted if one["proven_at"]]
    counts = {"drills": len({one["incident"] for one in of}), "canaries": len(of), "stated": len(of) - len(counted)}
    figures = {key: found[key] for key in ("ended", "open", "p50_s", "p95_s", "max_s")}
    worst = still[0] if still else max(ended)[1] if ended else None
    return {"provider": provider, "week": week, **counts, **figures, "worst": worst}


def state(one: dict[str, Any]) -> str:
    if one["dismissed"] is not None:
        return "excluded" if one["of"].split(".")[-1][0] == "x" else "dismissed"
    if one["task"]:
        return "manual"
    if one["proven_at"] is not None:
        return "proven_dead"
    if one["stated"]:
        return "stated_only"
    if one["let_in"]:
        return "let_in_again"
    if one["requested_at"] is None:
        return "not_approved"
    return "left_alive" if one["strategy"] == "cut_only" else "open"


def replaces(one: dict[str, Any]) -> bool:
    return one["strategy"] in {"contain_first", "replace_first"}


def measured(name: str, mine: list[dict[str, Any]], made_at: float) -> tuple[list[tuple[float, bool]], int]:
    begins, ends, of = CLOCKS[name]
    fits = {
        "all": bool,
        "runs": lambda one: not one["task"],
        "replacing": replaces,
        "converging": lambda one: replaces(one) and one["consumers"],
    }[of]
    found, unknown = [], 0
    for one in filter(fits, mine):
        if one[begins] is None:
            unknown += 1
            continue
        is_over = one[ends] is not None
        lasted = (one[ends] if is_over else made_at) - one[begins]
        found.append((lasted if lasted > 0 else 0.0, is_over))
    return found, unknown


def times(name: str, mine: list[dict[str, Any]], made_at: float) -> dict[str, Any]:
    return figures_of(*measured(name, mine, made_at))


def figures_of(found: list[tuple[float, bool]], unknown: int) -> dict[str, Any]:
    ended = sorted(lasted for lasted, is_over in found if is_over)
    still = sorted(lasted for lasted, is_over in found if not is_over)
    figures: dict[str, Any] = {"mean_s": None, "p50_s": None, "p95_s": None, "max_s": None, "longest_open_s": None}
    if found:
        curve = kaplan_meier(found)
        for key, share in (("p50_s", 0.5), ("p95_s", 0.95)):
            figures[key] = next((at for at, alive in curve if alive <= 1 - share), None)
        figures["mean_s"] = area(curve, max(lasted for lasted, _ in found))
        figures["max_s"] = ended[-1] if ended else None
        figures["longest_open_s"] = still[-1] if still else None
    counts = {"n": len(found), "ended": len(ended), "open": len(still), "unknown": unknown}
    return counts | {key: told(value) for key, value in figures.items()}


def kaplan_meier(found: list[tuple[float, bool]]) -> list[tuple[float, float]]:
    """Return (t, S) from t = 0 on: S = S_c * a / o, as docs/metrics.md has it."""
    over: dict[float, int] = {}
    seen: dict[float, int] = {}
    for lasted, is_over in found:
        of = over if is_over else seen
        of[lasted] = of.get(lasted, 0) + 1
    curve, s_c, o, a = [(0.0, 1.0)], 1.0, len(found), len(found)
    for t in sorted({*over, *seen}):
        if t in over:
            a -= over[t]
            curve.append((t, s_c * a / o))
        if t in seen and a:
            s_c = s_c * a / o
            a -= seen[t]
            o = a
    return curve


def area(curve: list[tuple[float, float]], until: float) -> float:
    parts = []
    for number, (t, s) in enumerate(curve):
        following = curve[number + 1][0] if number + 1 < len(curve) else until
        if t < until and s:
            parts.append((min(following, until) - t) * s)
    return math.fsum(parts)


def exposure(mine: list[dict[str, Any]], made_at: float) -> dict[str, Any]:
    parts, unweighed = [], 0
    for one in mine:
        if one["weight"] is None:
            unweighed += 1
            continue
        begin = one["exposed_at"] if one["exposed_at"] is not None else one["detected_at"]
        end = one["proven_at"] if one["proven_at"] is not None else made_at
        parts.append(one["weight"] * max(end - begin, 0.0) / 3600.0)
    return {"risk_hours": told(math.fsum(parts)), "unweighed": unweighed}


def by(name: str, mine: list[dict[str, Any]], made_at: float) -> list[dict[str, Any]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for one in mine:
        key = f"{datetime.fromtimestamp(one['declared_at'], UTC):%Y-%m}" if name == "period" else one.get(name, "")
        key = key or "not known" if name == "vendor" else key
        groups.setdefault(key, []).append(one)
    return [
        {
            "name": key,
            "credentials": len(of),
            "proven_dead": times("proven_dead", of, made_at),
            **exposure(of, made_at),
        }
        for key, of in sorted(groups.items())
    ]


def target(aim: dict[str, Any], mine: list[dict[str, Any]], made_at: float) -> dict[str, Any]:
    asked = {key: aim[key] for key in ("clock", "percent", "within_s", "severity")}
    of = [one for one in mine if not aim["severity"] or one["severity"] == aim["severity"]]
    found, _ = measured(aim["clock"], of, made_at)
    kept = len([1 for lasted, is_over in found if is_over and lasted <= aim["within_s"]])
    missed = len([1 for lasted, _ in found if lasted > aim["within_s"]])
    decided = kept + missed
    figures: dict[str, Any] = {"share": None, "budget_left": None, "met": None}
    if decided:
        budget = (100 - aim["percent"]) / 100 * decided
        figures = {"share": told(kept / decided), "budget_left": told(1 - missed / budget)}
        figures["met"] = 100 * kept >= aim["percent"] * decided
    return asked | {"kept": kept, "missed": missed, "undecided": len(found) - decided} | figures


REASONS = {
    "stated_only": "its issuer says that it is dead; nobody saw it refused",
    "let_in_again": "a grant that a vendor got back as it was let in again, after its pause had stopped it",
    "not_approved": "its plan waits for somebody's approval: nothing of it has begun",
    "left_alive": "only what was derived from it was cut; it lives",
}


def exceptions(everything: list[dict[str, Any]], alone: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for one in everything:
        sort = state(one)
        if sort == "open":
            reason = "not stopped yet"
            if one["acknowledged_at"] is not None:
                reason = "stopped by its issuer, and not contained"
            if one["contained_at"] is not None:
                reason = "contained, and not proven dead"
        elif sort == "manual":
            reason = one["reason"]
        else:
            reason = REASONS.get(sort) or one["dismissed"]
        names = {key: one[key] for key in ("incident", "of", "provider", "connection", "owner", "credential")}
        if sort != "proven_dead":
            found.append({"sort": sort, **names, "reason": reason})
        if one["risk"] is not None:
            found.append({"sort": "risk_accepted", **names, "reason": one["risk"]})
    for each in sorted(alone, key=lambda one: [one[key] for key in ("incident", "at", "plan", "scope", "by")]):
        names = {"incident": each["incident"], "of": f"plan {each['plan']}, {each['scope']}"}
        names |= dict.fromkeys(("provider", "connection", "owner", "credential"), "")
        found.append({"sort": each["sort"], **names, "reason": each["reason"]})
        if not each["seen"]:
            found.append({"sort": "review_open", **names, "reason": f"of {each['by']}"})
    return found


def overridden(told: dict[str, Any]) -> dict[str, Any]:
    names = {"incident": told["incident"], "of": f"vendor {told['vendor']}, gate {told['gate']}"}
    names |= dict.fromkeys(("provider", "connection", "owner", "credential"), "")
    return {"sort": "gate_overridden", **names, "reason": f"{told['by']}: {told['reason']}"}


def control(key: tuple[str, str], looked_at: list[dict[str, Any]]) -> dict[str, Any]:
    of = [one for one in looked_at if one["dismissed"] is None and not one["let_in"]]
    states = [state(one) for one in looked_at]
    figures: dict[str, Any] = {
        "population": len(of),
        "looked_at": len(looked_at),
        "proven_dead": sum(one["proven_at"] is not None for one in of),
        "to_replace": sum(map(replaces, of)),
        "replaced": sum(replaces(one) and one["replaced_at"] is not None for one in of),
    }
    figures["exceptions"] = {name: states.count(name) for name in STATES[1:]}
    figures["exceptions"]["not_replaced"] = figures["to_replace"] - figures["replaced"]
    return {"standard": key[0], "id": key[1], **figures}


def told(value: float | None) -> float | None:
    return None if value is None else round(float(value), 3)  # canonical JSON writes 21.0 as 21


def records_of(pack: Path) -> list[dict[str, Any]]:
    """Return the records of a pack."""
    with zipfile.ZipFile(pack) as found:
        return [json.loads(line) for line in found.read("records.jsonl").splitlines()]


def differences(there: Any, here: Any, where: str = "") -> list[str]:
    """Return where the report says something else than the records; words of the report alone are let be."""
    if isinstance(here, dict):
        return [one for key in here for one in differences(there.get(key), here[key], f"{where}.{key}")]
    if isinstance(here, list):
        pairs = zip(there, here, strict=False)
        more = [] if len(there) == len(here) else [f"{where}: {len(there)} there, {len(here)} here"]
        return more + [one for n, (a, b) in enumerate(pairs) for one in differences(a, b, f"{where}[{n}]")]
    return [] if there == here and type(there) is type(here) else [f"{where}: {there!r} there, {here!r} here"]


def unknown(there: Any, here: Any, where: str = "") -> list[str]:
    """Return the figures of a report that nothing here computes: a figure that is new there must be known here too."""
    if isinstance(there, dict):
        known = here if isinstance(here, dict) else {}
        return [one for key in there for one in unknown(there[key], known.get(key, ...), f"{where}.{key}")]
    if isinstance(there, list):
        known = here if isinstance(here, list) else []
        pairs = zip_longest(there, known[: len(there)], fillvalue=...)
        return [one for n, (a, b) in enumerate(pairs) for one in unknown(a, b, f"{where}[{n}]")]
    return (
        [f"{where}: {there!r} there, and nothing computes it"] if here is ... and isinstance(there, int | float) else []
    )


def compared(records: list[dict[str, Any]], given: dict[str, Any]) -> list[str]:
    """Return where a report differs from what its evidence gives, and every figure of it that was not compared."""
    begin, end, made_at = (
        datetime.fromisoformat(given["compliance"][key]).timestamp() for key in ("from", "to", "made_at")
    )
    found = report(records, begin, end, made_at, given["targets"])
    return differences(given, found) + unknown(given, found)


def main(pack: str, path: str) -> int:
    found = compared(records_of(Path(pack)), json.loads(Path(path).read_text()))
    print("\n".join(found) or "every figure follows from the evidence")  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
