"""Errors become answers here and only here: a page for a person, JSON for a program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from flask import Flask, g, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from engine.errors import LianyiError
from forms.errors import FormError
from webui import refusals
from webui.error_texts import DELIVERIES, HTTP, TEXTS
from webui.guards import wants_json
from webui.headers import request_id
from webui.i18n import language

log = structlog.get_logger("webui")
GONE = (403, 404)
"""What is answered to whom something does not concern."""
RETRY = {423: "1", 429: "30", 503: "5"}


def texts(code: str, message: str, advice: str) -> tuple[str, str]:
    """Message and advice in the language of the reader; the error's own words where no others are known."""
    return TEXTS.get(code, (message, advice)) if language() == "zh" else (message, advice)


def delivered(code: str, detail: str) -> str:
    """What became of an attempt to deliver, in the language of the reader."""
    return DELIVERIES.get(code, detail) if language() == "zh" else detail


def answer(status: int, code: str, message: str, advice: str, errors: Any = None) -> ResponseReturnValue:
    """One error as JSON or as a page."""
    headers = {"Retry-After": RETRY[status]} if status in RETRY else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Session"
    if wants_json():
        body = {"code": code, "message": message, "advice": advice, "errors": errors, "request_id": request_id()}
        return jsonify(body), status, headers
    page = render_template(
        "error.html", status=status, code=code, message=message, advice=advice, errors=errors, request_id=request_id()
    )
    return page, status, headers


def _own(error: Exception) -> ResponseReturnValue:
    """LianyiError, FormError and IntegrationError have one shape; the last one counts as a failing peer."""
    kind = type(error)
    default = 422 if isinstance(error, FormError) else 502
    status = int(getattr(error, "status", default))
    if status in GONE:
        refusals.note(error)
    code = str(getattr(kind, "code", "error"))
    summary = (kind.__doc__ or "").strip().splitlines()[0]
    message, advice = texts(code, summary, str(getattr(error, "advice", "")))
    detail = str(getattr(error, "detail", ""))
    if detail and language() == "en":
        message = f"{summary} {detail}"
    if status >= 500:
        log.error("request_failed", code=code, path=request.path, request_id=request_id(), exc_info=error)
    params: Mapping[str, Any] = getattr(error, "params", {})
    return answer(status, code, message, advice, params.get("errors"))


def _http(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if status < 400:
        return error.get_response()
    if status in GONE:
        refusals.note(error)
    name = "csrf" if isinstance(error, CSRFError) else "rate" if error.code == 429 else str(status)
    zh_message, zh_advice, en_message, en_advice = HTTP.get(name, HTTP["other"])
    zh = language() == "zh"
    told = (getattr(error, "data", None) or {}).get("messages")  # what a schema of the interface found, by field
    return answer(status, f"http_{name}", zh_message if zh else en_message, zh_advice if zh else en_advice, told)


def _unexpected(error: Exception) -> ResponseReturnValue:
    """The process edge: whatever nobody foresaw; an error of the house's shape is told in its own words."""
    if isinstance(getattr(type(error), "code", None), str) and hasattr(type(error), "advice"):
        return _own(error)
    log.error("request_failed", code="http_500", path=request.path, request_id=request_id(), exc_info=error)
    g.setdefault("actor", None)
    zh_message, zh_advice, en_message, en_advice = HTTP["500"]
    zh = language() == "zh"
    return answer(500, "http_500", zh_message if zh else en_message, zh_advice if zh else en_advice)


def init(app: Flask) -> None:
    """Register the handlers, and what pages say of failed deliveries."""
    app.jinja_env.filters["delivered"] = delivered
    app.register_error_handler(LianyiError, _own)
    app.register_error_handler(FormError, _own)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)
