"""Know your tools: playbooks, providers, and what is wrong with this machine."""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from rotator.cli import certifying, completion
from rotator.cli.options import Context, Output, OutputOption, console, emit, say
from rotator.errors import BadInput
from rotator.report.plain import plain


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    playbooks = typer.Typer(help="Read and check playbooks.", no_args_is_help=True)
    playbooks.command("lint")(lint)
    playbooks.command("list")(list_playbooks)
    playbooks.command("show")(show)
    playbooks.command("schema")(schema)
    app.add_typer(playbooks, name="playbook")
    providers = typer.Typer(help="Kinds of credentials and the accounts they are in.", no_args_is_help=True)
    providers.command("list")(list_providers)
    providers.command("check")(check_providers)
    certifying.add(providers)
    app.add_typer(providers, name="provider")
    app.command("doctor")(doctor)


def lint(
    context: typer.Context,
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE", help="Playbooks; all that apply here if none is given.")
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Say every mistake of playbooks, with its line.

    Exit code 2: a playbook has a mistake.

    Example: rotator playbook lint playbooks/acme_token.yaml
    """
    from rotator import playbook_file  # noqa: PLC0415

    found = files or playbook_file.files(context.obj.parts().settings.playbooks)
    mistakes = [(path, each) for path in found for each in playbook_file.lint(path)]
    if output is not Output.TABLE:
        emit([{"file": str(path), **asdict(each)} for path, each in mistakes], output)
    else:
        for path, each in mistakes:
            typer.echo(plain(f"{path}:{each.line}:{each.column}: {each.what} ({each.mend})"))
        if not mistakes:
            typer.echo(f"{len(found)} playbooks are sound")
    raise typer.Exit(2 if mistakes else 0)


def list_playbooks(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """List the playbooks that apply here.

    Example: rotator playbook list -o jsonl
    """
    from rotator.operations.views.kinds import PLAYBOOKS  # noqa: PLC0415 - only who looks pays for it
    from rotator.report.tables import plain_table, words  # noqa: PLC0415

    given: Context = context.obj
    found = given.service().lists(PLAYBOOKS)
    if output is not Output.TABLE:
        emit(found, output)
        return
    table = plain_table(None, "playbook", "provider", "strategies", "summary")
    for each in found:
        told = (words(each[name]) for name in ("playbook", "provider"))
        table.add_row(*told, ", ".join(each["strategies"]), words(each["summary"]))
    console().print(table)


def show(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="PLAYBOOK", help="A playbook, called as its kind.", autocompletion=completion.kinds)
    ],
    output: OutputOption = Output.TABLE,
) -> None:
    """Show one playbook's steps, strategy by strategy.

    Example: rotator playbook show aws_iam_access_key
    """
    from rotator.flow.playbook import Playbook  # noqa: PLC0415
    from rotator.flow.playbook_words import meant  # noqa: PLC0415 - pydantic is not free
    from rotator.operations.views.kinds import PLAYBOOKS  # noqa: PLC0415

    given: Context = context.obj
    playbooks = {each["playbook"]: each for each in given.service().lists(PLAYBOOKS)}
    if name not in playbooks:
        raise BadInput(f"no playbook is called {name}", "playbook show", meant(name, playbooks))
    if output is not Output.TABLE:
        emit(playbooks[name], output)
        return
    # How a REST service is asked is no part of its steps, and as data not what a file may say.
    found = Playbook.model_validate({**playbooks[name], "provider": name, "http": None})
    typer.echo(plain(f"{found.playbook}: {found.summary}"))
    for strategy in found.strategies:
        typer.echo(f"\n{strategy}")
        for line in found.path(strategy):
            typer.echo(f"  {line.id:<12} {line.do}{' at each target' if line.each else ''}")


def schema() -> None:
    """Print the JSON Schema of playbooks, for editors.

    Example: rotator playbook schema
    """
    from rotator.flow.playbook import json_schema  # noqa: PLC0415

    typer.echo(json.dumps(json_schema(), indent=2))


def list_providers(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """List kinds of credentials, and what can be done to each.

    It tells what a machine can do, what that was tested against, and who serves it.

    Example: rotator provider list -o jsonl
    """
    from rotator.operations.views.kinds import PROVIDERS  # noqa: PLC0415 - only who looks pays for it
    from rotator.report import kinds  # noqa: PLC0415
    from rotator.report.tables import plain_table, words  # noqa: PLC0415

    given: Context = context.obj
    found = given.service().lists(PROVIDERS)
    if output is not Output.TABLE:
        emit(found, output)
        return
    table = plain_table(None, "kind", *kinds.COLUMNS.values(), "death is seen by", "tested", "connections")
    for each in found:
        can = (kinds.can(each, what) for what in kinds.COLUMNS)
        served = each["trouble"] or ", ".join(each["connections"]) or "-"
        tested = "practice" if each["practice"] else (each["tested"] or "-").replace("_", " ")
        table.add_row(words(each["kind"]), *can, kinds.seen_by(each), tested, words(served))
    console().print(table)
    for line in (*kinds.takes_along(found), kinds.counted(found)):
        say(line[: len(line) - len(line.lstrip())], line.lstrip())


def check_providers(
    context: typer.Context,
    connection: Annotated[
        str | None,
        typer.Argument(
            metavar="CONNECTION", help="A connection; all if none is given.", autocompletion=completion.connections
        ),
    ] = None,
    kind: Annotated[str | None, typer.Option(help="Only this kind.", autocompletion=completion.kinds)] = None,
    owner: Annotated[
        str | None, typer.Option(help="What may be done to this owner's; to all if none is given. Needs --kind.")
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Ask connections what the rotator may do. Changes nothing.

    Each is asked about a credential that is not there.

    It tells whether the service answers, whether it knows the rotator, and what of the playbook it permits: to look
    (identify, inspect), to issue or install a replacement, to suspend, resume, end sessions, uninstall, revoke. Where
    that cannot be asked without trying, it says so. Stores and consumers are asked by `rotator doctor`.

    In `-o json`, `may` says of each verb granted, refused or unknown, and `trouble` why one is not well (null: it lacks
    what `may` says is refused).

    No credential is changed, but to ask leaves traces: in the other side's logs (in Redis's ACL LOG, what it refuses),
    and of a Vault token whose uses are counted, each kind spends one or two.

    Exit code 1: a connection does not answer, or refuses what is needed.

    Example: rotator provider check aws-prod
    """
    from rotator.examining.checking import checked, counted  # noqa: PLC0415

    given: Context = context.obj
    found = checked(given.parts(), connection, kind, owner)
    if output is Output.TABLE:
        of_each = (each.lines(whole=kind is not None) for each in found)
        for line in (*itertools.chain.from_iterable(of_each), *counted(found)):
            say(line[: len(line) - len(line.lstrip())], line.lstrip())
    else:
        emit([each.data for each in found], output)
    raise typer.Exit(0 if all(each.well for each in found) else 1)


def doctor(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """Look for the usual mistakes, and say how to mend each.

    It asks connections, places, consumers and channels whether they answer, and changes nothing. No secret is shown.
    docs/command-line.md lists what it looks for. Exit code 1: something is BAD.

    Example: rotator doctor
    """
    from rotator.cli.doctor import examine  # noqa: PLC0415

    given: Context = context.obj
    found = examine(given)
    if output is not Output.TABLE:
        told = list(found)
        emit([each.data for each in told], output)
        raise typer.Exit(0 if all(each.well for each in told) else 1)
    bad = 0
    for finding in found:
        say(f"{finding.mark} ", f"{finding.what}{f' ({finding.mend})' if finding.mend else ''}")
        bad += not finding.well
    raise typer.Exit(1 if bad else 0)
