"""A closed set of models, tables and forms under one hash: what an instance is pinned to for its whole life."""

from __future__ import annotations

import hashlib
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import orjson

from engine.model.errors import BundleUnreadable, ModelUnreadable
from engine.model.parse import parse
from engine.model.types import Model
from engine.values import canonical

_FORMAT = 1


@dataclass(frozen=True)
class Bundle:
    """`top` is a process id; `files` are named `<process>.bpmn`, `<decision>.dmn`, `<form>.form.json`."""

    top: str
    files: Mapping[str, bytes]

    @cached_property
    def hash(self) -> str:
        """sha256 over the top and each file's name and sha256, in lower-case hex; the order of files plays no part."""
        files = {name: hashlib.sha256(content).hexdigest() for name, content in self.files.items()}
        return hashlib.sha256(canonical({"format": _FORMAT, "top": self.top, "files": files})).hexdigest()

    @cached_property
    def models(self) -> dict[str, Model]:
        """The readable models by file name, in order of names; an unreadable one is missing (lint says why)."""
        found = {}
        for name in sorted(self.files):
            if name.endswith(".bpmn"):
                try:
                    found[name] = parse(name, self.files[name])
                except ModelUnreadable:
                    continue
        return found

    def to_bytes(self) -> bytes:
        """The deflated form the definition row stores; equal bundles give equal bytes."""
        files = {name: b64encode(content).decode() for name, content in self.files.items()}
        return zlib.compress(canonical({"format": _FORMAT, "top": self.top, "files": files}), 6)

    @classmethod
    def from_bytes(cls, content: bytes) -> Bundle:
        """The bundle `to_bytes` wrote."""
        try:
            data = orjson.loads(zlib.decompress(content))
            if data["format"] != _FORMAT:
                raise BundleUnreadable(f"Format {data['format']} is not known.")
            return cls(data["top"], {name: b64decode(text) for name, text in data["files"].items()})
        except (zlib.error, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BundleUnreadable(type(error).__name__) from error

    @classmethod
    def closure(cls, top: str, available: Mapping[str, bytes]) -> Bundle:
        """The top model and everything it reaches by call, decision and form. What is not available stays missing."""
        files: dict[str, bytes] = {}
        waiting = [f"{top}.bpmn"]
        while waiting:
            name = waiting.pop(0)
            if name in files or name not in available:
                continue
            files[name] = available[name]
            if name.endswith(".bpmn"):
                waiting.extend(references(name, available[name]))
        return cls(top, dict(sorted(files.items())))


def references(name: str, content: bytes) -> list[str]:
    """The file names a model reaches directly, sorted; none when it cannot be read."""
    try:
        model = parse(name, content)
    except ModelUnreadable:
        return []
    found = set()
    for process in model.processes:
        for node in process.nodes:
            if node.called:
                found.add(f"{node.called}.bpmn")
            if node.decision:
                found.add(f"{node.decision}.dmn")
            if node.properties.get("form"):
                found.add(f"{node.properties['form']}.form.json")
    return sorted(found)
