"""The interface for programs, under /api/v1, described by its own OpenAPI document at /api/v1/openapi.json."""

from __future__ import annotations

from flask import Flask
from flask_smorest import Api

from webui.api import alliance, cases

PREFIX = "/api/v1"


class _Api(Api):  # type: ignore[misc]
    """Errors keep the shape they have everywhere (webui/errors.py)."""

    def _register_error_handlers(self) -> None:
        """None of its own."""


def register(app: Flask) -> None:
    """Add the interface and its description to the application."""
    app.config.update(
        API_TITLE="Lianyi", API_VERSION="1", OPENAPI_VERSION="3.0.3", OPENAPI_URL_PREFIX=PREFIX, OPENAPI_JSON_PATH="openapi.json"
    )  # fmt: skip
    api = _Api(app)
    for blueprint in (alliance.blueprint, cases.blueprint):
        api.register_blueprint(blueprint)
