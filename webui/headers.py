"""Headers of every answer: what the browser may load, run, keep and frame."""

from __future__ import annotations

import secrets
import uuid

from flask import Flask, Response, g, request

YEAR = 365 * 24 * 3600


def nonce() -> str:
    """The nonce of this answer; a script or style of the page carries it."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def request_id() -> str:
    """The number of this request; error pages and logs show it."""
    if "request_id" not in g:
        g.request_id = uuid.uuid4().hex[:12]
    return str(g.request_id)


def policy() -> str:
    """Content-Security-Policy: everything from here, no inline code, no frames."""
    own = f"'self' 'nonce-{nonce()}'"
    return "; ".join((
        "default-src 'self'", f"script-src {own}", f"style-src {own}", "img-src 'self' data: blob:", "media-src 'self' blob:",
        "worker-src 'self' blob:", "connect-src 'self'", "object-src 'none'", "base-uri 'none'", "form-action 'self'",
        "frame-ancestors 'none'",
    ))  # fmt: skip


def init(app: Flask, *, secure: bool) -> None:
    """Set the headers; pages are never kept, built assets are kept for a year because their names carry a digest."""

    @app.after_request
    def _set(answer: Response) -> Response:
        answer.headers.setdefault("Content-Security-Policy", policy())
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Referrer-Policy"] = "same-origin"
        answer.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        answer.headers["Permissions-Policy"] = "camera=(self), microphone=(self), geolocation=()"
        answer.headers["X-Request-Id"] = request_id()
        if secure:
            answer.headers["Strict-Transport-Security"] = f"max-age={YEAR}"
        if request.endpoint == "static":
            built = request.path.startswith("/static/dist/assets/") or bool(request.query_string)
            answer.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable" if built else "public, max-age=3600"
        else:
            answer.headers.setdefault("Cache-Control", "no-store")
        return answer
