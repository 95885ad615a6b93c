"""FEEL (OMG DMN 1.5): the one expression language of models, compiled once to closures, without side effects."""

from engine.feel.compile import Expression, UnaryTests, compared, compile, compile_unary, members
from engine.feel.errors import FeelError
from engine.feel.values import from_json, to_json

__all__ = [
    "Expression",
    "FeelError",
    "UnaryTests",
    "compared",
    "compile",
    "compile_unary",
    "from_json",
    "members",
    "to_json",
]
