"""Logging in and out, going on after a lock, and the choices of a work place."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Response, flash, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from engine.errors import LianyiError, NotFound
from tasks.people.errors import BadCredentials, LoginEnded, TooManyLogins
from tasks.people.logins import PER_NAME
from tasks.people.service import Actor
from webui import resume
from webui.context import context, services
from webui.guards import cookie_name, inside, public, token

blueprint = Blueprint("login", __name__)
WARNED = 5
"""From so many attempts left on, their number is told."""
YEAR = 365 * 24 * 3600
CHOICES = {
    "lang": ("zh", "en"),
    "theme": ("light", "dark"),
    "size": ("normal", "large"),
    "density": ("normal", "comfortable", "compact"),
    "keys": ("on", "off"),
}


def _keep(answer: Response, name: str, value: str, age: int | None) -> None:
    answer.set_cookie(name, value, max_age=age, secure=context().config.secure, httponly=True, samesite="Lax", path="/")


@blueprint.get("/login")
@public
def form() -> ResponseReturnValue:
    """The form; after a lock only the password is asked."""
    if g.actor is not None:
        return redirect(inside(request.args.get("next")))
    return render_template("login.html", next=request.args.get("next", ""), locked=g.locked, failed=False, name="")


@blueprint.post("/login")
@public
def log_in() -> ResponseReturnValue:
    """Check name and password; the answer to a wrong one says only that one of them is wrong."""
    name, password = request.form.get("login_name", "").strip(), request.form.get("password", "")
    sent, target, kept = token(), request.form.get("next", ""), request.form.get("kept", "")
    logins = services().people.logins
    try:
        if g.locked and sent and not name:
            return redirect(_on(logins.unlock(sent, password), target, kept), 303)
        opened, who = logins.open(name, password, address=request.remote_addr)
    except (BadCredentials, LoginEnded, TooManyLogins) as problem:
        many = isinstance(problem, TooManyLogins)
        page = render_template(
            "login.html", next=target, locked=g.locked and not name, failed=True, many=many, name=name, kept=kept,
            lost=bool(kept), advice=advice(problem),
        )  # fmt: skip
        return page, TooManyLogins.status if many else BadCredentials.status
    if sent:
        logins.end(sent)
    answer = make_response(redirect(_on(who, target, kept), 303))
    _keep(answer, cookie_name(), opened, None)
    return answer


def advice(problem: LianyiError) -> str:
    """What to do after a wrong password: how often one may still try, or how long to wait."""
    if isinstance(problem, TooManyLogins):
        return str(gettext("请 %(n)s 分钟后再试，或联系信息科重设密码。", n=problem.params.get("minutes", 10)))
    left = problem.params.get("left", PER_NAME)
    if left == 0:
        return str(gettext("这是最后一次，请 10 分钟后再试，或联系信息科重设密码。"))
    if left <= WARNED:
        return str(gettext("还可以试 %(n)s 次，之后要等 10 分钟。忘记密码请联系信息科。", n=left))
    return str(gettext("请重新输入；多次失败请联系信息科重设密码。"))


def _on(who: Actor, target: str, kept: str) -> str:
    """Where somebody goes on; a form he had sent without a login is kept for him, and for nobody else."""
    resume.known(who.account_id)
    sealed = resume.unseal(kept)
    if sealed is None:
        return inside(target)
    if sealed.account != str(who.account_id):
        flash(gettext("登录前填写的内容属于另一位使用者，没有交给您。"))
        return "/"
    g.actor = who
    try:
        place = resume.take_up(sealed)
    except NotFound:
        return inside(target)
    flash(
        gettext("您写的内容还在，文件请重新选择；请核对后再提交。")
        if sealed.files
        else gettext("您写的内容还在，请核对后再提交。")
    )
    return place


@blueprint.post("/logout")
@public
def log_out() -> ResponseReturnValue:
    """End the login of this browser."""
    sent = token()
    if sent:
        services().people.logins.end(sent)
    answer = make_response(redirect(url_for("login.form"), 303))
    answer.delete_cookie(cookie_name(), path="/", secure=context().config.secure, httponly=True, samesite="Lax")
    return answer


@blueprint.post("/lock")
def lock() -> ResponseReturnValue:
    """Lock the screen; the password opens it again where it was."""
    sent = token()
    if sent:
        services().people.logins.lock(sent)
    return redirect(url_for("login.form", next=_back()), 303)


@blueprint.post("/preferences")
@public
def preferences() -> ResponseReturnValue:
    """Keep language, theme, size, density and keys at this work place."""
    answer = make_response(redirect(_back(), 303))
    for name, values in CHOICES.items():
        value = request.form.get(name)
        if value in values:
            _keep(answer, name, value, YEAR)
    return answer


def _back() -> str:
    """The page the form was on."""
    parts = urlsplit(request.referrer or "")
    return inside(f"{parts.path}?{parts.query}" if parts.query else parts.path)
