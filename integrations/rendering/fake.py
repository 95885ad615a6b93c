"""A renderer that draws a grey square."""

from __future__ import annotations

import io

from integrations.rendering.port import KeyImage


class FakeRenderer:
    """Every picture is the same."""

    def picture(
        self,
        part10: bytes,  # noqa: ARG002 - the port's arguments
        frame: int = 0,  # noqa: ARG002
        size: int = 512,
        window: tuple[float, float] | None = None,  # noqa: ARG002
    ) -> bytes:
        """A grey square."""
        from PIL import Image

        out = io.BytesIO()
        Image.new("L", (min(size, 64), min(size, 64)), 128).save(out, "PNG")
        return out.getvalue()

    def thumbnail(self, part10: bytes, size: int = 128) -> bytes:
        """A grey square."""
        return self.picture(part10, 0, size)

    def key_images(self, objects: list[bytes], count: int = 4) -> list[KeyImage]:
        """The first ones."""
        return [KeyImage(i, self.picture(raw), "fake") for i, raw in enumerate(objects[:count])]
