"""A report's page as PDF, for who files it: with bookmarks, tags and page numbers; nothing is fetched while it is made.

The same page is the same file, byte for byte: its dates are those that the page names.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from typing import Any

from rotator.errors import BadInput

logging.getLogger("weasyprint").setLevel(logging.ERROR)  # it tells of each rule that is for screens
logging.getLogger("fontTools").setLevel(logging.ERROR)

LISTED, STEPPED = 300, 20
"""Of how many credentials paper tells, and of how many each step: a page takes a quarter of a second."""
_ONE_AT_A_TIME = threading.Lock()
"""Each takes a core, and its memory; the web has many threads."""


def made(page: str) -> bytes:
    """Return a whole HTML page as a PDF. Raises BadInput where what makes it is not installed."""
    weasyprint = _library()
    with _ONE_AT_A_TIME:
        # A page of ours has all inside: what names an address, of the network or of a file, is somebody's name for us.
        refusing = weasyprint.urls.URLFetcher(allowed_protocols=())
        document = weasyprint.HTML(string=page, url_fetcher=refusing)
        identifier = hashlib.sha256(page.encode()).hexdigest()[:32].encode()
        file: bytes = document.write_pdf(pdf_tags=True, pdf_identifier=identifier)
        return file


def _library() -> Any:
    try:
        import weasyprint  # noqa: PLC0415 - an extra, and not free
    except ImportError:
        raise BadInput(
            "PDF needs the extra `pdf`, which is not installed", "-o pdf", "pip install 'rotator[pdf]', or -o html"
        ) from None
    except OSError:  # it is there, and what it stands on is not
        raise BadInput(
            "PDF needs Pango, which is not on this machine",
            "-o pdf",
            "install libpango-1.0-0, libpangoft2-1.0-0 and libharfbuzz-subset0 (Debian's names), or -o html",
        ) from None
    return weasyprint
