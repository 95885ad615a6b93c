"""What can go wrong between a person and a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.errors import LianyiError


class NotClaimed(LianyiError):
    """You have not taken this task."""

    code = "not_claimed"
    status = 409
    advice = "Take the task first, then hand it in."


class AlreadyClaimed(LianyiError):
    """Somebody else has taken this task."""

    code = "already_claimed"
    status = 409
    advice = "Choose another task, or ask the coordinator to reassign this one."


class TaskDone(LianyiError):
    """This task was handed in already."""

    code = "task_done"
    status = 409
    advice = "Reload your list; what you wrote is kept in the case."


class NothingToDo(LianyiError):
    """No task waits for you."""

    code = "nothing_to_do"
    status = 404
    advice = "Come back later; the list refreshes itself."


class NeedsReauth(LianyiError):
    """This step needs your password once more."""

    code = "needs_reauth"
    status = 403
    advice = "Type your password to confirm that it is you who signs."


class Separated(LianyiError):
    """What you did in this case keeps you from this step."""

    code = "separated"
    status = 403
    advice = "Leave it to a colleague: author, reviewer and scorer of a report are three people."


class DraftTooLarge(LianyiError):
    """The draft is too large."""

    code = "draft_too_large"
    status = 413
    advice = "Put long material into an attachment."


class FormInvalid(LianyiError):
    """The form is not complete."""

    code = "form_invalid"
    status = 422
    advice = "Correct the marked fields and hand it in again; your draft is kept."

    def __init__(self, errors: Mapping[str, Sequence[str]]) -> None:
        """`errors` are messages by field name; those of the whole form under `_schema`."""
        super().__init__(fields=sorted(errors))
        self.errors = {name: list(messages) for name, messages in errors.items()}
