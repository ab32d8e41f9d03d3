"""A fake `systemctl` on PATH: it keeps the state of one unit in a file, as `systemctl show` prints it."""

from __future__ import annotations

from pathlib import Path

UNIT = "shop.service"
ACTIVE = "LoadState=loaded\nActiveState=active\nSubState=running\nActiveEnterTimestamp=Sun 2026-11-22 08:00:00 UTC\n"

_FAKE = """#!/bin/sh
state={state}
echo "$@" >> {asked}
if [ "$2" != shop.service ]; then
  printf 'LoadState=not-found\\nActiveState=inactive\\n'
  [ "$1" = show ]; exit $((5 * $?))
fi
case $1 in
  restart) grep -q ActiveState=failed $state && exit 1
           sed -i 's/^ActiveEnterTimestamp=.*/ActiveEnterTimestamp=Sun 2026-11-22 09:00:01 UTC/' $state ;;
  show) cat $state ;;
  *) exit 2 ;;
esac
"""


class Machine:
    """Where the fake stands, what it tells and what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.state, self.asked_file = folder / "state", folder / "asked"
        self.asked_file.touch()
        self.tell(ACTIVE)
        fake = self.bin / "systemctl"
        fake.write_text(_FAKE.format(state=self.state, asked=self.asked_file))
        fake.chmod(0o755)

    def tell(self, text: str) -> None:
        self.state.write_text(text)

    @property
    def asked(self) -> list[str]:
        return self.asked_file.read_text().splitlines()
