"""A scorer cannot work out whose report he scores from whom else the case names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tasks.people.letters import spelled

World = Any
Open = Callable[..., str]


def test_who_declined_is_not_named_to_the_scorer_either(world: World, open_page: Open) -> None:
    world.walk(3)
    asked = [str(world.accounts[login]) for login in ("zhou", "lin")]
    world.submit("shen", "triage", {"experts": asked, "minutes": "30"})
    world.submit("zhou", "offer_reply", {"accepted": "false", "decline_reason": "time"})
    for step in world.steps()[4:11]:
        world.submit(*step)
    case = f"/cases/{world.case}"
    pages = [case, f"{case}?tab=process", f"{case}?tab=log", f"/api/v1/cases/{world.case}/history"]
    names = [n for name in ("林示范", "周备选", "孙审核") for n in (name, spelled(name))]
    for lang in ("zh", "en"):
        told = "".join(open_page("zheng", path, lang) for path in pages)
        assert [n for n in (*names, *asked) if n in told] == []
        assert ("沈样例" if lang == "zh" else "Shen Yangli") in told  # the others of the case are
    assert "周备选" in open_page("he", f"{case}?tab=log")
    world.submit(*world.steps()[11])
    assert "林示范" in open_page("zheng", case)
