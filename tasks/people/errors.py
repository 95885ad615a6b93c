"""What can go wrong with people and their logins."""

from __future__ import annotations

from engine.errors import LianyiError


class BadCredentials(LianyiError):
    """Name or password is wrong."""

    code = "bad_credentials"
    status = 403
    advice = "Type both again; after several failures ask the administrator for a new password."


class TooManyLogins(LianyiError):
    """There were too many wrong passwords."""

    code = "too_many_logins"
    status = 429
    advice = "Wait ten minutes and try again, or ask the administrator for a new password."


class LoginEnded(LianyiError):
    """This login is over."""

    code = "login_ended"
    status = 401
    advice = "Log in again; drafts were kept."


class LoginLocked(LianyiError):
    """The screen is locked because nothing was done for a while."""

    code = "login_locked"
    status = 401
    advice = "Type your password to go on; nothing you were writing was lost."


class Forbidden(LianyiError):
    """You may not do this."""

    code = "forbidden"
    status = 403
    advice = "Ask the coordinator whether your role should allow it."


class NameTaken(LianyiError):
    """This name is already in use."""

    code = "name_taken"
    status = 409
    advice = "Choose another login name or code."


class WeakPassword(LianyiError):
    """The password is too short."""

    code = "weak_password"
    status = 422
    advice = "Take at least 12 characters; several words in a row are good."


class UnknownRole(LianyiError):
    """There is no such role."""

    code = "unknown_role"
    status = 422
    advice = "Use one of the roles listed in tasks/people/rules.py."
