"""Vendors: who holds what of ours, and what is known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from rotator.cli import (
    vendor_memo,
    vendor_pause,
    vendor_registry,
    vendor_restore,
    vendor_risk,
    vendor_triage,
    vendor_uses,
)
from rotator.cli.options import Context, Output, OutputOption, emit, say
from rotator.cli.rows import Form, FormOption, put_out, write_csv
from rotator.cli.vendor_registry import Name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SHOWN = 40
"""How many credentials, datasets and ways are told one by one."""


def register(app: typer.Typer) -> None:
    """Add this file's commands, and those of its neighbours that are about vendors."""
    group = typer.Typer(help="Vendors: who holds what, and what is known of them.", no_args_is_help=True)
    vendor_registry.register(group)
    vendor_triage.register(group)
    vendor_memo.register(group)
    vendor_pause.register(group)
    vendor_restore.register(group)
    vendor_risk.register(group)
    vendor_uses.register(group)
    group.command("list")(list_vendors)
    group.command("show")(show)
    app.add_typer(group, name="vendor")


def list_vendors(context: typer.Context, output: FormOption = Form.TABLE) -> None:
    """List vendors: what each holds and reaches.

    It says until when something is attested of each, and who is paused. It also names those that the inventory has as
    `vendor` and nobody registered.

    Example: rotator vendor list
    """
    from rotator.operations.views.vendors import VENDORS  # noqa: PLC0415 - only this command pays for it

    given: Context = context.obj
    found = given.service().lists(VENDORS)
    heads = ("vendor", "criticality", "holds", "reaches", "attested", "software", "paused")
    none = "no vendor is registered: `rotator vendor import FILE` registers them (docs/vendors.md)"
    if not put_out(found, output, heads, _cells, none=none, as_csv=_write_csv):
        return
    for row in found:
        if row["registered"] and row["criticality"] == "critical" and not row["valid_until"]:
            say("", f"{row['name']} is critical, and NOTHING VALID is attested of it")


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    paused = row["paused"]["incident"] if row["paused"] else ""
    criticality = row["criticality"] if row["registered"] else "NOT REGISTERED"
    return row["name"], criticality, _holds(row), _reaches(row), _attested(row), _software(row), paused


def _holds(row: Mapping[str, Any]) -> str:
    told = [f"{row['credentials']:,} credential{'s' * (row['credentials'] != 1)}"] if row["credentials"] else []
    told += [f"{row['grants']:,} grant{'s' * (row['grants'] != 1)}"] if row["grants"] else []
    told += [f"{row['unnamed']:,} of them without an id"] if row["unnamed"] else []
    dead, stated = row.get("dead", 0), row.get("stated_dead", 0)  # an older service tells of none
    told += [f"{dead:,} of them proven dead"] if dead else []
    told += [f"{stated:,} of them stated dead"] if stated else []
    return ", ".join(told) or "nothing known"


def _reaches(row: Mapping[str, Any]) -> str:
    count, further = len(row["datasets"]), row["further"]
    told = [f"{count:,} dataset{'s' * (count != 1)}, {row['worst'] or 'none described'}"] if count else []
    told += [f"{further:,} credential{'s' * (further != 1)} more"] if further else []
    return "; ".join(told)


def _attested(row: Mapping[str, Any]) -> str:
    return (
        f"until {row['valid_until']}" if row["valid_until"] else "NOTHING VALID" if row["attestations"] else "nothing"
    )


def _software(row: Mapping[str, Any]) -> str:
    lists = row["software"]
    return f"{sum(each['components'] for each in lists):,} components, {len(lists)} lists" if lists else "not known"


_COLUMNS = ("name", "title", "criticality", "owner", "registered", "credentials", "grants", "unnamed", "further")
_LAST = ("dead", "stated_dead")
"""Columns are only added at the end."""


def _write_csv(found: Iterable[Mapping[str, Any]]) -> None:
    write_csv([*_COLUMNS, "datasets", "worst", "valid_until", "components", "paused", *_LAST], map(_csv_cells, found))


def _csv_cells(row: Mapping[str, Any]) -> list[Any]:
    components = sum(each["components"] for each in row["software"])
    paused = row["paused"]["incident"] if row["paused"] else ""
    cells = [*(row[each] for each in _COLUMNS), "; ".join(row["datasets"]), row["worst"], row["valid_until"]]
    return [*cells, components, paused, *(row.get(each, 0) for each in _LAST)]


