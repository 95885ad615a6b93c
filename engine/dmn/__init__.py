"""DMN decision tables over FEEL: parse, decide, and prove that a table has no holes."""

from engine.dmn.check import TableFinding, check
from engine.dmn.errors import DmnError
from engine.dmn.model import Decision, File
from engine.dmn.parse import load
from engine.dmn.table import Decisions, NoRule, Result, SeveralRules, decide_file

__all__ = ["Decision", "Decisions", "DmnError", "File", "NoRule", "Result", "SeveralRules", "TableFinding", "check",
           "decide_file", "load"]  # fmt: skip
