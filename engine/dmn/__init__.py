"""DMN decision tables over FEEL: parse, decide, and prove that a table has no holes."""

from engine.dmn.check import TableFinding, check
from engine.dmn.decide import Decisions, Result, decide_file
from engine.dmn.errors import DmnError, NoRule, SeveralRules
from engine.dmn.model import Decision, File
from engine.dmn.parse import load

__all__ = ["Decision", "Decisions", "DmnError", "File", "NoRule", "Result", "SeveralRules", "TableFinding", "check",
           "decide_file", "load"]  # fmt: skip
