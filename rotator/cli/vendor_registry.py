"""The registry of vendors, kept up to date: imported and written, with what they run and what was attested of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rotator.actor import actor
from rotator.cli.inventory import SHOWN, opened, tell_bad
from rotator.cli.options import Context, Output, OutputOption, emit, say
from rotator.report.plain import plain

if TYPE_CHECKING:
    from rotator.bootstrap import Rotator
    from rotator.flow.registry import Change, Listed, Said

_LONGEST = 160
"""Letters of one value that are told of a change."""


class Form(StrEnum):
    """As what the registry is written: each is read again by `vendor import`."""

    YAML = "yaml"
    JSON = "json"
    CSV = "csv"


class Table(StrEnum):
    """Which of its tables is written as CSV."""

    VENDORS = "vendors"
    DATASETS = "datasets"
    ATTESTATIONS = "attestations"


Name = Annotated[str, typer.Argument(metavar="NAME", help="The vendor, as `rotator vendor list` shows it.")]


def register(group: typer.Typer) -> None:
    """Add this file's commands."""
    group.command("import")(import_files)
    group.command("export")(export)
    group.command("sbom")(sbom)
    group.command("attest")(attest)


def import_files(
    context: typer.Context,
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...", help="YAML or JSON with `vendors` and `datasets`, or CSV; - reads standard input."
        ),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change; change nothing.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Import what is known of vendors and datasets.

    A row's keys replace those that are there, and the others stay; `null` takes a key back. Each change is a record of
    the vendor's chain of evidence. With one bad row nothing is imported at all.

    Example: rotator vendor import vendors.yaml attestations.csv --dry-run
    """
    from rotator.flow.inventory import Act  # noqa: PLC0415
    from rotator.shown.vendors import change  # noqa: PLC0415

    given: Context = context.obj
    parts = given.parts()
    said = _read(parts, files)
    found = parts.vendors.plan(said) if dry_run else parts.vendors.take(said, actor())
    if output is not Output.TABLE:
        emit([change(each) for each in found], output)
        return
    changed = [each for each in found if each.act is not Act.SAME]
    for each in changed if dry_run else changed[:SHOWN]:
        say("would be " * dry_run, _line(each))
    if not dry_run and len(changed) > SHOWN:
        typer.echo(f"… and {len(changed) - SHOWN:,} more: `rotator vendor export` has all")
    counts = {act: sum(each.act is act for each in found) for act in Act}
    would = "would be " * dry_run
    typer.echo(
        f"{counts[Act.ADDED]:,} {would}added, {counts[Act.CHANGED]:,} {would}changed, {counts[Act.SAME]:,} as they were"
    )


def _read(parts: Rotator, files: Iterable[str]) -> Sequence[Said]:
    from rotator.registering import rows  # noqa: PLC0415 - pydantic is not free

    found = rows(parts, map(opened, files))
    tell_bad(found.bad)
    return found.said


def _line(change: Change) -> str:
    before = change.before or {}
    keys = (
        f"{name}: {_short(change.after.get(name))}"
        if change.before is None
        else f"{name}: {_short(before.get(name))} → {_short(change.after.get(name))}"
        for name in change.keys
    )
    return f"{change.act} {change.sort} {change.name}  {'; '.join(keys)}"


def _short(value: object) -> str:
    told = "not said" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return told if len(told) <= _LONGEST else f"{told[:_LONGEST]}…"


def export(
    context: typer.Context,
    output: Annotated[Form, typer.Option("--output", "-o", help="As what.")] = Form.YAML,
    table: Annotated[Table, typer.Option("--table", help="Which table, as CSV.")] = Table.VENDORS,
) -> None:
    """Write the registry so that `vendor import` reads it again.

    YAML and JSON have all that files said; a CSV table is of vendors, datasets or attestations. What vendors run, as
    `vendor sbom` took it, is not in it.

    Example: rotator vendor export -o csv --table attestations
    """
    from rotator import vendor_text  # noqa: PLC0415 - only this command pays for it

    told = context.obj.parts().vendors.told()
    if output is Form.CSV:
        text = vendor_text.as_csv(told, vendor_text.Table(table.value))
    else:
        text = vendor_text.as_json(told) if output is Form.JSON else vendor_text.as_yaml(told)
    sys.stdout.write(text)


def sbom(
    context: typer.Context,
    name: Name,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="SBOMs (CycloneDX, SPDX), freezes, lock files, logs.")
    ],
    output: OutputOption = Output.TABLE,
) -> None:
    """Keep what a vendor runs, by its bill of materials.

    Any list of packages will do that bad ones are looked for in. A list is called as its file, and a later one of this
    name replaces it. Its digest and when it was made are evidence. Nothing is kept unless every file is read.

    Example: rotator vendor sbom acme acme-2026-11.cdx.json
    """
    from rotator import registering  # noqa: PLC0415 - only this command pays for it
    from rotator.operations.operation import segment  # noqa: PLC0415

    given: Context = context.obj
    if (far := given.far()) is not None:
        registering.lists(files)  # none is sent unless all of them are lists
        path = f"/vendors/{segment(name)}/software"
        told = [far.declares(path, each.read_bytes(), {"name": each.name}) for each in files]
    else:
        told = _kept(given.parts(), name, registering.lists(files))
    if output is not Output.TABLE:
        emit(told, output)
        return
    for row in told:
        typer.echo(plain(f"{name} runs {row['components']:,} components by {row['source']}, SHA-256 {row['sha256']}"))
        if row["left_out"]:
            typer.echo(f"{row['left_out']:,} components were LEFT OUT: their names look like secrets")


def _kept(parts: Rotator, name: str, lists: Iterable[Listed]) -> list[dict[str, Any]]:
    parts.vendors.one(name)
    told = []
    for each in lists:
        count = parts.vendors.runs(name, each, actor())
        counts = {"components": count, "left_out": each.left_out}
        told.append({"vendor": name, "source": each.source, "sha256": each.digest, **counts})
    return told


def attest(  # noqa: PLR0917 - a command
    context: typer.Context,
    name: Name,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="Of which kind: `SOC 2 Type II`, `ISO 27001`.")],
    issuer: Annotated[str, typer.Option("--issuer", help="Who attests it.")],
    begins: Annotated[str, typer.Option("--from", metavar="DATE", help="The first day of its term: 2026-01-31.")],
    ends: Annotated[str, typer.Option("--to", metavar="DATE", help="Its last day.")],
    document: Annotated[Path, typer.Option("--document", metavar="FILE", help="Hashed; no copy is kept.")],
    scope: Annotated[str, typer.Option("--scope", help="What it speaks of.")] = "",
    output: OutputOption = Output.TABLE,
) -> None:
    """Record an attestation of a vendor.

    Kept with it is the SHA-256 of its document, which over ROTATOR_URL is sent and hashed there. It is weak evidence:
    it tells how things were said to be, for its scope, until its last day. One that is over, or yet to begin, is
    recorded too, and counts on no other day than those of its term.

    Example: rotator vendor attest acme "ISO 27001" --issuer DNV --from 2026-01-01 --to 2028-12-31 --document iso.pdf
    """
    from rotator import registering  # noqa: PLC0415 - only this command pays for it
    from rotator.operations import vendor_attestation  # noqa: PLC0415
    from rotator.operations.operation import segment  # noqa: PLC0415

    given: Context = context.obj
    paper = vendor_attestation.made(kind, issuer, scope, begins, ends, registering.digest(document))
    if (far := given.far()) is not None:
        said = {"kind": paper.kind, "issuer": paper.issuer, "scope": paper.scope, "from": begins, "to": ends}
        told = far.declares(f"/vendors/{segment(name)}/attestations", document.read_bytes(), said)
    else:
        parts = given.parts()
        parts.vendors.one(name)
        told = vendor_attestation.keep(parts, actor(), name, paper)
    if output is not Output.TABLE:
        emit(told, output)
        return
    known = " (known)" * (not told["is_new"])
    typer.echo(plain(f"{paper.kind} of {name}, by {paper.issuer}: SHA-256 {paper.digest}") + known)
    for line in told["warnings"]:
        typer.echo(plain(line))
