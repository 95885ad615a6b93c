"""Two languages: Chinese texts are the message ids, the English catalogue is compiled in memory at the start."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, g, has_request_context, request
from flask_babel import Babel, Domain, get_locale, gettext

from webui.context import context

LANGUAGES = {"zh": "zh_Hans_CN", "en": "en"}
COOKIE = "lang"


@lru_cache(maxsize=4)
def catalogue(lang: str) -> NullTranslations:
    """The texts of a language; Chinese is written in the templates and needs none."""
    path = Path(__file__).parent / "translations" / lang / "LC_MESSAGES" / "messages.po"
    if lang == "zh":
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=lang))
    compiled.seek(0)
    return Translations(compiled)


class _Catalogue(Domain):  # type: ignore[misc]
    """Flask-Babel's domain, fed from memory instead of .mo files."""

    def get_translations(self) -> NullTranslations:
        locale = get_locale()
        return catalogue("en" if locale is not None and locale.language == "en" else "zh")


class _Babel(Babel):  # type: ignore[misc]
    @property
    def domain_instance(self) -> _Catalogue:
        return _DOMAIN


_DOMAIN = _Catalogue()


def counted(text: str, **values: Any) -> str:
    """`_` of the templates: the text in the reader's language, in the singular where its number `n` is one."""
    count, found = values.get("n"), ""
    if isinstance(count, int) and language() == "en":
        found = str(catalogue("en").ngettext(text, text, count))
    found = found if found and found != text else str(gettext(text))
    return found % values if values else found


def comma() -> str:
    """What stands between two facts in a line."""
    return ", " if language() == "en" else "，"


def language() -> str:
    """`zh` or `en`: the cookie of this work place, else the setting."""
    if not has_request_context():
        return "zh"
    if "language" not in g:
        chosen = request.cookies.get(COOKIE, "")
        g.language = chosen if chosen in LANGUAGES else context().config.language
    return str(g.language)


def zone() -> ZoneInfo:
    """The time zone in which people read times."""
    return ZoneInfo(context().config.timezone)


def local(moment: datetime) -> datetime:
    """An instant in the zone people read."""
    return moment.astimezone(zone())


def hm(moment: datetime | None) -> str:
    """08:42 in the zone people read; nothing for nothing."""
    return local(moment).strftime("%H:%M") if moment else ""


def day(moment: datetime | date | None) -> str:
    """今日, 昨日 or 2026-11-24."""
    if moment is None:
        return ""
    there = local(moment).date() if isinstance(moment, datetime) else moment
    ago = (local(context().clock.now()).date() - there).days
    return str({0: gettext("今日"), 1: gettext("昨日")}.get(ago, there.isoformat()))


def moment(value: datetime | None) -> str:
    """今日 08:42 or 2026-11-24 08:42."""
    return f"{day(value)} {hm(value)}".strip()


def duration(minutes: int) -> str:
    """24 分, 2 时 10 分, 3 天 4 时."""
    if minutes < 60:
        return str(gettext("%(m)s 分", m=minutes))
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return str(gettext("%(h)s 时 %(m)02d 分", h=hours, m=rest) if rest else gettext("%(h)s 时", h=hours))
    days, hours = divmod(hours, 24)
    return str(gettext("%(d)s 天 %(h)s 时", d=days, h=hours))


def init(app: Flask) -> None:
    """Attach Flask-Babel and the filters for times."""
    _Babel(
        app,
        default_locale="zh_Hans_CN",
        default_timezone=context_zone(app),
        locale_selector=lambda: LANGUAGES[language()],
    )
    filters: dict[str, Any] = {"hm": hm, "day": day, "moment": moment, "duration": duration}
    app.jinja_env.filters.update(filters)
    app.jinja_env.globals.update({"_": counted, "gettext": counted, "comma": comma})
    catalogue("en")


def context_zone(app: Flask) -> str:
    """The zone of the settings, before there is a request."""
    return str(app.extensions["lianyi"].config.timezone)
