"""The pages. A module of this folder with a `blueprint` is a page; nothing has to be registered elsewhere."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from flask import Blueprint, Flask


def register(app: Flask) -> None:
    """Register the `blueprint` of every module in this folder, by name."""
    for module in sorted(iter_modules(__path__), key=lambda m: m.name):
        blueprint = getattr(import_module(f"{__name__}.{module.name}"), "blueprint", None)
        if isinstance(blueprint, Blueprint):
            app.register_blueprint(blueprint)
