"""What `rotator doctor` looks at: whether the configuration can be read, and then all that stands on it."""

from __future__ import annotations

from collections.abc import Iterator

from rotator.cli.options import Context
from rotator.errors import RotatorError
from rotator.examining import doctor
from rotator.examining.finding import Finding


def examine(context: Context) -> Iterator[Finding]:
    """Read the configuration, and look at everything."""
    try:
        parts = context.parts()
    except RotatorError as error:
        yield Finding(False, str(error))
        return
    yield from doctor.examine(parts, context.called)
