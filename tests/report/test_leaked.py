"""What intake says of a credential names the package, the site and each link between."""

from __future__ import annotations

from rich.console import Console

from rotator.credential import Leaked
from rotator.flow.exposure import Certainty, Exposure, Suspect
from rotator.report.leaked import leaked_table

LINKS = ("litellm 1.82.7 was installed at job:shop/app/build", "ci is within reach there", "AKIA1 is one of ci")


def test_how_it_is_within_reach_begins_at_the_package():
    leaked = Leaked(id="AKIA1")
    exposure = Exposure("list", "aws_iam_access_key", leaked, certainty=Certainty.REACHABLE, via=LINKS)
    console = Console(width=300, record=True)
    console.print(leaked_table([Suspect("aws_iam_access_key", "AKIA1", leaked, (exposure,))]))
    assert "reachable: " + " → ".join(LINKS) in " ".join(console.export_text().split())
