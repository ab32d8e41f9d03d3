# ruff: noqa: INP001 - a script, and part of no package
"""Carry out the Dockerfile without an engine: its RUN steps in a clean root, then the program as its user, read-only.

For machines that have no container engine. As root: `make image-check`, and `PIP_CONF=FILE` where packages come from a
mirror. It shows that the steps work and what they leave behind, in a Debian with Python 3.11 instead of the base
image; it says nothing of that image's own bytes, nor of an engine's isolation.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

HERE = Path(__file__).parents[1]
BUILD = HERE / "build" / "image-check"
BASE = BUILD / "base"
PACKAGES = "python3,python3-venv,ca-certificates"
CLEAN = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
PDF = "from rotator.report import pdf; assert len(pdf.made('<p>x')) > 2000"  # with letters that a font brought
TRIED = (
    f'rotator --version && rotator doctor --help > /dev/null && /opt/rotator/bin/python -c "{PDF}" && '
    "! command -v pip && ! touch /opt/rotator/written"
)


def main() -> int:
    """Return 0 when every step worked, and the program starts as its user from a root that nobody can write."""
    if not BASE.exists():
        BUILD.mkdir(parents=True, exist_ok=True)
        begun = BUILD / "base.begun"
        shutil.rmtree(begun, ignore_errors=True)
        subprocess.run(["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", begun], check=True)
        (begun / "usr" / "local" / "bin" / "python").symlink_to("/usr/bin/python3")
        begun.rename(BASE)
    stages: dict[str, Path] = {}
    root, folder, given, user = BASE, "/", dict(CLEAN), ""
    for number, (word, rest) in enumerate(instructions((HERE / "Dockerfile").read_text())):
        print(f"{word} {rest}"[:150], flush=True)  # noqa: T201 - who waits sees where it is
        if word == "FROM":
            name = rest.partition(" AS ")[2] or f"stage-{number}"
            root, folder, given = BUILD / name, "/", dict(CLEAN)
            stages[name] = root
            shutil.rmtree(root, ignore_errors=True)
            subprocess.run(["cp", "-a", BASE, root], check=True)
            shutil.copy("/etc/resolv.conf", root / "etc" / "resolv.conf")
        elif word == "WORKDIR":
            folder = rest
            inside(root, folder).mkdir(parents=True, exist_ok=True)
        elif word == "COPY":
            copy(shlex.split(rest), root, folder, stages)
        elif word == "ENV":
            given |= {key: value.replace("$PATH", given["PATH"]) for key, value in map(pair, shlex.split(rest))}
        elif word == "RUN":
            run(root, folder, given, rest)
        elif word == "USER":
            user = rest
    as_user = ["setpriv", "--reuid", user.partition(":")[0], "--regid", user.partition(":")[2], "--clear-groups"]
    mounted = f"mount --bind {root} {root} && mount -o remount,ro,bind {root}"
    tried = f"{mounted} && exec chroot {root} {shlex.join(as_user)} sh -c {shlex.quote(f'cd {folder} && {TRIED}')}"
    return subprocess.run(["unshare", "--mount", "sh", "-c", tried], env=given, check=False).returncode


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Yield each instruction and what follows it, on one line."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        word, _, rest = line.partition(" ")
        yield word, rest.strip()


def pair(text: str) -> tuple[str, str]:
    """Return a name and its value."""
    name, _, value = text.partition("=")
    return name, value


def inside(root: Path, path: str) -> Path:
    """Return where a path of the image stands on this machine."""
    return root / path.lstrip("/")


def copy(words: list[str], root: Path, folder: str, stages: Mapping[str, Path]) -> None:
    """Copy files of this repository, or of an earlier stage."""
    *options, source, target = words
    origin = stages[options[0].removeprefix("--from=")] if options else HERE
    found, to = inside(origin, source), inside(root, str(Path(folder) / target))
    if found.is_dir():
        shutil.copytree(found, to, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        return
    to.mkdir(parents=True, exist_ok=True)
    shutil.copy(found, to)


def run(root: Path, folder: str, given: Mapping[str, str], command: str) -> None:
    """Run a step in the root; the secret that it mounts is there for as long as it runs."""
    secret = None
    while command.startswith("--mount="):
        option, _, command = command.partition(" ")
        command = command.lstrip()
        secret = inside(root, option.partition("target=")[2])
    if secret is not None and (mirror := os.environ.get("PIP_CONF")):
        shutil.copy(mirror, secret)
    try:
        subprocess.run(["chroot", root, "sh", "-c", f"cd {folder} && {command}"], env=dict(given), check=True)
    finally:
        if secret is not None:
            secret.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
