"""Record `make demo` as docs/demo.svg: a real run on a terminal of its own, as it stood there when it ended.

Only the step lists of all credentials but the first are left out, and the picture says so. Run by `make docs`.
"""  # noqa: INP001 - a tool beside the text that it illustrates, imported by nobody but its test

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import sys
import termios
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
PICTURE = Path(__file__).with_name("demo.svg")
COLUMNS, ROWS = 118, 60
_NO_TERMINAL = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
_CONTROL = re.compile(r"\x1b\[([0-9;?]*)([A-Za-ln-z])|(\r|\n)")
"""What moves the cursor or erases; colours (`m`) stay in the text."""
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_STEPS_OF = re.compile(r"inc-\d{8}-[0-9a-f]+\.r\d+  \w+ of ")
_TOTALS = re.compile(r"\d+ credentials: ")
# Rich's own format names a server to fetch a font from; a reader's browser has a monospaced one.
_FORMAT = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" xml:space="preserve">
<style>
.{unique_id}-matrix {{font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
font-size: {char_height}px; line-height: {line_height}px}}
.{unique_id}-title {{font-family: sans-serif; font-size: 18px; font-weight: bold}}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def main() -> int:
    """Play the demo and write the picture; return the demo's exit code."""
    shown, code = on_a_terminal([sys.executable, "-m", "rotator.practice.demo"])
    if code == 0:
        PICTURE.write_text(picture(abridged(screen_lines(shown))), encoding="utf-8")
    else:
        sys.stderr.write(shown)
    return code


def on_a_terminal(command: list[str]) -> tuple[str, int]:
    """Run it at the root of the repository on a terminal; return all that it wrote there, and how it ended."""
    child, terminal = pty.fork()
    if child == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.chdir(ROOT)
        environment = {name: value for name, value in os.environ.items() if name not in _NO_TERMINAL}
        os.execvpe(command[0], command, {**environment, "TERM": "xterm-256color"})  # noqa: S606 - no shell is wanted
    parts = []
    while part := _read(terminal):
        parts.append(part)
    _, status = os.waitpid(child, 0)
    return b"".join(parts).decode(), os.waitstatus_to_exitcode(status)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # what Linux answers once the other end is closed
        return b""


def screen_lines(shown: str) -> list[str]:
    """Return the lines as they stood at the end: a live display has written over itself."""
    lines, row, at = [""], 0, 0
    for control in _CONTROL.finditer(shown):
        lines[row] += shown[at : control.start()]
        at = control.end()
        if control[3] == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif control[2] == "A":
            row = max(0, row - int(control[1] or 1))
        elif control[2] == "K":
            lines[row] = ""
    lines[row] += shown[at:]
    return lines


def abridged(lines: list[str]) -> list[str]:
    """Leave out the step lists of all credentials but the first, and say so."""
    plain = [_COLOUR.sub("", line) for line in lines]
    second = [number for number, line in enumerate(plain) if _STEPS_OF.match(line)][1]
    end = next(number for number, line in enumerate(plain) if number > second and _TOTALS.match(line))
    note = f"  [{end - second} lines are left out of this picture: the steps of the other credentials]"
    return [*lines[:second], f"\x1b[3m{note}\x1b[0m", "", *lines[end:]]


def picture(lines: list[str]) -> str:
    """Return the lines as SVG."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for line in lines:
        text = Text.from_ansi(line)
        for part in text.divide(range(COLUMNS, len(text), COLUMNS)):  # as a terminal wraps
            console.print(part, no_wrap=True)
    return console.export_svg(title="make demo", theme=DIMMED_MONOKAI, code_format=_FORMAT, unique_id="demo")


if __name__ == "__main__":
    sys.exit(main())
