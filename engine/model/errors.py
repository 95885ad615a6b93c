"""What cannot even be read as a model."""

from __future__ import annotations

from engine.errors import LianyiError


class ModelUnreadable(LianyiError):
    """The file is not a BPMN model that can be read."""

    code = "model_unreadable"
    status = 422
    advice = "Export the model again from the editor as BPMN 2.0 XML, without DOCTYPE and smaller than 2 MB."

    def __init__(self, detail: str, line: int = 1) -> None:
        self.line = line
        super().__init__(detail, line=line)


class BundleUnreadable(LianyiError):
    """The stored bundle cannot be read."""

    code = "bundle_unreadable"
    status = 500
    advice = "Restore the definition row from the backup; its content does not match its format."
