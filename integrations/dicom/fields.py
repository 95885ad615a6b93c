"""Reads single attributes of a foreign data set: what cannot be read is absent and noted, it never stops the rest."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, TypeVar

from integrations.dicom.errors import DicomRefused
from integrations.foreign import malformed

T = TypeVar("T")
UID = re.compile(r"[0-9.]{1,64}")


class Fields:
    """The attributes of `ds` by keyword (PS3.6); `notes` collects what was wrong, in words without patient data."""

    def __init__(self, ds: Any) -> None:
        self._ds = ds
        self.notes: set[str] = set()

    def text(self, word: str, limit: int = 64) -> str:
        """An attribute as text of at most `limit` characters, several values joined by a backslash as on the wire."""
        value = self._value(word)
        if value is None:
            return ""
        several = not isinstance(value, str) and hasattr(value, "__iter__") and not hasattr(value, "components")
        whole = "\\".join(str(part) for part in value) if several else str(value)
        whole = whole.replace("\x00", "").strip()
        if "\ufffd" in whole:
            self.notes.add(f"{word} holds characters outside its character set")
        return whole[:limit]

    def uid(self, word: str) -> str:
        """A UID; empty when it is absent or none (PS3.5 section 9)."""
        value = self.text(word, 100)
        if value and not UID.fullmatch(value):
            self.notes.add(f"{word} is no UID")
            return ""
        return value

    def must_be_uid(self, word: str) -> str:
        """A UID without which the object has no place. DicomRefused."""
        value = self.text(word, 100)
        if not UID.fullmatch(value):
            raise DicomRefused(f"{word} is missing or is no UID.")
        return value

    def whole(self, word: str) -> int | None:
        """An integer."""
        return self._single(word, lambda value: int(str(value)))

    def must_be_size(self, word: str, most: int) -> int | None:
        """A number that rules memory: absent, or one integer from 1 to `most`. DicomRefused."""
        try:
            value = getattr(self._ds, word, None)
            number = None if value in (None, "") else int(str(value))
        except malformed():
            raise DicomRefused(f"{word} is not one number.") from None
        if number is not None and not 1 <= number <= most:
            raise DicomRefused(f"{word} is out of range.")
        return number

    def real(self, word: str) -> float | None:
        """A finite number."""
        return self._single(word, _finite)

    def reals(self, word: str, count: int | None = None) -> tuple[float, ...]:
        """Finite numbers, exactly `count` of them where that is given."""
        value = self._value(word)
        if value is None:
            return ()
        try:
            numbers = tuple(_finite(v) for v in (value if hasattr(value, "__iter__") else [value]))
        except malformed():
            self.notes.add(f"{word} cannot be read")
            return ()
        if count is not None and len(numbers) != count:
            self.notes.add(f"{word} has {len(numbers)} values")
            return ()
        return numbers

    def first(self, sequence: str) -> Fields:
        """The attributes of a sequence's first item; of nothing when there is none."""
        items = self._value(sequence)
        try:
            inner = Fields(items[0] if items else None)
        except malformed():
            inner = Fields(None)
        inner.notes = self.notes
        return inner

    def _value(self, word: str) -> Any:
        try:
            value = getattr(self._ds, word, None)
            return None if value is None or value == "" else value
        except malformed():
            self.notes.add(f"{word} cannot be read")
            return None

    def _single(self, word: str, kind: Callable[[Any], T]) -> T | None:
        value = self._value(word)
        try:
            return None if value is None else kind(value)
        except malformed():
            self.notes.add(f"{word} cannot be read")
            return None


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("not finite")
    return number
