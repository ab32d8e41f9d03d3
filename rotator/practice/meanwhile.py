"""Do what others do while the range's vendor is paused: it mends its software, and a backup comes back.

`python -m rotator.practice.meanwhile`, in the vendor's folder, once the vendor is paused.
"""

from __future__ import annotations

import sys
from pathlib import Path

from rotator.practice.vendor import Lumen


def main() -> int:
    """Write the vendor's new list of software and the records as they were; say where they are."""
    told = Lumen(Path())
    if not told.sbom.is_file():
        print("meanwhile: no vendor lies here (start it in the vendor's folder of the range)", file=sys.stderr)  # noqa: T201
        return 1
    told.update()
    told.put_back()
    print(f"lumen mended its software: {told.new_sbom}; {told.dataset} is as in the backup")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
