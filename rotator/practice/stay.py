"""`make range`: the practice range by itself, with a scanner's report of the stolen laptop, up until Ctrl-C."""

from __future__ import annotations

import shutil
import sys
import threading

from rich.console import Console

from rotator.errors import BadInput
from rotator.practice import news, vendor
from rotator.practice.demo import BUILD, alone, on_its_own
from rotator.practice.laptop import plant, scan
from rotator.practice.range import practice_range

TOLD = """The practice range is up. Its configuration:

    {config}

What kingfisher found on the laptop:

    {report}

In another terminal:

    export ROTATOR_CONFIG={config}
    .venv/bin/rotator respond {report}

Or in a browser:

    .venv/bin/rotator token create me --role admin --person me
    .venv/bin/rotator up --port 8420

then open http://127.0.0.1:8420, sign in with the token, and declare that report.

Or, instead, the story of a vendor that ran a poisoned package (docs/vendors.md tells the rest).
Line by line, since `pause` and `restore` ask for words to be typed:

    export ROTATOR_CONFIG={config} PATH="$PWD/.venv/bin:$PATH"; cd {vendor}
    rotator inventory import inventory.yaml
    rotator vendor import vendors.yaml
    rotator inventory discover acme --save
    rotator inventory discover aws --kind aws_iam_access_key --save
    rotator inventory discover aws --kind aws_role_trust --save
    rotator vendor sbom lumen lumen.cdx.json
    rotator manifest record customers customers; rotator manifest record invoices invoices
    SINCE=$(sleep 1; date -u +%FT%TZ)  # let their build be poisoned now: what was recorded before is sound
    rotator up --port 8420 &
    python -m rotator.practice.news; sleep 2; rotator trigger list
    rotator vendor triage PYSEC-2026-2
    rotator vendor uses lumen cloudtrail.json
    rotator vendor memo lumen advisory.json -o html > memo.html
    rotator vendor pause lumen --reason "it ran the poisoned litellm" --notice PYSEC-2026-2 --exposed-at $SINCE
    sed -i s/DE02/LT99/ customers/2026-02.csv; rotator manifest verify customers --incident last
    rotator vendor restore lumen --reason "they say it is over"
    rotator vendor gates lumen

The restore is refused; each gate says what is next: do that of `cut`. Then others do their part:

    python -m rotator.practice.meanwhile; rotator vendor sbom lumen after/lumen.cdx.json
    rotator manifest verify customers --incident last; rotator manifest verify invoices --incident last
    rotator vendor meet lumen forensics --document forensic-report.txt --from "Forensics Ltd" \\
        --dated $(date -u +%F) --reason "they are out"
    rotator vendor meet lumen attestations --reason "read with the forensic report"
    LOGNAME=bo rotator vendor meet lumen approval --reason "I read all of it"
    rotator vendor restore lumen --reason "clean by every gate" --resume-grants
    rotator vendor memo lumen -o html > after.html; rotator evidence export last --to lumen.evidence.zip

In a browser it begins under Vendors; another person's token: rotator token create bo --role admin --person bo

Ctrl-C ends it; all that it leaves is in {folder}.
"""


def main() -> int:
    """Start it under `build/range`, say what to type, and stay; return the exit code."""
    on_its_own()
    screen, folder = Console(highlight=False, soft_wrap=True), BUILD / "range"
    try:
        with alone(folder):
            shutil.rmtree(folder, ignore_errors=True)
            with practice_range(folder) as practice:
                plant(folder / "laptop", practice.loot)
                told = vendor.plant(folder / "vendor", practice.servers.aws)
                news.arrange(practice.config, told.folder)
                report = scan(folder / "laptop", folder / "kingfisher.json", BUILD / "kingfisher")
                screen.print(
                    TOLD.format(config=practice.config, report=report, vendor=told.folder, folder=folder), markup=False
                )
                threading.Event().wait()
    except KeyboardInterrupt:
        screen.print("\nEverything that was started has ended.")
        return 0
    except (BadInput, RuntimeError) as error:
        screen.print(f"range: {error}", markup=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
