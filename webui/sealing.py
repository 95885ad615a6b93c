"""Text that leaves the server and comes back: encrypted, so that who finds it in a page or a cookie reads nothing."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import orjson
from cryptography.fernet import Fernet, InvalidToken

from webui.context import context


def seal(what: str, value: Any) -> str:
    """The sealed form of a JSON value; `what` keeps one kind from being taken for another."""
    return _box(what).encrypt(orjson.dumps(value)).decode()


def unseal(what: str, text: str, age: int) -> Any:
    """The value, if it was sealed here, as this kind, at most `age` seconds ago; None for anything else."""
    try:
        return orjson.loads(_box(what).decrypt(text.encode(), ttl=age))
    except (InvalidToken, ValueError):
        return None


def _box(what: str) -> Fernet:
    key = hashlib.sha256(f"lianyi.{what}:{context().config.secret_key}".encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
