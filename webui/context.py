"""What a request may use: the services, the settings, the clock and the person behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from flask import current_app, g

from engine.clock import Clock
from tasks.people.service import Actor
from webui.config import Config

KEY = "lianyi"


@dataclass(frozen=True)
class Context:
    """Built once by the application factory."""

    services: Any
    config: Config
    clock: Clock


def context() -> Context:
    """The context of the running application."""
    return cast(Context, current_app.extensions[KEY])


def services() -> Any:
    """The services of tasks/catalogue.py: `.people`, `.cases`, `.worklist`, …, and `.db` for reads."""
    return context().services


def actor() -> Actor:
    """The person behind this request; pages that are not public always have one."""
    return cast(Actor, g.actor)
