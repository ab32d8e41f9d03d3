"""The decision memo of one vendor as data: for who was not there and has to decide, in words, on one page.

What is a judgement says so, and what nobody knows stands beside what is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rotator.flow.vendor_terms import HOURS
from rotator.flow.vendor_triage import Advice
from rotator.report.clocks import moment
from rotator.report.html_form import lasted
from rotator.report.plain import plain

DECIDE_WITHIN_S: Mapping[str, float] = {
    Advice.PAUSE.value: 3600.0,
    Advice.PREPARE.value: 86400.0,
    Advice.WATCH.value: 7 * 86400.0,
}
"""Seconds in which somebody should decide: a judgement, as the thresholds are."""
LISTED, LETTERS, _GROUNDS = 12, 180, 3
"""How many kinds, and datasets, one page names, and how long what others wrote may be on it: `-o json` has all."""
UNKNOWN = "unknown"
_UNSEEN = "How what it holds is used: no access log was read (rotator vendor uses)."
_SHOWN_TERMS = ("likelihood", "sensitivity", "effort_h", "user_impact", "cost_of_change")


def build(
    row: Mapping[str, Any],
    notice: Mapping[str, Any],
    vendor: Mapping[str, Any],
    holds: Mapping[str, Any],
    *,
    pauses: Sequence[Mapping[str, Any]],
    used: str,
    deciders: Sequence[str],
    made_at: float,
    made_by: str,
) -> dict[str, Any]:
    """Return the memo of a vendor's triage `row`; `pauses` are its own, the newest first.

    `used` says how what it holds is used, "" where no log was read.
    """
    terms = {each["name"]: each for each in row["terms"]}
    paused = next((each for each in pauses if not each["restored_at"]), None)
    ended = _ended(notice, pauses)
    return {
        "vendor": dict(vendor),
        "question": _question(paused, ended),
        "made_at": moment(made_at),
        "made_by": made_by,
        "notice": dict(notice),
        "happened": happened(notice, pauses),
        "standing": [line for each in pauses for line in _standing(each)],
        "paused": dict(paused) if paused else None,
        "known": [*([short(used)] if used else []), *_known(row, terms)],
        "unknown": [*_unknown(row, holds), *([] if used else [_UNSEEN])],
        "holds": dict(holds),
        "terms": [_told(terms[name]) for name in _SHOWN_TERMS],
        "priority": row["priority"],
        "formula": formula(row, terms),
        "lead": _lead(paused, ended),
        "advice": row["advice"],
        "because": row["because"],
        "options": _options_of_paused(row["vendor"], terms) if paused else _options(row["vendor"], terms, holds),
        "deciders": list(deciders),
        "asked": _asked(row, paused, ended),
        "until": "" if paused or ended else moment(made_at + DECIDE_WITHIN_S[row["advice"]]),
    }


def many(count: int, what: str) -> str:
    """Return how many there are of something, in words."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _ended(notice: Mapping[str, Any], pauses: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the last pause, where it is over and the memo is for what it was for: a new notice asks anew."""
    last = pauses[0] if pauses else None
    is_new = bool(notice["id"]) and last is not None and not {notice["id"], *notice["names"]} & {*last["notices"]}
    return None if last is None or is_new or not last["restored_at"] else last


def _question(paused: Mapping[str, Any] | None, ended: Mapping[str, Any] | None) -> str:
    if paused:
        return "stay paused, or let it in again?"
    return "let in again; is it to be paused once more?" if ended else "pause it, prepare, or go on?"


def _lead(paused: Mapping[str, Any] | None, ended: Mapping[str, Any] | None) -> str:
    if paused:
        return "Without the pause the recommendation would be"
    return "Let in again; by what is known now the recommendation would be" if ended else "Recommendation"


