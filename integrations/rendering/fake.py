"""A renderer that draws a grey square."""

from __future__ import annotations

import io

from integrations.rendering.port import KeyImage


class FakeRenderer:
    """Every picture is the same."""

    def picture(self, part10: bytes, frame: int = 0, size: int = 512) -> bytes:  # noqa: ARG002 - the port's arguments
        """A grey square."""
        from PIL import Image

        out = io.BytesIO()
        Image.new("L", (min(size, 64), min(size, 64)), 128).save(out, "PNG")
        return out.getvalue()

    def key_images(self, objects: list[bytes], count: int = 4) -> list[KeyImage]:
        """The first ones."""
        return [KeyImage(i, self.picture(raw), "fake") for i, raw in enumerate(objects[:count])]
