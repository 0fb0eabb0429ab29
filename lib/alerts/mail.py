"""Sends one e-mail by SMTP: with a deadline, a checked certificate, and no way to add headers."""

import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from typing import Literal

from lib.errors import HubError

Security = Literal["starttls", "tls", "none"]
TIMEOUT_SECONDS = 15.0
_PERMANENT_FROM = 500


class MailError(HubError):
    """An e-mail was not taken; `permanent` says that repeating cannot help."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


@dataclass(frozen=True)
class MailServer:
    """Where e-mail is handed in; `password` shows in no `repr`."""

    host: str
    port: int
    security: Security
    user: str
    sender: str
    password: str = field(repr=False)


@dataclass(frozen=True, repr=False)
class Mail:
    """One e-mail to one address."""

    to: str
    subject: str
    text: str
    html: str


def send_mail(server: MailServer, mail: Mail) -> None:
    """Hand one e-mail in; raise MailError with a sentence, never the server's own words."""
    message = _build(server, mail)
    try:
        with _connect(server) as client:
            if server.user:
                client.login(server.user, server.password)
            client.send_message(message, server.sender, [mail.to])
    except ssl.SSLError:
        raise MailError(
            "The mail server's certificate is not trusted, or it speaks no TLS on this port. Check "
            "the host name, the port and the kind of security."
        ) from None
    except smtplib.SMTPServerDisconnected:
        raise _no_answer() from None
    except smtplib.SMTPException as error:
        raise _explain(error) from None
    except (OSError, UnicodeError):
        raise _no_answer() from None


def _build(server: MailServer, mail: Mail) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    try:
        message["From"] = _one_line(server.sender)
        message["To"] = _one_line(mail.to)
        message["Subject"] = _one_line(mail.subject)
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain=server.sender.rpartition("@")[2] or "localhost")
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        message.add_alternative(mail.html, subtype="html")
    except (ValueError, IndexError):
        raise MailError(
            "The e-mail's address is not right. Enter it again.", permanent=True
        ) from None
    return message


def _one_line(text: str) -> str:
    """A line break would begin another header."""
    return " ".join(text.split())


def _connect(server: MailServer) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if server.security == "tls":
        return smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_SECONDS, context=context)
    client = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_SECONDS)
    try:
        if server.security == "starttls":
            client.starttls(context=context)
    except (smtplib.SMTPException, OSError):
        client.close()
        raise
    return client


def _no_answer() -> MailError:
    return MailError(
        "The mail server did not answer in time, or the connection broke. Check its host name "
        "and port."
    )


def _explain(error: smtplib.SMTPException) -> MailError:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return MailError("The mail server refused the user name or the password. Enter them again.")
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return MailError(
            "The mail server does not offer what is asked: encryption by STARTTLS, or signing in. "
            "Choose another kind of security, or leave the user name blank."
        )
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = max(code for code, _ in error.recipients.values())
        return MailError(
            f"The mail server refused the recipient with code {code}. Check the address.",
            permanent=code >= _PERMANENT_FROM,
        )
    code = getattr(error, "smtp_code", 0)
    said = f" with code {code}" if isinstance(code, int) and code > 0 else ""
    return MailError(f"The mail server did not take the e-mail{said}. See its own log for why.")
