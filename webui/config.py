"""The settings of the product, read once from the environment; the only reader of os.environ."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.errors import LianyiError

PREFIX = "LIANYI_"
NAMES = frozenset({
    "DATABASE_URL", "BUS_URL", "COMPUTE_URL", "STORE_URL", "MEDIA_URL", "DATA", "PUBLIC_URL", "SECRET_KEY", "TIMEZONE",
    "LANGUAGE", "LOG", "SMS_URL", "HL7_PEERS",
})  # fmt: skip
FOREIGN = frozenset({"LIANYI_TEST_DATA", "LIANYI_REQUIRE_ALL", "LIANYI_OWN_NODE"})
"""Names of the tests and of make, which share the prefix."""
LOG_LEVELS = ("debug", "info", "warning", "error")


class BadSetting(LianyiError):
    """A setting is wrong."""

    code = "bad_setting"
    advice = "Correct the named variable in the environment and start again; docs list every name."


@dataclass(frozen=True)
class Config:
    """Every setting with its default; one machine needs none of them."""

    data: Path
    database_url: str
    public_url: str
    secret_key: str
    timezone: str = "Asia/Shanghai"
    language: str = "zh"
    log: str = "info"
    bus_url: str = ""
    compute_url: str = ""
    store_url: str = ""
    media_url: str = ""
    sms_url: str = ""
    hl7_peers: str = "known"

    @property
    def secure(self) -> bool:
        """Whether people reach the product by HTTPS: cookies are then Secure."""
        return self.public_url.startswith("https://")

    @staticmethod
    def from_environ(environ: Mapping[str, str] | None = None) -> Config:
        """Read the variables; `NAME_FILE` names a file that holds the value. BadSetting names what is wrong."""
        found = _read(os.environ if environ is None else environ)
        data = Path(found.get("DATA") or "var").absolute()
        config = Config(
            data=data,
            database_url=found.get("DATABASE_URL") or f"sqlite:///{data / 'lianyi.db'}",
            public_url=(found.get("PUBLIC_URL") or "http://127.0.0.1:8080").rstrip("/"),
            secret_key=found.get("SECRET_KEY") or _secret(data),
            timezone=found.get("TIMEZONE") or Config.timezone,
            language=found.get("LANGUAGE") or "zh",
            log=(found.get("LOG") or "info").lower(),
            bus_url=found.get("BUS_URL", ""),
            compute_url=found.get("COMPUTE_URL", ""),
            store_url=found.get("STORE_URL", ""),
            media_url=found.get("MEDIA_URL", ""),
            sms_url=found.get("SMS_URL", ""),
            hl7_peers=(found.get("HL7_PEERS") or "known").lower(),
        )
        _check(config)
        return config


def timezone() -> ZoneInfo:
    """The platform's zone, for commands that need nothing else of the settings."""
    return ZoneInfo(_read(os.environ).get("TIMEZONE") or Config.timezone)


def _read(environ: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for variable, value in environ.items():
        if not variable.startswith(PREFIX) or variable in FOREIGN:
            continue
        name = variable.removeprefix(PREFIX)
        if name in NAMES:
            found[name] = value.strip()
        elif name.removesuffix("_FILE") in NAMES and name.endswith("_FILE"):
            try:
                found[name.removesuffix("_FILE")] = Path(value).read_text("utf-8").strip()
            except OSError as error:
                raise BadSetting(f"{variable}: {error.strerror or 'cannot be read'}") from error
        else:
            raise BadSetting(f"{variable} is not a known name")
    return found


def _check(config: Config) -> None:
    try:
        ZoneInfo(config.timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadSetting(f"LIANYI_TIMEZONE: no such zone {config.timezone!r}") from error
    if config.language not in ("zh", "en"):
        raise BadSetting("LIANYI_LANGUAGE is zh or en")
    if config.log not in LOG_LEVELS:
        raise BadSetting(f"LIANYI_LOG is one of {', '.join(LOG_LEVELS)}")
    if config.hl7_peers not in ("known", "any"):
        raise BadSetting("LIANYI_HL7_PEERS is known or any")
    if not config.public_url.startswith(("http://", "https://")):
        raise BadSetting("LIANYI_PUBLIC_URL begins with http:// or https://")
    if len(config.secret_key) < 32:
        raise BadSetting("LIANYI_SECRET_KEY has at least 32 characters")


def _secret(data: Path) -> str:
    """The secret of this installation, made once and readable by its owner only."""
    path = data / "secret"
    data.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text("utf-8").strip()
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        secret = secrets.token_urlsafe(48)
        file.write(secret)
    return secret
