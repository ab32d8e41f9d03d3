"""The service that a configuration names."""

from __future__ import annotations

from rotator import secret_reference
from rotator.errors import BadInput
from rotator.far.asking import Asking
from rotator.far.service import Far
from rotator.settings.configuration import Settings

MEND = "set ROTATOR_TOKEN, or `token`, to env:NAME or file:PATH; `rotator token create`, where the ledger is, makes one"


def far(settings: Settings, called: str, *, quiet: bool) -> Far:
    """Return it. Raises BadInput where there is no token to show."""
    return Far(asking(settings), called, quiet=quiet)


def asking(settings: Settings) -> Asking:
    """Return the line to it. Raises BadInput where there is no token to show."""
    if settings.token is None:
        raise BadInput("no token is given for it", settings.url, MEND)
    return Asking(settings.url, secret_reference.read(settings.token, settings.folder))
