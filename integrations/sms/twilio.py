"""The provider Twilio, or anything that speaks its interface, by its own client with explicit time-outs and no repeats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from integrations.sms.port import Sent, SmsBusy, SmsRefused, SmsUnknown

TRANSIENT = {20429, 429}


@dataclass(frozen=True)
class TwilioSettings:
    """Account, sender and addresses; `public_url` is where the provider reaches us."""

    sid: str
    token: str
    sender: str
    base_url: str = "https://api.twilio.com"
    public_url: str = ""
    seconds: float = 10.0


def settings_of(url: str, public_url: str) -> TwilioSettings:
    """Settings from `twilio://SID:TOKEN@HOST[:PORT]?from=+1555…[&scheme=http]`."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    if parts.scheme != "twilio" or not parts.username or not parts.password or "from" not in query:
        raise ValueError("LIANYI_SMS_URL must look like twilio://SID:TOKEN@api.twilio.com?from=+15550100")
    scheme = query.get("scheme", ["https"])[0]
    host = parts.hostname or "api.twilio.com"
    base = f"{scheme}://{host}" + (f":{parts.port}" if parts.port else "")
    return TwilioSettings(parts.username, parts.password, query["from"][0].replace(" ", "+"), base, public_url)


class TwilioSms:
    """The real client, built on first use."""

    name = "twilio"

    def __init__(self, settings: TwilioSettings) -> None:
        self.settings = settings
        self._client: Any = None

    def send(self, to: str, text: str, ref: str) -> Sent:  # noqa: ARG002 - the text already carries the reference
        """POST to Messages.json."""
        import requests
        from twilio.base.exceptions import TwilioRestException

        messages = self._ready().messages
        callback = f"{self.settings.public_url}/sms/twilio/status" if self.settings.public_url else None
        try:
            made = messages.create(to=to, from_=self.settings.sender, body=text, status_callback=callback)
        except TwilioRestException as problem:
            if problem.status == 429 or problem.code in TRANSIENT:
                raise SmsBusy(f"Provider code {problem.code}.") from problem
            if problem.status >= 500:
                raise SmsUnknown(f"Provider status {problem.status}.") from problem
            raise SmsRefused(f"Provider code {problem.code}.") from problem
        except requests.exceptions.ConnectTimeout as problem:
            raise SmsBusy("The provider cannot be reached.") from problem
        except requests.exceptions.RequestException as problem:
            if "refused" in str(problem) or "NameResolution" in str(problem):
                raise SmsBusy("The provider cannot be reached.") from problem
            raise SmsUnknown(type(problem).__name__) from problem
        return Sent(str(made.sid), str(made.status or "queued"))

    def genuine(self, url: str, form: Mapping[str, str], signature: str) -> bool:
        """Validate X-Twilio-Signature against the public address of the callback."""
        from twilio.request_validator import RequestValidator

        return bool(RequestValidator(self.settings.token).validate(url, dict(form), signature))

    def _ready(self) -> Any:
        if self._client is None:
            from twilio.http.http_client import TwilioHttpClient
            from twilio.rest import Client

            http = TwilioHttpClient(timeout=self.settings.seconds, max_retries=None)
            self._client = Client(self.settings.sid, self.settings.token, http_client=http)
            self._client.api.base_url = self.settings.base_url
        return self._client
