"""Certify what the rotator can do in an account of yours, with canaries; list certificates, and check one offline."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rotator.actor import actor
from rotator.cli import completion
from rotator.cli.options import Context, Output, OutputOption, console, emit, say
from rotator.errors import BadInput
from rotator.report.plain import plain

if TYPE_CHECKING:
    from rotator.certifying import Certified

_MARKS = {"certified": "ok  ", "failed": "BAD ", "none": "-   "}


def add(group: typer.Typer) -> None:
    """Add this file's commands to those of providers."""
    group.command("certify")(certify)
    group.command("certificates")(certificates)
    group.command("verify")(verify)


def certify(  # noqa: PLR0917 - a command's options
    context: typer.Context,
    connection: Annotated[str, typer.Argument(metavar="CONNECTION", autocompletion=completion.connections)],
    kind: Annotated[str | None, typer.Option(help="Only this kind.", autocompletion=completion.kinds)] = None,
    subject: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[KIND=]OWNER", help="For whom a canary is minted; of one kind alone with KIND=. May be repeated."
        ),
    ] = None,
    to: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write each as KIND.certificate.json there too.")
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Mint a canary of each kind, kill it, prove it dead. CHANGES the account.

    Nothing but the canary is changed: it is made for the owner that --subject names, best one that is there for this
    alone, and like a living credential of his where its kind needs that. It has his rights while it lives: as long as
    the kind's proof of death takes, which may be minutes. It is seen to open, stopped, seen dead by the kind's own
    rules, and taken away. Sessions are not ended: that would cut what others have open.

    What was seen is signed with the key of the evidence, and kept. `rotator provider list` shows `live account` of a
    kind only while such a certificate is believed: 90 days, and of this release of rotator. One made on this machine's
    own servers says so and counts for no account.

    Killed at any moment, it leaves nothing for good: the next run finds the canary and takes it away first.

    Exit code 0: each kind of which a canary can be made is certified; 1: one failed, or may be alive; 3: of none a
    canary was made.

    Example: rotator provider certify aws-prod --kind aws_iam_access_key --subject rotator-canary
    """
    from rotator.certifying import Pace, Wanted  # noqa: PLC0415
    from rotator.certifying import certify as work  # noqa: PLC0415

    given: Context = context.obj
    parts = given.parts()
    wanted = Wanted(connection, kind, _owners(subject or (), parts.playbooks), actor())

    def wait(seconds: float) -> None:
        threading.Event().wait(seconds)

    def tell(line: str) -> None:
        if not given.quiet:
            say("", line, error=True)

    found = []
    for each in work(parts, wanted, Pace(wait, tell)):
        found.append(each)
        if output is Output.TABLE:
            _say(each)
        if to is not None and each.certificate is not None:
            _write(to, each)
    if output is not Output.TABLE:
        emit([each.data for each in found], output)
    if any(each.outcome == "failed" or each.left for each in found):
        raise typer.Exit(1)
    raise typer.Exit(0 if any(each.outcome == "certified" for each in found) else 3)


def _owners(given: Iterable[str], kinds: Iterable[str]) -> dict[str, str]:
    """Return for whom a canary of each kind is minted, under "" for every other. Raises BadInput for two of one."""
    known, found = set(kinds), dict[str, str]()
    for each in given:
        kind, equals, owner = each.partition("=")
        name, whose = (kind, owner) if equals and kind in known else ("", each)
        if name in found:
            raise BadInput("two owners are named for the same", each, "one canary is minted of each kind: name one")
        found[name] = whose
    return found


def _say(each: Certified) -> None:
    made = each.certificate.told if each.certificate is not None else None
    if made is None:
        line = f"no canary: {each.why}"
    elif each.outcome == "failed":
        line = f"FAILED: {each.why}; its canary is {made['canary']}{'' if each.left else ', and is taken away'}"
    else:
        clocks = made["clocks"]
        took = f"{clocks['dead_at'] - clocks['requested_at']:.1f} s after the stop"
        where = "in a live account" if made["grade"] else f"on {made['place']}, which is no live account"
        line = f"{made['evidence']} dead {took}, {where}; its canary {made['canary']} is gone"
    left = f"; {each.left}" if each.left else ""
    say(_MARKS[each.outcome], f"{each.kind}: {line}{left}")


def _write(folder: Path, each: Certified) -> None:
    assert each.certificate is not None  # noqa: S101 - who calls has looked
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{each.kind}.certificate.json"
        path.write_text(json.dumps(each.certificate.document, indent=2) + "\n")
    except OSError as error:
        mend = "it is kept in the ledger: rotator provider certificates -o json"
        raise BadInput(f"it cannot be written ({error.strerror})", str(folder), mend) from None


def certificates(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """List what was certified, and what of it is believed today.

    In `-o json`, `document` is what `rotator provider verify` reads.

    Example: rotator provider certificates -o jsonl
    """
    from rotator.operations.views.certificates import CERTIFICATES  # noqa: PLC0415 - only who looks pays for it
    from rotator.report.tables import plain_table, words  # noqa: PLC0415

    given: Context = context.obj
    found = given.service().lists(CERTIFICATES)
    if output is not Output.TABLE:
        emit(found, output)
        return
    if not found:
        typer.echo("nothing is certified: rotator provider certify CONNECTION", err=True)
        return
    table = plain_table(None, "kind", "connection", "at", "outcome", "grade", "death", "after", "today")
    for each in found:
        grade = "live account" if each["grade"] else each["place"]
        after = "-" if each["time_to_dead_s"] is None else f"{each['time_to_dead_s']:.1f} s"
        told = (each["kind"], each["connection"], each["at"], each["why"] or each["outcome"], grade, each["evidence"])
        table.add_row(*(words(str(one)) for one in (*told, after, each["stands"] or "believed")))
    console().print(table)


def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A certificate, as certify --to wrote it.")],
    key: Annotated[
        str, typer.Option("--key", metavar="PUBLIC", help="The key that signed, as you were told it elsewhere.")
    ] = "",
    output: OutputOption = Output.TABLE,
) -> None:
    """Check a certificate offline.

    Neither ledger nor configuration is needed. What it says is signed, and not how it is laid out: spaces and the order
    of its keys may change. Exit code 0: its signature holds; 1: it does not, or it is of another
    key than --key. Whether it is out of date is said beside that.

    Example: rotator provider verify aws_iam_access_key.certificate.json --key k0Vj…=
    """
    from rotator import __version__, clock  # noqa: PLC0415 - only this command pays for them
    from rotator.evidence import certificate  # noqa: PLC0415
    from rotator.evidence.signing import fingerprint  # noqa: PLC0415
    from rotator.report.clocks import moment  # noqa: PLC0415

    try:
        given = certificate.read(file.read_text(errors="replace"), str(file))
    except OSError as error:
        raise BadInput(f"it cannot be read ({error.strerror})", str(file), "is the path right?") from None
    told, wrong = given.told, certificate.wrong(given, key)
    old = certificate.out_of_date(told, clock.now(), __version__)
    if output is not Output.TABLE:
        of = {"key": told["key"], "sha256": given.sha256, "certificate": told}
        emit({"holds": not wrong, "why": wrong, "out_of_date": old, **of}, output)
    elif wrong:
        typer.echo(plain(f"IT DOES NOT HOLD: {wrong}"))
    else:
        typer.echo(plain(f"it holds: {_what(told)}, at {moment(told['at'])}{f'; out of date: {old}' if old else ''}"))
        if not key:
            typer.echo(f"signed by {told['key']} ({fingerprint(told['key'])}): compare it with what you were told")
    raise typer.Exit(1 if wrong else 0)


def _what(told: dict[str, Any]) -> str:
    grade = "live account" if told.get("grade") else str(told.get("place"))
    death = f"death {told.get('evidence')}" if told.get("outcome") == "certified" else f"failed ({told.get('why')})"
    return f"{told.get('kind')} on {told.get('connection')} ({told.get('account')}, {grade}): {death}"
