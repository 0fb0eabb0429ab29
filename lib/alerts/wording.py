"""What a message says: plain text, HTML and the few words of an SMS, from the same alerts."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from lib.alerts.kinds import label_of
from lib.models import Alert

SMS_CHARACTERS = 300
_MOST_LISTED = 20
_SUBJECT_CHARACTERS = 150


@dataclass(frozen=True, repr=False)
class Item:
    """One line of news."""

    is_over: bool
    title: str
    message: str
    url: str


@dataclass(frozen=True, repr=False)
class News:
    """What one message tells; `more_url` is the list of all alerts."""

    subject: str
    items: tuple[Item, ...]
    left_out: int
    more_url: str


def compose(alerts: Sequence[Alert], base_url: str) -> News:
    """Return the news of these alerts; open ones first."""
    ordered = sorted(alerts, key=lambda each: (each.state != "open", each.id))
    items = tuple(
        Item(
            each.state != "open",
            _line(each.title),
            f"{label_of(each.kind)}. {_line(each.message)}",
            f"{base_url}/{each.path}",
        )
        for each in ordered
    )
    return News(
        _subject(items),
        items[:_MOST_LISTED],
        max(0, len(items) - _MOST_LISTED),
        f"{base_url}/alerts",
    )


def trial_news(base_url: str) -> News:
    """Return what a test message says."""
    item = Item(
        False, "This is a test", "Alerts of Members Hub reach you here.", f"{base_url}/alerts"
    )
    return News("Test from Members Hub", (item,), 0, f"{base_url}/alerts")


def as_text(news: News) -> str:
    """Return the news as plain text."""
    lines = []
    for item in news.items:
        if item.is_over:
            lines += [f"Resolved: {item.title}", ""]
        else:
            lines += [item.title, item.message, item.url, ""]
    if news.left_out:
        lines.append(f"And {news.left_out} more.")
    return "\n".join([*lines, f"All alerts: {news.more_url}"])


def as_html(news: News) -> str:
    """Return the news as simple HTML."""
    parts = []
    for item in news.items:
        if item.is_over:
            parts.append(f"<p>Resolved: {escape(item.title)}</p>")
        else:
            parts.append(
                f'<p><b><a href="{escape(item.url)}">{escape(item.title)}</a></b><br>'
                f"{escape(item.message)}</p>"
            )
    if news.left_out:
        parts.append(f"<p>And {news.left_out} more.</p>")
    parts.append(f'<p><a href="{escape(news.more_url)}">All alerts</a></p>')
    return f"<html><body>{''.join(parts)}</body></html>"


def as_sms(news: News) -> str:
    """Return the news in one short text that ends with the address of the list."""
    room = SMS_CHARACTERS - len(news.more_url) - 1
    words = "Members Hub: " + "; ".join(
        f"{'resolved: ' if item.is_over else ''}{item.title}" for item in news.items
    )
    if room < len("Members Hub"):
        return words[:SMS_CHARACTERS]
    kept = words if len(words) <= room else words[: room - 1] + "…"
    return f"{kept} {news.more_url}"


def as_hook(news: News) -> dict[str, object]:
    """Return the JSON that Slack takes, and those that speak its language."""
    lines = [_hook_line(item) for item in news.items]
    if news.left_out:
        lines.append(f"And {news.left_out} more.")
    lines.append(f"<{news.more_url}|All alerts>")
    blocks: list[dict[str, object]] = [
        {"type": "section", "text": {"type": "mrkdwn", "text": line[:2900]}} for line in lines
    ]
    return {"text": "\n".join([_marked(news.subject), *lines]), "blocks": blocks}


def _hook_line(item: Item) -> str:
    if item.is_over:
        return f"Resolved: {_marked(item.title)}"
    return f"*<{item.url}|{_marked(item.title)}>*\n{_marked(item.message)}"


def _marked(text: str) -> str:
    """Escape what is markup: https://docs.slack.dev/messaging/formatting-message-text"""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("|", "¦")


def _subject(items: Sequence[Item]) -> str:
    first = items[0]
    said = f"Resolved: {first.title}" if first.is_over else first.title
    more = f" and {len(items) - 1} more" if len(items) > 1 else ""
    return f"{said[:_SUBJECT_CHARACTERS]}{more}"


def _line(text: str) -> str:
    return " ".join(text.split())
