"""Pure rules of identity: ID cards, names, and the ladder by which a registration finds its person.

ID card: GB 11643-1999, 18 digits, weights 7 9 10 5 8 4 2 1 6 3 7 9 10 5 8 4 2, check table 10X98765432; an old number of 15
digits is upgraded. A number whose own birth date or sex contradicts the registration is never a key.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from uuid import UUID

from pypinyin import lazy_pinyin

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")
_NOBODY = re.compile(r"(无名|不详|未知|之子|之女|之婴|unknown|noname|test)", re.IGNORECASE)


@dataclass(frozen=True)
class IdCard:
    """A number that holds by itself, with the birth date and sex it says."""

    number: str
    birth_date: date
    sex: str


def id_card(text: str | None) -> IdCard | None:
    """The card of a number of 18 or 15 digits; None when it does not hold."""
    number = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text or "")).upper()
    if len(set(number)) == 1:  # 111111111111111: what people type when they have none
        return None
    if re.fullmatch(r"\d{15}", number):
        body = number[:6] + "19" + number[6:]
        number = body + _check(body)
    if not re.fullmatch(r"\d{17}[\dX]", number) or number[17] != _check(number):
        return None
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None
    return IdCard(number, born, "M" if int(number[16]) % 2 else "F")


def _check(number: str) -> str:
    return _CHECK[sum(w * int(d) for w, d in zip(_WEIGHTS, number, strict=False)) % 11]


def contradicts(card: IdCard, birth_date: date | None, sex: str) -> bool:
    """Whether the card says another birth date or sex than the registration does."""
    return (birth_date is not None and birth_date != card.birth_date) or (sex in ("M", "F") and sex != card.sex)


def masked(text: str | None) -> str | None:
    """What may be shown of a number: its first three and last two places."""
    number = re.sub(r"[\s-]", "", text or "")
    return number[:3] + "*" * min(13, len(number) - 5) + number[-2:] if len(number) >= 8 else None


@lru_cache(maxsize=4096)
def name_key(name: str) -> str:
    """The name in pinyin without tones, small letters only: 王示例, Wang Shili and WANG^SHILI are one."""
    return re.sub(r"[^a-z]", "", "".join(lazy_pinyin(unicodedata.normalize("NFKC", name))).lower())


def compatible(first: str, second: str) -> bool:
    """Whether two names sound alike, family and given name in either order."""
    one, other = name_key(first), name_key(second)
    return bool(one) and (one == other or one in {name_key(turned) for turned in _turned(second)})


def _turned(name: str) -> list[str]:
    words = re.split(r"[\s,^·]+", name.strip())
    return [" ".join(reversed(words))] if len(words) > 1 else []


def is_placeholder(name: str) -> bool:
    """Whether the name says that nobody knows it (无名氏, a newborn's 之子): it counts for nothing."""
    return bool(_NOBODY.search(name)) or not name.strip()


def grams(name: str) -> frozenset[str]:
    """What a name is found by: every character, every pair of characters, the pinyin, the initials, Latin words."""
    text = re.sub(r"[\s,^·]+", " ", unicodedata.normalize("NFKC", name)).strip().lower()
    found = {word for word in text.split() if not _HAN.search(word)}
    han = "".join(_HAN.findall(text))
    found |= set(han) | {han[i : i + 2] for i in range(len(han) - 1)}
    if han:
        syllables = lazy_pinyin(han)
        found |= {"".join(syllables), "".join(s[0] for s in syllables if s)}
    return frozenset(word[:160] for word in found if word)


def han(text: str) -> str:
    """The Chinese characters of a query."""
    return "".join(_HAN.findall(unicodedata.normalize("NFKC", text)))


@dataclass(frozen=True)
class Candidate:
    """A record that may be the same human being."""

    record_id: UUID
    person_id: UUID
    name: str
    sex: str
    birth_date: date | None
    same_card: bool
    has_card: bool


@dataclass(frozen=True)
class Verdict:
    """Where a record belongs: `person` None means a new one; `flagged` asks a person to compare `with_records`."""

    person: UUID | None
    rule: str
    flagged: bool = False
    with_records: tuple[UUID, ...] = ()


def ladder(
    name: str, sex: str, birth_date: date | None, *, card: bool, doubtful: bool, candidates: Sequence[Candidate]
) -> Verdict:
    """Rules 1 and 5 of the ladder, and the grey between: link by card and name, else new, flagged when it looks alike.

    `card` says that a usable ID card is known, `doubtful` that one was given and contradicts the rest.
    """
    by_card = [c for c in candidates if c.same_card]
    alike = [c for c in by_card if compatible(name, c.name) and not _clash(sex, birth_date, c)]
    persons = {c.person_id for c in alike}
    if len(persons) == 1 and len(alike) == len(by_card):
        return Verdict(persons.pop(), "id_card")
    if by_card:
        return Verdict(None, "id_card_conflict", True, _ids(by_card))
    if doubtful:
        return Verdict(None, "id_card_doubtful", True)
    if not is_placeholder(name) and birth_date is not None:
        twins = [
            c for c in candidates
            if c.birth_date == birth_date and compatible(name, c.name) and not _clash(sex, birth_date, c)
            and not (card and c.has_card)
        ]  # fmt: skip
        if twins:
            return Verdict(None, "same_name_birth", True, _ids(twins))
    return Verdict(None, "new")


def _clash(sex: str, birth_date: date | None, other: Candidate) -> bool:
    different_birth = birth_date is not None and other.birth_date is not None and birth_date != other.birth_date
    return different_birth or (sex in ("M", "F") and other.sex in ("M", "F") and sex != other.sex)


def _ids(found: Iterable[Candidate]) -> tuple[UUID, ...]:
    return tuple(sorted(c.record_id for c in found))
