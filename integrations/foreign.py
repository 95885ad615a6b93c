"""Parsing of foreign DICOM: the parser's remarks caught, for they may quote a patient, and all that it may raise, in one place."""

from __future__ import annotations

import functools
import logging
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()


@contextmanager
def quiet() -> Iterator[list[warnings.WarningMessage]]:
    """Catch what pydicom warns of. One thread at a time, for the interpreter has one set of warning filters; keep it short."""
    with _lock, warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        logging.getLogger("pydicom").propagate = False
        yield said


@functools.cache
def malformed() -> tuple[type[Exception], ...]:
    """What pydicom raises at data that are not what they say."""
    from pydicom.errors import BytesLengthException, InvalidDicomError

    return (
        ValueError, TypeError, LookupError, AttributeError, ArithmeticError, EOFError, OSError, NotImplementedError, RuntimeError,
        struct.error, BytesLengthException, InvalidDicomError,
    )  # fmt: skip
