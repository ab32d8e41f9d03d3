"""Two people at two browsers: who declared does not approve, and each sees at once what the other did."""

from __future__ import annotations

from playwright.sync_api import expect

PLAN = "/plan"


def test_who_declared_cannot_approve_another_does_and_both_see_it(person, house):
    incident = house.declared(house.leaked("shop", "ci"))
    ana, bo = person("ana"), person("bo")
    ana.page.goto(incident.path + PLAN)
    expect(ana.page.locator("main")).to_contain_text("not approved")
    expect(ana.button("Approve the containment")).to_have_count(0)
    forged = ana.acts("POST", f"/api/v1/incidents/{incident.id}/approve", {"digest": incident.digest})
    assert (forged["status"], forged["reason"]) == (403, "not_allowed")
    assert house.issuer.alive() >= incident.tokens

    ana.page.goto(incident.path)
    ana.is_live()
    bo.page.goto(incident.path + PLAN)
    bo.approves("Approve the containment", "revoke 1 production")
    ana.counts("2 dead")
    assert not house.issuer.alive() & incident.tokens
    expect(bo.page.locator("main")).to_contain_text("approved by bo")


def test_a_stop_by_one_is_seen_by_the_other_and_so_is_the_end_of_it(person, house):
    incident = house.declared(house.leaked("shop"))
    house.approve(incident)
    ana, bo = person("ana"), person("bo")
    for each in (ana, bo):
        each.page.goto(incident.path)
        each.counts("1 dead")
        each.is_live()
    ana.does("Stop", reason="the shop is down")
    expect(bo.page.locator("main")).to_contain_text("the shop is down")
    bo.does("Continue", reason="it is up again")
    expect(ana.page.locator("main")).not_to_contain_text("the shop is down")
    expect(ana.button("Stop")).to_be_visible()


def test_who_only_looks_is_offered_no_act_and_refused_each(person, house):
    incident = house.declared(house.leaked("shop"))
    vi = person("vi")
    vi.page.goto(incident.path)
    vi.is_live()
    assert vi.page.locator("form.act").count() == 0
    refused = vi.acts("POST", f"/api/v1/incidents/{incident.id}/stop", {"reason": "I look, and I act"})
    assert (refused["status"], refused["reason"]) == (403, "role")


def test_no_act_is_taken_without_the_word_that_the_page_was_given(person, house):
    incident = house.declared(house.leaked("shop"))
    ana = person("ana")
    ana.page.goto(incident.path)
    refused = ana.acts("POST", f"/api/v1/incidents/{incident.id}/stop", {"reason": "forged"}, csrf="another")
    assert refused["status"] == 403
    expect(ana.button("Stop")).to_be_visible()
