"""What people fill: form definitions, their compiler to marshmallow schemas, and the rendering model."""

from forms.compile import compile, plain
from forms.errors import FormError
from forms.formdef import Field, FormDef, load, process_fields
from forms.lint import Problem, lint
from forms.view import FieldView, FormView, view

__all__ = [
    "Field",
    "FieldView",
    "FormDef",
    "FormError",
    "FormView",
    "Problem",
    "compile",
    "lint",
    "load",
    "plain",
    "process_fields",
    "view",
]
