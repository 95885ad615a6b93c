"""Logs: JSON lines with allowed keys only, so that no patient's name can slip in; tracebacks without the values of variables."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import MutableMapping
from pathlib import Path
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
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(_Sober("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[lines], force=True)
    sys.excepthook = _unhandled
    threading.excepthook = lambda said: _unhandled(said.exc_type, said.exc_value, said.exc_traceback)
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it tells of every tick, and of each that was left out
    structlog.configure(
        processors=[
            structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso"), _where, _allowed,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )  # fmt: skip


class _Sober(logging.Formatter):
    """What a library logs of an exception: its class and where, never its text, which may hold a patient's data."""

    def formatException(self, ei: Any) -> str:
        """Class and lines."""
        return "  ".join([type(ei[1]).__name__, *_frames(ei[1])])


def _unhandled(_kind: Any, error: BaseException | None, _trace: Any) -> None:
    if error is not None and not isinstance(error, KeyboardInterrupt):
        logging.getLogger("lianyi").critical("ended by an error", exc_info=error)


def _frames(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    return [f"{'/'.join(Path(f.filename).parts[-2:])}:{f.lineno} {f.name}" for f in frames]


def _where(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """An exception becomes its class and the lines it passed through; its text may hold data and stays out."""
    info = entry.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    error = info if isinstance(info, BaseException) else info[1] if isinstance(info, tuple) else None
    if error is not None:
        entry["error"] = type(error).__name__
        entry["where"] = _frames(error)
    return entry


def _allowed(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {k: v for k, v in entry.items() if k in ALLOWED}
