"""The application factory: guards, languages, errors, then every page that exists."""

from __future__ import annotations

from typing import Any

from flask import Flask, g, jsonify, redirect, render_template
from flask.typing import ResponseReturnValue
from werkzeug.middleware.proxy_fix import ProxyFix

from engine.clock import Clock, SystemClock
from webui import api, errors, guards, headers, i18n, login, pages
from webui.config import Config
from webui.context import KEY, Context
from webui.drawing import register as register_drawing
from webui.guards import public
from webui.navigation import Item, items, landing


def create_app(services: Any, config: Config, clock: Clock | None = None, *, testing: bool = False) -> Flask:
    """A Flask application over the services. `testing` also serves the gallery of components."""
    app = Flask("webui", static_folder="static", template_folder="templates")
    app.testing = testing
    app.config.update(SECRET_KEY=config.secret_key)
    app.extensions[KEY] = Context(services, config, clock or SystemClock())
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    if config.secure:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]
    i18n.init(app)
    headers.init(app, secure=config.secure)
    guards.init(app)
    errors.init(app)
    register_drawing(app, navigation)
    app.register_blueprint(login.blueprint)
    _health(app)
    pages.register(app)
    api.register(app)
    return app


def navigation() -> list[Item]:
    """The side bar of the person behind this request."""
    from flask import current_app

    who = g.get("actor")
    return items(who.roles, {rule.rule for rule in current_app.url_map.iter_rules()}) if who else []


def _health(app: Flask) -> None:
    @app.get("/")
    def home() -> ResponseReturnValue:
        """The first page of the person's roles; a page that says so when his roles open none."""
        target = landing(navigation())
        return redirect(target) if target != "/" else render_template("home.html")

    @app.get("/healthz")
    @public
    def healthz() -> ResponseReturnValue:
        """The process answers."""
        return jsonify(status="ok")

    @app.get("/readyz")
    @public
    def readyz() -> ResponseReturnValue:
        """The database answers too."""
        people = app.extensions[KEY].services
        with people.db.read() as session:
            people.people.hospital_by_code(session, "")
        return jsonify(status="ready")

    if app.testing:

        @app.get("/gallery")
        @public
        def gallery() -> ResponseReturnValue:
            """Every component beside the others, for tests of how they look."""
            from webui.gallery import sample

            return render_template("gallery.html", **sample())
