"""Vendors by risk, with the terms that it is of, and how fast what they held was answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from rotator.cli.options import Context
from rotator.cli.rows import Form, FormOption, put_out, write_csv

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def register(group: typer.Typer) -> None:
    """Add it."""
    group.command("risk")(risk)


def risk(context: typer.Context, output: FormOption = Form.TABLE) -> None:
    """List vendors by risk, each with its terms.

    Risk is likelihood times sensitivity while no notice tells of any. Beside it stands how long it took in the last
    year until what a vendor held was proven dead, in incidents and in drills, and until its exposure was detected or,
    after its publication, an advisory arrived that touches it.

    Example: rotator vendor risk -o csv
    """
    from rotator.operations.views.vendor_risks import RISKS  # noqa: PLC0415 - only this command pays for it

    given: Context = context.obj
    found = given.service().lists(RISKS)
    heads = ("risk", "vendor", "likelihood", "sensitivity", "attested", "p50 to dead", "paused")
    none = "no vendor is registered: `rotator vendor import FILE` registers them (docs/vendors.md)"
    if not put_out(found, output, heads, _cells, none=none, as_csv=_write_csv):
        return
    critical = [each for each in found if each["criticality"] == "critical"]
    valid = sum(1 for each in critical if each["attestations"].get("valid"))
    typer.echo(f"critical vendors with a valid attestation: {valid:,} of {len(critical):,}")


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    if not row["registered"]:
        return "-", row["vendor"], "NOT REGISTERED", f"it holds {row['credentials']:,}", "", "", ""
    terms = {each["name"]: each for each in row["terms"]}
    likely, sensitive = (f"{terms[name]['value']:g}: {terms[name]['why']}" for name in ("likelihood", "sensitivity"))
    attested = ", ".join(f"{count} {how}" for how, count in row["attestations"].items()) or "nothing"
    dead = row["times"]["proven_dead"]
    took = f"{dead['p50_s']:g} s" if dead["p50_s"] is not None else "not known"
    return f"{row['risk']:.3f}", row["vendor"], likely, sensitive, attested, f"{took} (n {dead['n']})", row["paused"]


_COLUMNS = ("rank", "vendor", "title", "criticality", "owner", "registered", "risk")
_TERMS = ("likelihood", "worst", "breadth", "sensitivity")
_TIMES = ("proven_dead", "drilled", "detected", "advised")
_COUNTS = ("credentials", "grants", "further", "paused")


def _write_csv(found: Iterable[Mapping[str, Any]]) -> None:
    of_terms = [f"{name}_{part}" for name in _TERMS for part in ("value", "why", "source", "by")]
    of_times = [f"{name}_{part}" for name in _TIMES for part in ("n", "open", "p50_s", "mean_s")]
    write_csv([*_COLUMNS, *of_terms, "attested_valid", *_COUNTS, *of_times], map(_csv_cells, found))


def _csv_cells(row: Mapping[str, Any]) -> list[Any]:
    terms = {each["name"]: each for each in row["terms"]}
    told = [terms.get(name, {}).get(part, "") for name in _TERMS for part in ("value", "why", "source", "by")]
    took = [row["times"].get(name, {}).get(part) for name in _TIMES for part in ("n", "open", "p50_s", "mean_s")]
    cells = [*(row[each] for each in _COLUMNS), *told, row["attestations"].get("valid", 0)]
    return [*cells, *(row[each] for each in _COUNTS), *took]
