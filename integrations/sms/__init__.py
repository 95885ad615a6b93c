"""Short messages: one port, Twilio, the outbox of a fresh installation, one fake."""

from integrations.sms.fake import FakeSms
from integrations.sms.outbox import OutboxSms
from integrations.sms.port import Reply, Sent, Sms, SmsBusy, SmsRefused, SmsUnknown, Status, later, reply_of, status_of
from integrations.sms.twilio import TwilioSettings, TwilioSms, settings_of

__all__ = ["FakeSms", "OutboxSms", "Reply", "Sent", "Sms", "SmsBusy", "SmsRefused", "SmsUnknown", "Status", "TwilioSettings",
           "TwilioSms", "later", "reply_of", "settings_of", "status_of"]  # fmt: skip
