"""Identity by pure rules: cards, names, and the ladder."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ids import uuid7
from tasks.patients.identity import (
    Candidate,
    compatible,
    contradicts,
    grams,
    id_card,
    is_placeholder,
    ladder,
    masked,
    name_key,
)

CARD = "11010519491231002X"  # the example number of GB 11643-1999
BORN = date(1949, 12, 31)


def test_card_of_the_standard() -> None:
    card = id_card(" 110105-19491231-002x ")
    assert card is not None
    assert (card.number, card.birth_date, card.sex) == (CARD, BORN, "F")
    assert id_card("110105491231002") == card
    assert masked(CARD) == "110*************2X"


@pytest.mark.parametrize(
    "wrong",
    [
        "110105194912310021",
        "11010519490231002X",
        "1" * 18,
        "1" * 15,
        "",
        None,
        "X1010519491231002X",
        "1101051949123100",
    ],
)
def test_what_is_no_card(wrong: str | None) -> None:
    assert id_card(wrong) is None


@given(st.integers(0, 16), st.integers(1, 9))
def test_every_single_wrong_digit_is_found(place: int, add: int) -> None:
    digit = str((int(CARD[place]) + add) % 10)
    assert id_card(CARD[:place] + digit + CARD[place + 1 :]) is None


def test_card_that_contradicts_is_no_key() -> None:
    card = id_card(CARD)
    assert card is not None
    assert not contradicts(card, None, "U")
    assert not contradicts(card, BORN, "F")
    assert contradicts(card, date(1949, 12, 30), "F")
    assert contradicts(card, BORN, "M")


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("王示例", "WANG^SHILI", True),
        ("王示例", "Shili Wang", True),
        ("张伟", "章伟", True),
        ("张伟", "李伟", False),
        ("张伟", "张炜", True),
    ],
)
def test_names_that_sound_alike(first: str, second: str, same: bool) -> None:
    assert compatible(first, second) is same


def test_name_keys_grams_and_placeholders() -> None:
    assert name_key("王示例") == "wangshili"
    assert grams("王示例") == {"王", "示", "例", "王示", "示例", "wangshili", "wsl"}
    assert grams("Wang^Shili") == {"wang", "shili"}
    assert is_placeholder("无名氏")
    assert is_placeholder("李芳之子")
    assert not is_placeholder("王示例")


def _candidate(
    name: str = "王示例", sex: str = "F", born: date | None = BORN, *, same: bool, has: bool = True
) -> Candidate:
    return Candidate(uuid7(), uuid7(), name, sex, born, same, has)


def test_ladder() -> None:
    same = _candidate(same=True)
    linked = ladder("王示例", "F", BORN, card=True, doubtful=False, candidates=[same])
    assert (linked.person, linked.rule, linked.flagged) == (same.person_id, "id_card", False)
    other_name = _candidate("李四", same=True)
    grey = ladder("王示例", "F", BORN, card=True, doubtful=False, candidates=[other_name])
    assert (grey.person, grey.rule, grey.flagged) == (None, "id_card_conflict", True)
    assert grey.with_records == (other_name.record_id,)
    two = ladder("王示例", "F", BORN, card=True, doubtful=False, candidates=[same, _candidate(same=True)])
    assert (two.person, two.flagged) == (None, True)
    twin = ladder("王示例", "F", BORN, card=False, doubtful=False, candidates=[_candidate(same=False)])
    assert (twin.person, twin.rule, twin.flagged) == (None, "same_name_birth", True)
    cards_differ = ladder("王示例", "F", BORN, card=True, doubtful=False, candidates=[_candidate(same=False)])
    assert (cards_differ.rule, cards_differ.flagged) == ("new", False)
    nobody = ladder("无名氏", "U", BORN, card=False, doubtful=False, candidates=[_candidate("无名氏", same=False)])
    assert nobody.rule == "new"
    assert ladder("王示例", "F", BORN, card=False, doubtful=True, candidates=[]).rule == "id_card_doubtful"
