"""Logs: JSON lines with allowed keys only, so that no patient's name can slip in; tracebacks without the values of variables."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

ALLOWED = frozenset(
    [
        "event",
        "level",
        "timestamp",
        "logger",
        "request_id",
        "path",
        "method",
        "status",
        "code",
        "error",
        "where",
        "instance",
        "task",
        "job",
        "worker",
        "operation",
        "attempt",
        "process",
        "role",
        "port",
        "case",
        "endpoint",
        "seconds",
        "count",
    ]
)


def configure(level: str) -> None:
    """Set up structlog and the standard logging for one process."""
    logging.basicConfig(
        level=level.upper(), stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s", force=True
    )
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso"), _where, _allowed,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )  # fmt: skip


def _where(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """An exception becomes its class and the lines it passed through; its text may hold data and stays out."""
    info = entry.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    error = info if isinstance(info, BaseException) else info[1] if isinstance(info, tuple) else None
    if error is not None:
        entry["error"] = type(error).__name__
        frames = traceback.extract_tb(error.__traceback__)
        entry["where"] = [
            f"{f.filename.rsplit('/', 2)[-2]}/{f.filename.rsplit('/', 1)[-1]}:{f.lineno} {f.name}" for f in frames[-12:]
        ]
    return entry


def _allowed(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {k: v for k, v in entry.items() if k in ALLOWED}
