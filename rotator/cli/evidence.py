"""Evidence for who was not there: a signed pack of it, its check, and the key that signs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rotator.cli.options import Context, Output, OutputOption, emit
from rotator.errors import BadInput
from rotator.report.plain import plain

if TYPE_CHECKING:
    from rotator.bootstrap import Rotator
    from rotator.evidence.signing import SigningKey
    from rotator.evidence.verify import Verified

Of = Annotated[
    list[str] | None, typer.Argument(metavar="[INCIDENT]...", help="Their evidence alone; none: all that there is.")
]
To = Annotated[Path, typer.Option("--to", metavar="FILE", help="Where the pack goes, as NAME.evidence.zip.")]
Key = Annotated[
    str, typer.Option("--key", metavar="PUBLIC", help="The key that signed first, as you were told it elsewhere.")
]
Next = Annotated[str, typer.Argument(metavar="REFERENCE", help="The next key: env:NAME, file:PATH or vault:PATH#KEY.")]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    group = typer.Typer(help="Evidence for auditors: a signed pack of it, and its check.", no_args_is_help=True)
    group.command("export")(export)
    group.command("verify")(verify)
    group.command("key")(key)
    group.command("new-key")(new_key)
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
    from rotator.report.clocks import moment  # noqa: PLC0415

    parts = context.obj.parts()
    signing_key, now = _key(parts), clock.now()
    wanted = parts.checkpoints.of([parts.reading.named(each) for each in of or ()])
    _, altered = parts.checkpoints.sign(signing_key)
    under = parts.checkpoints.all()
    made = pack.write(to, signing_key, wanted, under, parts.checkpoints.records(under, wanted), now)
    findings = check(pack.Pack(to)).findings
    manifests = parts.manifests.altered()
    told = {"file": str(to), "of": wanted, "records": made.records, "chains": made.chains}
    told |= {"checkpoint": made.checkpoint, "key": signing_key.public, "made_at": moment(now)}
    if output is not Output.TABLE:
        wrong = [{"where": each.where, "what": each.what} for each in findings]
        chains = [f"{each.chain} {each.number}" for each in altered]
        emit(told | {"altered": chains, "manifests": manifests, "findings": wrong}, output)
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
    if altered or findings or manifests:
        raise typer.Exit(1)


def verify(
    file: Annotated[Path, typer.Argument(metavar="PACK", help="A pack that `evidence export` made.")],
    key: Key = "",
    output: OutputOption = Output.TABLE,
) -> None:
    """Check a pack: neither ledger nor configuration is needed.

    It names, of each chain, the first record that was altered, taken out, put in or moved. Exit code 0: all holds; 1:
    something does not. Without --key it is only checked that one key signed all of it, and not whose key that is.

    Example: rotator evidence verify incident.evidence.zip --key k0Vj…=
    """
    from rotator.evidence.pack import Pack  # noqa: PLC0415
    from rotator.evidence.verify import verify as check  # noqa: PLC0415
    from rotator.report.clocks import moment  # noqa: PLC0415

    found = check(Pack(file), key)
    if output is not Output.TABLE:
        told = {"holds": not found.findings, "of": found.of, "records": found.records, "chains": found.chains}
        told |= {"checkpoints": found.checkpoints, "keys": found.keys, "made_at": moment(found.made_at)}
        findings = [{"where": each.where, "what": each.what} for each in found.findings]
        emit(told | {"until": moment(found.until), "findings": findings}, output)
    else:
        _say(found, is_trusted=bool(key))
    if found.findings:
        raise typer.Exit(1)


def _say(found: Verified, *, is_trusted: bool) -> None:
    from rotator.report.clocks import moment  # noqa: PLC0415

    for each in found.findings:
        typer.echo(plain(f"{each.where}: {each.what}"))
    counts = f"{found.records:,} records of {found.chains:,} chains, under {found.checkpoints} checkpoints"
    if found.findings:
        typer.echo(f"IT DOES NOT HOLD: {len(found.findings)} findings in {counts}")
        return
    typer.echo(plain(f"it holds: {counts}, until {moment(found.until)}; of {', '.join(found.of) or 'all there is'}"))
    if not is_trusted and found.keys:
        typer.echo(f"signed first by {found.keys[0]}: compare it with what you were told")


def key(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """Show the public key that signed first: packs are checked with it.

    Who checks packs must know it from elsewhere than from them. Later keys follow from it: each was named by the one
    before.

    Example: rotator evidence key
    """
    from rotator.evidence.signing import fingerprint  # noqa: PLC0415

    parts = context.obj.parts()
    now = _key(parts).public
    parts.checkpoints.must_sign(now)
    first = parts.checkpoints.first_key() or now
    if output is not Output.TABLE:
        emit({"key": first, "fingerprint": fingerprint(first), "signs_now": now}, output)
        return
    typer.echo(f"{first}  ({fingerprint(first)})")
    if now != first:
        typer.echo(f"it was passed on; now signs {now}  ({fingerprint(now)})")


def new_key(context: typer.Context, following: Next) -> None:
    """Pass on to another signing key.

    The old one signs which one follows it.

    Then set evidence.signing_key to the same reference, everywhere at once: what still signs with the old one is
    refused from here on.

    Example: rotator evidence new-key file:/run/secrets/rotator-signing-2
    """
    from rotator import secret_reference  # noqa: PLC0415
    from rotator.evidence import signing  # noqa: PLC0415

    given: Context = context.obj
    parts = given.parts()
    secret_reference.check(following, "REFERENCE")
    after = signing.from_text(secret_reference.read(following, parts.settings.folder).reveal())
    before = _key(parts)
    if after.public == before.public:
        raise BadInput("this is the key that signs now", following, "name another")
    made, _ = parts.checkpoints.sign(before, after.public)
    assert made is not None, "a new key is a checkpoint of its own"  # noqa: S101
    typer.echo(plain(f"checkpoint {made.told['number']}: from the next one on {after.public} signs"))
    typer.echo(plain(f'now set in the configuration: [evidence] signing_key = "{following}"'))


def _key(parts: Rotator) -> SigningKey:
    found = parts.settings.signing_key()
    if found is None:
        raise BadInput("no key signs evidence here", "evidence.signing_key", "name one; docs/evidence.md says how")
    return found
