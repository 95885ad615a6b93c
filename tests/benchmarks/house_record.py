"""One figure in the shape every benchmark writes."""

from __future__ import annotations

Record = dict[str, object]


def record(
    name: str, unit: str, value: float | None, *, peer: str | None = None, peer_value: float | None = None
) -> Record:
    """A figure, and beside it the peer's of the same run; `ratio` is ours by theirs."""
    ratio = value / peer_value if value is not None and peer_value else None
    return {
        "area": "house", "name": name, "unit": unit, "value": _round(value), "peer": peer, "peer_value": _round(peer_value),
        "ratio": _round(ratio),
    }  # fmt: skip


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
