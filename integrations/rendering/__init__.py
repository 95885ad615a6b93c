"""Windowed pictures of slices and stacks: one port, numpy with Pillow, one fake."""

from integrations.rendering.fake import FakeRenderer
from integrations.rendering.port import KeyImage, Renderer
from integrations.rendering.windowed import WindowedRenderer

__all__ = ["FakeRenderer", "KeyImage", "Renderer", "WindowedRenderer"]
