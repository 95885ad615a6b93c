"""What stands before every view: forgery tokens, the rate of logins, and who is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import CSRFProtect

from tasks.people.errors import LoginEnded, LoginLocked
from webui import resume
from webui.context import context, services

View = TypeVar("View", bound=Callable[..., Any])

csrf = CSRFProtect()
SIZE = 512 * 1024 * 1024
"""Bytes of one upload; form fields besides files are limited to 4 MB."""


def public(view: View) -> View:
    """Mark a view that needs no login: the login page, health, webhooks with a signature of their own."""
    view.public = True  # type: ignore[attr-defined]
    return view


def passive(view: View) -> View:
    """Mark a view that pages ask by themselves: it is a sign of life only when its request says `active=1`."""
    view.passive = True  # type: ignore[attr-defined]
    return view


def cookie_name() -> str:
    """The cookie of the login; with HTTPS it is bound to this host."""
    return "__Host-lianyi" if context().config.secure else "lianyi"


def token() -> str | None:
    """The login token this browser sent."""
    return request.cookies.get(cookie_name())


def wants_json() -> bool:
    """Whether the answer goes to a program rather than to a person."""
    if request.path.startswith("/api/") or request.is_json:
        return True
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json"


def inside(target: str | None) -> str:
    """An address of this site to return to; anything else becomes the start page."""
    parts = urlsplit(target or "")
    whole = bool(parts.scheme or parts.netloc) or not (target or "").startswith("/") or "\\" in (target or "")
    return "/" if whole or (target or "").startswith("//") else str(target)


def _check() -> ResponseReturnValue | None:
    view = current_app.view_functions.get(request.endpoint or "")
    g.actor = None
    g.locked = False
    sent = token()
    trouble: type[LoginEnded] | type[LoginLocked] = LoginEnded
    if sent and request.endpoint != "static":
        try:
            alive = not getattr(view, "passive", False) or request.args.get("active") == "1"
            g.actor = services().people.logins.check(sent, touch=alive)
        except LoginLocked:
            g.locked, trouble = True, LoginLocked
        except LoginEnded:
            pass
    if request.endpoint in (None, "static") or getattr(view, "public", False) or g.actor is not None:
        return None
    if not wants_json() and request.method == "POST" and hasattr(view, "keeps"):
        if current_app.config["WTF_CSRF_ENABLED"]:
            csrf.protect()
        page = render_template(
            "login.html", next=request.path, locked=g.locked, failed=False, name="", kept=resume.seal(view), lost=True
        )
        return page, trouble.status
    if wants_json() or request.method != "GET":
        raise trouble
    if request.headers.get("HX-Request"):
        return (
            "",
            401,
            {"HX-Redirect": url_for("login.form", next=request.referrer and urlsplit(request.referrer).path)},
        )
    return redirect(url_for("login.form", next=request.full_path.rstrip("?")))


def init(app: Flask) -> None:
    """Attach all guards."""
    secure = context_config_secure(app)
    app.config.update(
        WTF_CSRF_TIME_LIMIT=None,
        SESSION_COOKIE_NAME="__Host-session" if secure else "session",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=SIZE,
        MAX_FORM_MEMORY_SIZE=4 * 1024 * 1024,
        MAX_FORM_PARTS=5000,
    )
    app.before_request(_check)
    csrf.init_app(app)


def context_config_secure(app: Flask) -> bool:
    """Whether this application is reached by HTTPS."""
    return bool(app.extensions["lianyi"].config.secure)
