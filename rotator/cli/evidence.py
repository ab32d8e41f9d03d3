"""Evidence for who was not there: a signed pack of it, and its check."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rotator.cli import evidence_kept, expiring, signing_keys
from rotator.cli import probes as own_uses
from rotator.cli.options import Output, OutputOption, emit
from rotator.report.plain import plain

if TYPE_CHECKING:
    from rotator.evidence.followed import Finding
    from rotator.evidence.verify import Verified
    from rotator.evidence.witnessed import Compared, Doubt

Of = Annotated[
    list[str] | None, typer.Argument(metavar="[INCIDENT]...", help="Their evidence alone; none: all that there is.")
]
To = Annotated[Path, typer.Option("--to", metavar="FILE", help="Where the pack goes, as NAME.evidence.zip.")]
Key = Annotated[
    str, typer.Option("--key", metavar="PUBLIC", help="The key that signed first, as you were told it elsewhere.")
]
Against = Annotated[str, typer.Option("--against", metavar="KEEPER", help="A folder or s3://… that kept checkpoints.")]
TsaCa = Annotated[
    Path | None, typer.Option("--tsa-ca", metavar="FILE", help="The CA of the time stamping authority, as PEM.")
]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    group = typer.Typer(help="Evidence for auditors: a signed pack of it, and its check.", no_args_is_help=True)
    group.command("export")(export)
    group.command("verify")(verify)
    group.command("keep")(evidence_kept.keep)
    group.command("expire")(expiring.expire)
    group.command("probes")(own_uses.probes)
    group.command("key")(signing_keys.key)
    group.command("new-key")(signing_keys.new_key)
    app.add_typer(group, name="evidence")


def export(context: typer.Context, to: To, of: Of = None, output: OutputOption = Output.TABLE) -> None:
    """Write a pack that anybody can check.

    Neither this program nor the ledger is needed for that. What has grown is signed first, so that all is covered. The
    pack holds names of credentials and people, no secrets, and a small program of its own that checks it.

    Example: rotator evidence export last --to incident.evidence.zip
    """
    from rotator import clock  # noqa: PLC0415
    from rotator.evidence import pack  # noqa: PLC0415
    from rotator.evidence.verify import verify as check  # noqa: PLC0415
    from rotator.ledger import vendor_chains  # noqa: PLC0415
    from rotator.ledger.covered import covered  # noqa: PLC0415
    from rotator.report.clocks import moment  # noqa: PLC0415

    parts = context.obj.parts()
    signing_key, now = signing_keys.signing_key(parts), clock.now()
    named = [parts.reading.named(each) for each in of or ()]
    _, altered = parts.checkpoints.sign(signing_key)
    with covered(parts.database, named) as found:
        wanted, under = found.of, found.checkpoints
        made = pack.write(to, signing_key, wanted, under, found.records, now, parts.witnesses.stamps(len(under)))
    findings = check(pack.Pack(to)).findings
    manifests, vendors = parts.manifests.altered(), vendor_chains.altered(parts.database)
    told = {"file": str(to), "of": wanted, "records": made.records, "chains": made.chains}
    told |= {"checkpoint": made.checkpoint, "key": signing_key.public, "made_at": moment(now)}
    if output is not Output.TABLE:
        wrong = [{"where": each.where, "what": each.what} for each in findings]
        chains = [f"{each.chain} {each.number}" for each in altered]
        emit(told | {"altered": chains, "manifests": manifests, "vendors": vendors, "findings": wrong}, output)
    else:
        counts = f"{made.records:,} records of {made.chains:,} chains, under {made.checkpoint} checkpoints"
        typer.echo(plain(f"{to}: {counts}"))
        typer.echo(f"signed by {signing_key.public}: tell it to whoever checks on another way than with the pack")
    for each in altered:
        typer.echo(plain(f"ALTERED: record {each.number} of {each.chain} is not the one that was signed"), err=True)
    for each in findings:
        typer.echo(plain(f"ALTERED: {each.where}: {each.what}"), err=True)
    for name in manifests:
        typer.echo(plain(f"ALTERED: the manifest {name} is not the one that was recorded"), err=True)
    for each in vendors:
        typer.echo(plain(f"ALTERED: {each} is not what its chain tells"), err=True)
    if altered or findings or manifests or vendors:
        raise typer.Exit(1)


def verify(
    file: Annotated[Path, typer.Argument(metavar="PACK", help="A pack that `evidence export` made.")],
    key: Key = "",
    against: Against = "",
    tsa_ca: TsaCa = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Check a pack: neither ledger nor configuration is needed.

    It names, of each chain, the first record that was altered, taken out, put in or moved. Exit code 0: all holds; 1:
    something does not; 3: some of it rests on a key that was stolen. Without --key it is only checked that one key
    signed all of it, and not whose key that is. With --against it is compared with the checkpoints that are kept in a
    folder or a bucket, which is read with this machine's own login.

    Example: rotator evidence verify incident.evidence.zip --key k0Vj…= --against s3://audit/rotator
    """
    from rotator.evidence import timestamp, witnessed  # noqa: PLC0415
    from rotator.evidence.keepers import keeper_of  # noqa: PLC0415
    from rotator.evidence.pack import Pack  # noqa: PLC0415
    from rotator.evidence.verify import verify as check  # noqa: PLC0415
    from rotator.ports.connection import Connection  # noqa: PLC0415

    pack = Pack(file)
    found = check(pack, key)
    findings, compared, stamped = list(found.findings), None, None
    if against:
        compared = witnessed.against(keeper_of(against, Connection("", "aws"), 1), found.signed, found.made_at)
        findings += compared.findings
    if tsa_ca is not None:
        stamped, wrong = witnessed.stamped(pack, found.signed, timestamp.authorities(tsa_ca))
        findings += wrong
    doubts = list(witnessed.doubts(found.signed, [compared.kept if compared else {}, stamped or {}]))
    if output is not Output.TABLE:
        emit(_told(found, findings, compared, stamped, doubts), output)
    else:
        _say(found, findings, is_trusted=bool(key))
        _say_outside(compared, stamped, doubts)
    if findings or doubts:
        raise typer.Exit(1 if findings else 3)


