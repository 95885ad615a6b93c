"""Models: the closed bundle, its plain form, and the judge that lets nothing silently wrong run."""

from engine.model.bundle import Bundle
from engine.model.errors import BundleUnreadable, ModelUnreadable
from engine.model.parse import parse
from engine.model.types import Flow, Model, Node, Process

__all__ = ["Bundle", "BundleUnreadable", "Flow", "Model", "ModelUnreadable", "Node", "Process", "parse"]
