"""Windowed pictures of slices and stacks: one port, numpy with Pillow, one fake."""

from integrations.rendering.fake import FakeRenderer
from integrations.rendering.port import KeyImage, NotDrawable, Renderer
from integrations.rendering.windowed import WindowedRenderer

__all__ = ["FakeRenderer", "KeyImage", "NotDrawable", "Renderer", "WindowedRenderer"]