def show(context: typer.Context, name: Name, output: OutputOption = Output.TABLE) -> None:
    """Show a vendor: what it holds, and what that reaches.

    It says by whose word it holds what, which way leads where, what was attested of it and what it is known to run.

    Example: rotator vendor show acme -o json
    """
    from rotator.operations.views.vendors import VENDOR  # noqa: PLC0415 - only this command pays for it

    found = context.obj.service().shows(VENDOR, name)
    if output is not Output.TABLE:
        emit(found, output)
        return
    begins = f"{found['title']} ({name})" if found["title"] != name else name
    owner = f", answered for by {found['owner']}" if found["owner"] else ", and nobody answers for it here"
    say("", f"{begins}: {found['criticality']}{owner}")
    if found["paused"]:
        say("", f"PAUSED by {found['paused']['by']} at {found['paused']['at']}: {found['paused']['incident']}")
    if found.get("uncut"):  # an older service tells of none
        _say_uncut(context.obj, name, found["uncut"])
    for title, key in (("contacts", "contacts"), ("accounts", "accounts"), ("systems", "systems")):
        if found[key]:
            say(f"{title}: ", ", ".join(found[key]))
    if found["sub_processors"]:
        names = (each["name"] + " (not registered)" * (not each["registered"]) for each in found["sub_processors"])
        say("stands on: ", ", ".join(names))
    for title, key in (("a pause would harm users", "user_impact"), ("to change it costs", "cost_of_change")):
        if found[key]:
            say(f"{title}: ", f"{found[key]['level']}: {found[key]['why']}")
    _say_held(found)
    _say_reached(found["reaches"], found["further"])
    _say_known(found)


def _say_uncut(given: Context, name: str, uncut: Iterable[Mapping[str, str]]) -> None:
    names = [" ".join(filter(None, (each["provider"], each["id"] or each["owner"]))) for each in uncut]
    say("HELD AND NOT CUT: ", f"{', '.join(names[:_SHOWN])}, found since; to add it:")
    _say_more(len(names))
    say("  ", given.as_called(f"rotator vendor pause {name} --reason …"))


def _say_held(found: Mapping[str, Any]) -> None:
    typer.echo(f"holds {_holds(found)}")
    for each in found["holds"][:_SHOWN]:
        grant = "grant " if each["grant"] else ""
        on = f" on {each['connection']}" if each["connection"] else ""
        who = " ".join(filter(None, (each["owner"], each["id"] or "(no id is known)")))
        death = each.get("death")  # an older service tells of none
        dead = f", {death['evidence']} dead since {death['at']} ({death['run']})" if death else ""
        say("  ", f"{grant}{each['kind'] or 'a credential'} {who}{on}{dead} ({each['how']})")
    _say_more(len(found["holds"]))


def _say_reached(reaches: Mapping[str, Any], further: int) -> None:
    for each in reaches["datasets"][:_SHOWN]:
        level = each["sensitivity"] or "nobody has said how sensitive it is"
        checked = f", manifest {each['manifest']}" if each["manifest"] else ""
        say("reaches ", f"{each['name']}: {level}{checked}: {'; '.join(each['via'])}")
    _say_more(len(reaches["datasets"]))
    for each in reaches["credentials"][:_SHOWN]:
        who = " ".join(filter(None, (each["kind"], each["owner"], each["id"])))
        say("reaches ", f"{who}: {'; '.join(each['via'])}")
    _say_more(further)
    for each in reaches["warnings"]:
        say("UNKNOWN: ", each)


def _say_known(found: Mapping[str, Any]) -> None:
    from rotator.report.overridden import said  # noqa: PLC0415 - only who looks pays for it

    for each in found["attestations"]:
        scope = f" for {each['scope']}" if each["scope"] else ""
        term = f"{each['valid_from']} to {each['valid_to']}"
        standing = each["standing"] if each["standing"] == "valid" else f"NOT VALID, {each['standing']}"
        say("attested: ", f"{each['kind']} by {each['issuer']}{scope}, {term}: {standing}")
    if not found["attestations"]:
        typer.echo("nothing is attested of it")
    for each in found["software"]:
        say("runs ", f"{each['components']:,} components by {each['source']} of {each['at']}, SHA-256 {each['sha256']}")
    if not found["software"]:
        typer.echo("nobody knows what it runs: `rotator vendor sbom` takes its bill of materials")
    for each in found["breaches"]:
        say("breach ", f"{each['on']}: {each['what']}" + (f" ({each['source']})" if each["source"] else ""))
    for each in found["pauses"]:
        ended = f", let in again at {each['restored_at']} by {each['restored_by']}" if each["restored_at"] else ""
        say("paused ", f"at {each['at']} by {each['by']}: {each['incident']}{ended}")
    if "uses" in found:  # an older service tells of none
        _say_used(found["uses"])
    for each in found.get("overridden", ()):  # as above
        say("OVERRIDDEN: ", said(each))


def _say_used(uses: Mapping[str, Any]) -> None:
    for line in [*uses["grave"], *uses["says"]]:
        say("use: ", line)
    for each in uses["credentials"][:_SHOWN]:
        span = f"{each['calls']:,} calls, the last at {each['last_at']} ({', '.join(each['logs'])})"
        say("used ", f"{each['kind']} {each['id']}: {span}: {vendor_uses.unusual(each)}")
        for sign in each["signs"]:
            say("  ", f"{sign['sign']}: {sign['words']}")
    _say_more(uses["named"])


def _say_more(count: int) -> None:
    if count > _SHOWN:
        typer.echo(f"  … and {count - _SHOWN:,} more: -o json has more of them")
