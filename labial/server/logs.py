"""The log: a line for what happened, as text or as JSON, without anybody's secrets."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import datetime, timezone
from typing import Any, Literal, TextIO

LOG = "labial.server"
"""Name of the logger of everything in this room."""
_KEPT = ("request", "job", "worker", "method", "route", "status", "milliseconds")
_CONTEXT: ContextVar[dict[str, str] | None] = ContextVar("labial_log", default=None)
_CLEAN = re.compile(r"[^\x20-\x7e\x80-\U0010ffff]")
_GONE = "[redacted]"
_LONGEST = 20_000
_SECRETS: tuple[tuple[re.Pattern[str], str], ...] = (
    # What a token of ours is, wherever it stands.
    (re.compile(r"\blab_[A-Za-z0-9_-]{8,}"), f"lab_{_GONE}"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[^\s,;'\"]+"), rf"\1 {_GONE}"),
    (re.compile(r"(?i)\b((?:set-)?cookie|authorization)(['\"]?\s*[:=]\s*['\"]?)[^\r\n'\"]+"),
     rf"\1\2{_GONE}"),
    (re.compile(r"(?i)\b((?:__host-)?labial)=[^\s;,'\"]+"), rf"\1={_GONE}"),
    # Users and passwords of URLs; queries of URLs and of paths, which may be signed.
    (re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,20}://)[^\s/@'\"<>]+@"), rf"\1{_GONE}@"),
    (re.compile(r"((?:[A-Za-z][A-Za-z0-9+.-]{0,20}://|/)[^\s?'\"<>]{0,500})\?[^\s'\"<>]+"),
     rf"\1?{_GONE}"),
    (re.compile(r"(?i)(['\"]?\b[\w-]{0,40}(?:password|passwd|secret|token|api[_-]?key|access[_-]?"
                r"key|signature|credential)[\w-]{0,40}['\"]?\s*[:=]\s*)(['\"]?)(?!\[redacted\])"
                r"[^\s'\",;}&]+"), rf"\1\2{_GONE}"),
)  # fmt: skip


def redacted(text: str) -> str:
    """Return text without tokens, cookies, passwords, and queries of URLs."""
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]} ..."
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


@contextlib.contextmanager
def about(**names: str) -> Iterator[None]:
    """Say in every line that is logged within it what it is about, such as ``job="job_..."``."""
    before = _CONTEXT.set({**(_CONTEXT.get() or {}), **names})
    try:
        yield
    finally:
        _CONTEXT.reset(before)


class Redaction(logging.Filter):
    """Takes secrets out of a record, its traceback too, and adds what it is about."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record, and let it pass, unless a request was cut off as the server ended."""
        if record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError):
            return False
        record.msg, record.args = redacted(record.getMessage()), ()
        if record.exc_info:
            record.exc_text = redacted(logging.Formatter().formatException(record.exc_info))
            record.exc_info = None
        record.__dict__.pop("color_message", None)  # uvicorn's own words, once more
        for name, value in (_CONTEXT.get() or {}).items():
            if not hasattr(record, name):
                setattr(record, name, value)
        return True


class Lines(logging.Formatter):
    """A line of text: time, level, words, and what it is about."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        """Return when it was, in UTC."""
        return _moment(record)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; only a traceback brings more."""
        # What others wrote must not begin a line of its own, nor steer a terminal.
        words = _CLEAN.sub(" ", record.getMessage())
        known = [f"{name}={record.__dict__[name]}" for name in _KEPT if name in record.__dict__]
        line = " ".join([self.formatTime(record), record.levelname, words, *known])
        return f"{line}\n{record.exc_text}" if record.exc_text else line


@contextlib.contextmanager
def logged(form: Literal["text", "json"], stream: TextIO | None = None) -> Iterator[None]:
    """Write the log of this process to a stream, within it.

    Parameters
    ----------
    form
        ``text`` for people, who are told of requests only where one failed here; or ``json``: an
        object a line, for machines.
    stream
        Default ``sys.stderr``.
    """
    handler = logging.StreamHandler(sys.stderr if stream is None else stream)
    handler.setFormatter(Lines() if form == "text" else _json())
    handler.addFilter(Redaction())
    levels = {"": logging.WARNING, "labial": logging.INFO, "uvicorn.error": logging.INFO}
    if form == "text":
        levels |= {"labial.server.access": logging.WARNING, "uvicorn.error": logging.WARNING}
    before = {name: logging.getLogger(name).level for name in levels}
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


def _moment(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _json() -> logging.Formatter:
    from pythonjsonlogger.json import JsonFormatter

    class Objects(JsonFormatter):
        """An object a line."""

        def formatTime(  # noqa: N802
            self, record: logging.LogRecord, datefmt: str | None = None
        ) -> str:
            """Return when it was, in UTC."""
            return _moment(record)

        def process_log_record(self, log_record: dict[str, Any]) -> dict[str, Any]:
            """Return the members, those of others without secrets."""
            return {
                name: redacted(value) if isinstance(value, str) else value
                for name, value in log_record.items()
            }

    renamed = {"asctime": "time", "levelname": "level", "name": "logger"}
    return Objects("%(asctime)s %(levelname)s %(name)s %(message)s", rename_fields=renamed)
