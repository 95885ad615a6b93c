"""Who may send HL7: addresses, networks, and names that are looked up again."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from integrations.hl7 import Peers


def test_addresses_and_networks_of_both_families() -> None:
    peers = Peers(lambda: ["10.1.2.3", "10.9.0.0/16", "2001:db8::/32"])
    assert all(peers(a) for a in ("10.1.2.3", "::ffff:10.1.2.3", "10.9.200.1", "2001:db8::7", "2001:db8::7%eth0"))
    assert not any(peers(a) for a in ("10.1.2.4", "127.0.0.1", "::1", "2001:db9::1", "what"))


@pytest.mark.parametrize("entries", [None, []])
def test_everybody_may_where_any_may_or_nobody_is_entered(entries: list[str] | None) -> None:
    assert Peers(lambda: entries)("192.0.2.1")


def test_names_are_looked_up_once_a_minute_and_keep_what_they_had(monkeypatch: pytest.MonkeyPatch) -> None:
    now, asked = [0.0], list[str]()
    answers: list[Any] = ["192.0.2.1", OSError(), "192.0.2.2"]

    def look_up(host: str, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return [(None, None, None, "", (answer, 0))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    peers = Peers(lambda: ["his.example"], lambda: now[0])
    assert peers("192.0.2.1")
    assert not peers("192.0.2.2")
    assert asked == ["his.example"]
    now[0] = 61
    assert peers("192.0.2.1"), "a name server that is away does not shut a hospital out"
    now[0] = 122
    assert peers("192.0.2.2")
    assert not peers("192.0.2.1")


def test_an_entry_that_is_no_name_lets_nobody_in() -> None:
    assert not Peers(lambda: ["a" * 70 + ".example"])("192.0.2.1")
