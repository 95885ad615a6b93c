"""Addresses of what Vite built: the manifest says under which name a file lies this time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
from flask import url_for

DIST = Path(__file__).parent / "static" / "dist"
ENTRY = "src/app.ts"


@dataclass(frozen=True)
class Built:
    """The entry point with its style sheets, and the sprite of icons with its digest."""

    script: str
    styles: tuple[str, ...] = ()
    chunks: dict[str, str] = field(default_factory=dict)
    icons: str = "dist/icons.svg"


@lru_cache(maxsize=1)
def built() -> Built:
    """Read the manifest once. FileNotFoundError says how to build it."""
    try:
        manifest: dict[str, dict[str, Any]] = orjson.loads((DIST / ".vite" / "manifest.json").read_bytes())
        digest = hashlib.sha256((DIST / "icons.svg").read_bytes()).hexdigest()[:10]
    except FileNotFoundError as error:
        raise FileNotFoundError("the front end is not built: run `make build`") from error
    entry = manifest[ENTRY]
    chunks = {name: f"dist/{one['file']}" for name, one in manifest.items()}
    return Built(
        f"dist/{entry['file']}", tuple(f"dist/{s}" for s in entry.get("css", ())), chunks, f"dist/icons.svg?v={digest}"
    )


def asset(name: str) -> str:
    """The address of an asset: `app.js`, `app.css`, `icons.svg`, or a source file such as `src/bpmn-view.ts`."""
    found = built()
    path = {"app.js": found.script, "app.css": found.styles[0] if found.styles else "", "icons.svg": found.icons}.get(
        name
    ) or found.chunks[name]
    file, _, version = path.partition("?")
    return url_for("static", filename=file) + (f"?{version}" if version else "")
