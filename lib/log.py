"""Logging of every process: JSON lines on stderr, from which secrets are masked."""

import logging
import re
import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

REDACTED = "[redacted]"

# A signature proves one body to one key and opens nothing, and a person needs it to find
# out why a check failed: it stays.
_SECRET_HEADERS = frozenset(
    {"authorization", "cookie", "set-cookie", "proxy-authorization", "x-hub-secret"}
)
_SECRET_HEADER_PARTS = ("token", "secret", "key", "password")
_SECRET_NAME = re.compile(
    r"secret|token|passw|authorization|cookie|credential|api[_-]?key|(?:master|private)[_-]?key",
    re.IGNORECASE,
)
# One pattern after the other; group 1 is kept.
_SECRET_VALUES = (
    re.compile(r"(\b(?:bearer|basic)\s+)[\w.~+/=-]{6,}", re.IGNORECASE),
    re.compile(r"(\bpit-)[0-9A-Za-z-]{6,}"),
    re.compile(r"(\bwhsec_)[\w+/=-]+"),
    re.compile(r"(\bhub_)[A-Za-z0-9_-]{20,}"),
    # Whoever knows the address of a hook may call it: hook.eu1.…, hooks.….
    re.compile(r"(\bhttps?://hooks?\.[^\s/\"'?]+/)[^\s\"'<>]+", re.IGNORECASE),
    re.compile(r"(/api/(?:webhooks/[\w%-]+|lab)/)[^\s/?\"'<>]+", re.IGNORECASE),
    re.compile(r"(://[^\s:/@]*:)[^\s@/]+(?=@)"),
    re.compile(
        r"(\b[\w-]*(?:secret|token|passw(?:or)?d|api[_-]?key)[\w-]*[\"']?\s*[:=]\s*[\"']?)"
        r"[^\s\"',;&}\])]+",
        re.IGNORECASE,
    ),
)
# At INFO these tell every statement with its values, which are people's data.
_QUIET = ("sqlalchemy", "aiohttp", "asyncio", "alembic")
_ROUTED = ("uvicorn", "alembic", "streamlit", "aiohttp", "sqlalchemy", "asyncio")


def configure_logging(level: int = logging.INFO) -> None:
    """Send structlog and the standard library's loggers to stderr as JSON lines.

    Call it once per process, after the libraries that bring handlers of their own are
    imported: their handlers are taken away.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redact_event,
                structlog.processors.JSONRenderer(default=str),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    _route_library_loggers()


def redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Mask secrets in a log event, by the names of its keys and by what values look like."""
    return {name: _redact_value(name, value) for name, value in event.items()}


def redact_text(text: str) -> str:
    """Return `text` with everything masked that looks like a secret."""
    for pattern in _SECRET_VALUES:
        text = pattern.sub(rf"\g<1>{REDACTED}", text)
    return text


def redact_headers(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return headers as they may be stored: lower-case names, secret values masked.

    Of a repeated header the last one counts.
    """
    return {
        lower: REDACTED if secret else value
        for name, value in pairs
        for lower, secret in (_judge_header(name),)
    }


# Senders repeat the same few dozen names, so the decision is made once per name.
@lru_cache(maxsize=1024)
def _judge_header(name: str) -> tuple[str, bool]:
    lower = name.lower()
    return lower, lower in _SECRET_HEADERS or any(part in lower for part in _SECRET_HEADER_PARTS)


def _redact_value(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _redact_value(str(key), item) for key, item in value.items()}
    if _is_secret_name(name) and value is not None and not isinstance(value, bool):
        return REDACTED
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_redact_value("", item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact_text(str(value))


@lru_cache(maxsize=1024)
def _is_secret_name(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _route_library_loggers() -> None:
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if isinstance(logger, logging.Logger) and name.partition(".")[0] in _ROUTED:
            logger.handlers.clear()
            logger.setLevel(logging.WARNING if name in _QUIET else logging.NOTSET)
            logger.propagate = True
