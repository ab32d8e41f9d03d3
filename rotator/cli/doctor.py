"""What `rotator doctor` looks at: whether the configuration can be read, and then all that stands on it."""

from __future__ import annotations

from collections.abc import Iterator

from rotator.bootstrap import Rotator
from rotator.cli.options import Context
from rotator.errors import RotatorError
from rotator.examining import doctor
from rotator.examining.finding import Finding


def examine(context: Context) -> Iterator[Finding]:
    """Read the configuration, and look at everything; where the ledger is far away, at the way there."""
    try:
        settings = context.settings()
    except RotatorError as error:
        yield Finding(False, str(error))
        return
    if settings.url:
        from rotator.far import doctor as far  # noqa: PLC0415 - only who is far away pays for it

        yield from far.examine(settings)
    else:
        yield from doctor.examine(Rotator(settings), context.called)