def _told(
    found: Verified,
    findings: list[Finding],
    compared: Compared | None,
    stamped: dict[int, float] | None,
    doubts: list[Doubt],
) -> dict[str, object]:
    from rotator.report.clocks import moment  # noqa: PLC0415

    told = {"holds": not findings and not doubts, "of": found.of, "records": found.records, "chains": found.chains}
    told |= {"checkpoints": found.checkpoints, "keys": found.keys, "made_at": moment(found.made_at)}
    told |= {"until": moment(found.until)}
    told["deleted"] = [
        {"checkpoint": each.checkpoint, "at": moment(each.at), "chains": len(each.chains), "records": each.records}
        for each in found.signed.deleted
    ]
    if compared is not None:
        told["kept"] = {"until": max(compared.kept, default=0), "count": len(compared.kept), "newer": compared.newer}
    if stamped is not None:
        told["stamped"] = [{"checkpoint": number, "before": moment(at)} for number, at in sorted(stamped.items())]
    told["doubts"] = [
        {"checkpoints": [each.first, each.last], "records": each.records, "stolen_since": moment(each.stolen.since)}
        for each in doubts
    ]
    return told | {"findings": [{"where": each.where, "what": each.what} for each in findings]}


def _say(found: Verified, findings: list[Finding], *, is_trusted: bool) -> None:
    from rotator.report.clocks import moment  # noqa: PLC0415

    for each in findings:
        typer.echo(plain(f"{each.where}: {each.what}"))
    for gone in found.signed.deleted:
        many = f"{len(gone.chains):,} chains with {gone.records:,} records were deleted by policy"
        under = f"under checkpoint {gone.checkpoint} of {moment(gone.at)}"
        typer.echo(f"{many}, {under}: of them nothing can be checked here")
    counts = f"{found.records:,} records of {found.chains:,} chains, under {found.checkpoints} checkpoints"
    if findings:
        typer.echo(f"IT DOES NOT HOLD: {len(findings)} findings in {counts}")
        return
    typer.echo(plain(f"it holds: {counts}, until {moment(found.until)}; of {', '.join(found.of) or 'all there is'}"))
    if not is_trusted and found.keys:
        typer.echo(f"signed first by {found.keys[0]}: compare it with what you were told")


def _say_outside(compared: Compared | None, stamped: dict[int, float] | None, doubts: list[Doubt]) -> None:
    """Say what stands outside of the pack, and no more than it shows."""
    from rotator.report.clocks import moment  # noqa: PLC0415

    if compared is not None and compared.kept:
        newer = f"; {compared.newer} came behind this pack" if compared.newer else ""
        typer.echo(f"kept there and the same: {len(compared.kept)} checkpoints, until {max(compared.kept)}{newer}")
    if stamped:
        last = max(stamped)
        typer.echo(f"stamped: checkpoint {last}, and so all before it, existed before {moment(stamped[last])}")
    elif stamped is not None:
        typer.echo("no checkpoint of it is stamped with a time")
    for each in doubts:
        typer.echo(
            f"IN DOUBT: checkpoints {each.first} to {each.last}, which sign {each.records:,} records: their key is "
            f"stolen since {moment(each.stolen.since)}, and nothing outside shows that they are older"
        )
    if doubts:
        typer.echo("compare the key that signs since with what you were told since: whoever stole one names another")
