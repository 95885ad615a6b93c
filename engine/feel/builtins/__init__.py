"""The built-in functions of FEEL (DMN 1.5, section 10.3.4), by name."""

from __future__ import annotations

from engine.feel.builtins import contexts, lists, numbers, ranges, temporals, texts
from engine.feel.builtins.signature import functions

FUNCTIONS = functions(contexts, lists, numbers, ranges, temporals, texts)

__all__ = ["FUNCTIONS"]