def happened(notice: Mapping[str, Any], pauses: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what a notice tells, or for what a vendor was paused last without one."""
    told = [each for each in (notice["title"], notice["summary"], *notice["notes"][:3]) if each]
    if not notice["title"]:
        told = [f"It was paused without a notice: {pauses[0]['reason']}" if pauses else "No notice was given", *told]
    return [short(each).rstrip(".") for each in told]


def short(text: str) -> str:
    """Return what others wrote as a page has room for it."""
    told = plain(" ".join(text.split()))
    return told if len(told) <= LETTERS else f"{told[: LETTERS - 1]}…"


def _sentence(text: str) -> str:
    """Return it with one end, as a page has room for it."""
    return f"{short(text).rstrip('.')}."


def _standing(pause: Mapping[str, Any]) -> Iterator[str]:
    """Say how a pause began, stands and ended, which datasets differed, and what was overridden: for good."""
    noticed = f" for {short(', '.join(pause['notices']))}" if pause["notices"] else ""
    by = f"{pause['by']} in {pause['incident']}{noticed}"
    begun = f"Paused at {_clock(pause['at'])} by {by}: {_sentence(pause['reason'])}"
    counts = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in pause["totals"].items() if count)
    told = f"{begun} Of what it held: {counts or 'nothing was known'}."
    if pause["restored_at"]:
        told += f" Let in again at {_clock(pause['restored_at'])} by {pause['restored_by']}: {_sentence(pause['why'])}"
    else:
        told += " It is paused still, and nothing new is made for it."
    yield told
    for each in pause["differed"][:_GROUNDS]:
        again = f" As recorded again since {_clock(each['since'])}." if each["since"] else ""
        what = (
            f"The dataset {short(each['dataset'])} DIFFERED as it was checked at {_clock(each['at'])}: {each['found']}"
        )
        yield f"{what} ({short('; '.join(each['named']))}).{again}"
    if (more := len(pause["differed"]) - _GROUNDS) > 0:
        yield f"And {many(more, 'other dataset')} differed."
    for each in pause["overridden"]:
        against = f" Against: {short('; '.join(each['against']))}." if each["against"] else ""
        gate = f"OVERRIDDEN: the gate {each['gate']} at {_clock(each['at'])} by {each['by']}"
        yield f"{gate}: {short(each['reason'])}.{against}"


def _known(row: Mapping[str, Any], terms: Mapping[str, Mapping[str, Any]]) -> list[str]:
    found = [f"Likelihood {each['likelihood']:g}: {short(each['why'])}." for each in row["grounds"][:_GROUNDS]]
    found += [
        f"{each['by']} {each['source'].replace('set for', f'set {named(each)} to {worded(each)} for')}, in place of "
        f"{_number(each['instead_of'])}: {short(each['why'])}."
        for each in row["terms"]
        if each["by"]
    ]
    return [*found, f"Worst of what it reaches: {short(terms['worst']['why'])}."]


def _unknown(row: Mapping[str, Any], holds: Mapping[str, Any]) -> list[str]:
    """Return what is open, without the marks in which a terminal shows commands."""
    found = [f"{named(each)}: {each['ask'].replace('`', '')}." for each in row["terms"] if each["ask"]]
    if holds["blind"]:
        found.append(f"What {holds['blind']:,} of its credentials read: nobody said.")
    return [f"{each[0].upper()}{each[1:]}" for each in found]


def named(term: Mapping[str, Any]) -> str:
    """Return what people call a term."""
    return str(term["name"]).removesuffix("_h").replace("_", " ")


def _told(term: Mapping[str, Any]) -> dict[str, str]:
    by = f"{term['by']}, {term['source']}" if term["by"] else term["source"]
    unit = " h" if term["unit"] == HOURS else ""
    return {
        "name": named(term),
        "value": f"{worded(term)}{unit}",
        "source": short(by),
        "why": short(term["why"]),
    }


def formula(row: Mapping[str, Any], terms: Mapping[str, Mapping[str, Any]]) -> str:
    """Return of which two terms a priority is."""
    of = [terms[name]["value"] for name in ("likelihood", "sensitivity")]
    return f"{row['priority']:g} = likelihood {of[0]:g} x sensitivity {of[1]:g}"


def _options(name: str, terms: Mapping[str, Mapping[str, Any]], holds: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return what may be done with a vendor that is not paused, and what follows of each."""
    time = _least(terms["least_s"]["value"])
    cut = f"{holds['by_machine']:,} cut by machine, {time}; tasks of people: {holds['tasks']:,}"
    reach = f"all it holds ({holds['held'] - holds['dead']:,}) and {many(len(holds['datasets']), 'dataset')}"
    hours = f"about {terms['effort_h']['value']:g} hours of people"
    return [
        _option("Pause", f"{cut}; {hours}. Nothing new is made for it.", _costs(terms), f"rotator vendor pause {name}"),
        _option(
            "Prepare, then pause",
            "Tell who uses it and find out what is not known first; then as above.",
            f"Until then whoever is at the vendor may use {reach}.",
        ),
        _option(
            "Go on",
            "Nothing is cut. Look again when the notice or what is known changes.",
            f"Whoever is at the vendor may use {reach}, and nobody here would see it but in access logs.",
        ),
    ]


def _least(seconds: float | None) -> str:
    """Say how long that takes by the budgets of its accounts alone."""
    if seconds is None:
        return "in a time that is unknown: no budget says what the accounts allow"
    return f"in {lasted(seconds)} at the least" if seconds else "at once, as far as the accounts' budgets go"


def _options_of_paused(name: str, terms: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return what may be done with one that is paused."""
    gates = "Once each gate of its checklist is open; what is overridden of them is told for good."
    new = "Suspended grants are resumed where they are named; its credentials stay dead, and people make new ones."
    return [
        _option("Stay paused", "What was cut stays cut, and nothing new is made for it.", _costs(terms)),
        _option("Let it in again", gates, new, f"rotator vendor restore {name}"),
    ]


def _option(name: str, does: str, costs: str, command: str = "") -> dict[str, str]:
    return {"name": name, "does": does, "costs": costs, "command": command}


def _costs(terms: Mapping[str, Mapping[str, Any]]) -> str:
    impact, cost = terms["user_impact"], terms["cost_of_change"]
    return f"Users: {worded(impact)} ({short(impact['why'])}). To do without it: {worded(cost)}."


def _asked(row: Mapping[str, Any], paused: Mapping[str, Any] | None, ended: Mapping[str, Any] | None) -> str:
    if paused:
        return (
            f"It is decided: paused. What is open of it is in {paused['incident']}; to let it in is asked by its gates."
        )
    if ended:
        let_in = f"let in again at {_clock(ended['restored_at'])} by {ended['restored_by']}"
        return f"It is decided: {let_in}. Nobody is asked, unless what is known has changed since."
    wanted = {
        Advice.PAUSE.value: "Say yes or no to a pause.",
        Advice.PREPARE.value: "Say who prepares the pause, and who finds out what is not known.",
        Advice.WATCH.value: "Say that it may go on, and who looks again.",
    }
    return wanted[row["advice"]]


def worded(term: Mapping[str, Any]) -> str:
    """Return the value of a term, as people read it."""
    return str(term["level"]) if term["level"] else _number(term["value"])


def _number(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:g}"


def _clock(iso: str) -> str:
    return f"{iso[:10]} {iso[11:16]} UTC"
