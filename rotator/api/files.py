"""Reports as files, over the API and on the board: a few at a time, since each takes memory, and PDF a core."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http import HTTPStatus

from starlette.responses import Response, StreamingResponse

from rotator.api.problems import of_input
from rotator.api.v1.long_work import LongWork
from rotator.errors import BadInput
from rotator.report.files import MEDIA_TYPES, Form

AT_ONCE = 2
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The file has its style inside, and nothing else: it is opened where there is no board."""


class Files:
    """Give files out."""

    def __init__(self) -> None:
        self._places = LongWork(AT_ONCE)

    def answer(self, name: str, form: Form, make: Callable[[], Iterator[bytes]]) -> Response:
        """Return a report, to be kept under a name. Raises Problem where it cannot be made, or not now."""
        return self.given(f"{name}.{form}", MEDIA_TYPES[form], make)

    def given(self, file_name: str, media_type: str, make: Callable[[], Iterator[bytes]]) -> Response:
        """Return what is made, of that type, to be kept as a file of that name. Raises Problem as `answer` does."""
        with self._places.place():
            try:
                file = make()
            except BadInput as error:
                raise of_input(error, HTTPStatus.UNPROCESSABLE_ENTITY, "no_such_report") from None
        headers = {
            "Content-Disposition": f'attachment; filename="{file_name}"',
            "Content-Security-Policy": _POLICY,
        }
        return StreamingResponse(file, media_type=media_type, headers=headers)
