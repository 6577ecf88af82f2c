"""Letters by SMTP: plain text and the same in large or usual type, and a calendar entry where there is one."""

import smtplib
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from urllib.parse import unquote, urlsplit

from config import Mail
from facilities.kernel import clock
from facilities.notices.channels.message import Message, Outcome, Undelivered

PATIENCE = 10.0  # seconds
PORTS = {"smtp": 587, "smtps": 465}
HERE = ("127.0.0.1", "::1", "localhost")


class MailServer:
    def __init__(self, settings: Mail, patience: float = PATIENCE) -> None:
        self.settings, self.patience = settings, patience

    def send(self, message: Message) -> Outcome:
        letter = _letter(message, self.settings.sender)
        try:
            with self._connected() as server:
                server.send_message(letter)
        except smtplib.SMTPRecipientsRefused as error:
            code = max((int(code) for code, _ in error.recipients.values()), default=0)
            raise Undelivered("refused", for_good=code >= 500) from error
        except smtplib.SMTPResponseException as error:
            raise Undelivered("refused", for_good=500 <= error.smtp_code < 600) from error
        except (OSError, smtplib.SMTPException) as error:
            raise Undelivered("unreachable") from error
        return Outcome.DELIVERED

    def _connected(self) -> smtplib.SMTP:
        """Encrypted, unless the server is on this machine."""
        parts = urlsplit(self.settings.url)
        host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
        if parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=self.patience,
                                                    context=ssl.create_default_context())
        else:
            server = smtplib.SMTP(host, port, timeout=self.patience)
        try:
            if parts.scheme == "smtp" and host not in HERE:
                server.starttls(context=ssl.create_default_context())
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
        except (OSError, smtplib.SMTPException):
            server.close()
            raise
        return server


def _letter(message: Message, sender: str) -> EmailMessage:
    """The reference is its Message-ID, so that a mailbox shows a repeat once."""
    letter = EmailMessage(policy=SMTP)
    letter["From"], letter["To"], letter["Subject"] = sender, message.recipient, message.heading
    letter["Date"] = format_datetime(clock.local(clock.now()))
    letter["Message-ID"] = f"<{message.reference}@{parseaddr(sender)[1].rpartition('@')[2]}>"
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(message.text)
    if message.html:
        letter.add_alternative(message.html, subtype="html")
    if message.calendar:
        letter.add_attachment(message.calendar, maintype="text", subtype="calendar", filename="huimin.ics")
    return letter
