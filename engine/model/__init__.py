"""Models: the closed bundle, its plain form, and the judge that lets nothing silently wrong run."""

from engine.model.bundle import Bundle
from engine.model.describe import FlowView, NodeView, ProcessView, describe
from engine.model.errors import BundleUnreadable, ModelUnreadable
from engine.model.finding import Finding, LintRefused, choice
from engine.model.lint import lint, lint_files
from engine.model.parse import parse
from engine.model.types import Flow, Model, Node, Process

__all__ = [
    "Bundle",
    "BundleUnreadable",
    "Finding",
    "Flow",
    "FlowView",
    "LintRefused",
    "Model",
    "ModelUnreadable",
    "Node",
    "NodeView",
    "Process",
    "ProcessView",
    "choice",
    "describe",
    "lint",
    "lint_files",
    "parse",
]
