"""The graph shows each credential once with the way to it, stays readable, and takes no name for markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from rotator.credential import Leaked
from rotator.flow.exposure import Certainty, Exposure
from rotator.report.graph import MOST, Exposed, graph, mermaid
from rotator.report.graph_page import html

HOSTILE = '"]; click n0 call alert() <script>alert(1)</script> </svg> `end` \x1b[2J\n%%{init}%%'


def exposed(kind, owner, name, *via, certainty=Certainty.INFERRED) -> Exposed:
    found = Exposure("list", kind, Leaked(id=name), "ci.log", 3, certainty=certainty, via=via)
    return Exposed(kind, owner, name, (found,))


TOKEN = exposed("vault_token", "ci", "acc-1", certainty=Certainty.SEEN)
WAY = "vault_token ci was seen in ci.log:3", "it reads vault:kv/*"
PAY = exposed("aws_iam_access_key", "pay", "AKIA1", *WAY, "aws_iam_access_key pay is delivered to vault:kv/pay")


def test_what_begins_alike_is_one_line_of_nodes():
    found = list(graph([TOKEN, PAY]).nodes())
    assert [(depth, node.text) for depth, node in found] == [(0, WAY[0]), (1, WAY[1]), (2, PAY.exposures[0].via[-1])]
    assert [node.ids for _, node in found] == [["acc-1"], [], ["AKIA1"]]
    assert found[0][1].lines[1] == "acc-1: seen"


def test_mermaid_has_a_row_for_each_node_and_arrow():
    rows = mermaid(graph([TOKEN, PAY])).splitlines()
    assert rows[0] == "flowchart LR"
    assert rows[1] == '  n0["vault_token ci was seen in ci.log:3<br/>acc-1: seen"]:::seen'
    assert "  n0 --> n1" in rows
    assert "  n1 --> n2" in rows


def test_names_are_never_markup():
    drawn = graph([exposed("k", HOSTILE, HOSTILE, HOSTILE, HOSTILE)])
    for row in mermaid(drawn).splitlines():
        assert re.fullmatch(
            r"flowchart LR|  n\d+ --> n\d+|  classDef .*|  n\d+\[\"[^\"`<>%;\[\]]*(?:#\d+;[^\"`<>%;\[\]]*)*"
            r"(?:<br/>[^\"`<>%;\[\]]*(?:#\d+;[^\"`<>%;\[\]]*)*)*\"\](?::::\w+)?",
            row,
        ), row
    tags = _Tags()
    tags.feed(html(drawn, HOSTILE))
    assert tags.found <= {
        "html", "head", "meta", "title", "style", "body", "h1", "p", "span", "div", "svg", "g", "rect", "text", "path",
    }  # fmt: skip
    assert not any("\x1b" in each for each in tags.told)


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found, self.told = set(), []

    def handle_starttag(self, tag, attrs):
        self.found.add(tag)
        self.told += [value or "" for _, value in attrs]

    def handle_data(self, data):
        self.told.append(data)


def test_the_page_asks_for_nothing_from_elsewhere():
    page = html(graph([TOKEN, PAY]), "Incident 7")
    assert "default-src 'none'" in page
    assert not re.search(r"src=|href=|url\(|@import|<script", page)
    assert "2 credentials" in page


def test_many_that_hang_at_one_node_become_one_and_none_is_uncounted():
    many = [exposed("aws_iam_access_key", f"u{n}", f"AKIA{n}", *WAY, f"u{n} is delivered") for n in range(412)]
    drawn = graph([TOKEN, *many])
    assert [node.text for _, node in drawn.nodes()][-1] == "412 of aws_iam_access_key"
    assert drawn.credentials == 413


def test_what_is_too_far_goes_and_is_counted():
    many = [exposed("k", f"u{n}", f"i{n}", f"from {n % 90}", f"by {n}", f"then {n}", f"u{n} there") for n in range(400)]
    drawn = list(graph(many).nodes())
    assert len(drawn) <= 2 * MOST
    counted = sum(int(node.text.split()[1]) for _, node in drawn if node.text.startswith("…"))
    assert counted + sum(len(node.ids) for _, node in drawn) == 400
    assert len(mermaid(graph(many)).splitlines()) < 4 * MOST


def test_no_credential_is_an_empty_page():
    assert "0 credentials" in html(graph([]), "Nothing")
