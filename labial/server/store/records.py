"""What the store holds, as frozen records; times are aware and in UTC."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from labial.errors import LabialError

UploadState = Literal["receiving", "checking", "ready", "refused"]
JobState = Literal["queued", "running", "done", "failed", "cancelled"]
Said = Literal["go", "cancel", "lost"]
ACTIVE: tuple[JobState, ...] = ("queued", "running")


class StoreError(LabialError):
    """The store cannot be used, or cannot do what it is asked."""


class NotFound(StoreError):  # noqa: N818 - the name of what it is
    """There is no such thing, or it is somebody else's."""


class Conflict(StoreError):  # noqa: N818 - the name of what it is
    """It cannot be done in the state that it is in."""


class Full(StoreError):  # noqa: N818 - the name of what it is
    """Somebody has as many jobs as they may have at once."""


def new_id(prefix: str) -> str:
    """Return ``prefix_`` and 128 random bits as 26 characters of a-z and 2-7."""
    return f"{prefix}_{base64.b32encode(secrets.token_bytes(16)).decode()[:26].lower()}"


@dataclass(frozen=True)
class UploadRecord:
    """A file that somebody gave.

    Parameters
    ----------
    id, owner, name
        ``upl_...``, whose it is, and how they call it.
    size, received
        Bytes: of all of it, None where that is not known yet; and that are here.
    state
        ``receiving``, ``checking`` what it is, ``ready`` for jobs, or ``refused``.
    holds, extension, facts
        What it was found to be: video, photo, speech, script, segments, boxes; with a dot.
    reason
        Why it was refused.
    sha256
        Of all its bytes, in hexadecimal digits.
    created, expires
        When it came, and when it may go; None for never.
    """

    id: str
    owner: str
    name: str
    size: int | None
    received: int
    state: UploadState
    holds: str | None
    extension: str | None
    reason: str | None
    facts: Mapping[str, Any]
    sha256: str | None
    created: datetime
    expires: datetime | None


@dataclass(frozen=True)
class JobRecord:
    """A job, as far as it is.

    Parameters
    ----------
    id, owner, kind
        ``job_...``, whose it is, and one of :data:`labial.jobs.KINDS`.
    request
        What was asked for: inputs (role → id of an upload), options, container, report.
    state
        ``queued``, ``running``, ``done``, ``failed`` or ``cancelled``.
    progress
        stage, done, total, share (0 to 1 or None).
    attempts, most_attempts
        How often it was begun, and how often it may be.
    reason
        Why it failed; of a job that goes on, why the last attempt did.
    result
        Of a job that is done: files (name → key, size, type), summary, facts.
    estimate
        Seconds that it was thought to take.
    created, started, finished, expires
        ``started`` is when its first attempt began. ``expires`` moves on when the job ends.
    webhook
        url and secret, or None.
    version
        Grows with every change.
    cancelling
        It runs, and was asked to stop.
    """

    id: str
    owner: str
    kind: str
    request: Mapping[str, Any]
    state: JobState
    progress: Mapping[str, Any]
    attempts: int
    most_attempts: int
    reason: str | None
    result: Mapping[str, Any] | None
    estimate: float | None
    created: datetime
    started: datetime | None
    finished: datetime | None
    expires: datetime | None
    webhook: Mapping[str, Any] | None = field(repr=False)
    version: int
    cancelling: bool = False

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it by itself."""
        return self.state not in ACTIVE


@dataclass(frozen=True)
class Claim:
    """The right of one worker to do one job, until its lease ends or somebody else has it.

    Parameters
    ----------
    job
        As it was when it was claimed.
    fence
        Grows with every claim of this job: who has a smaller one has lost it.
    worker, lease_seconds
        Who has it, and for how long after each sign of life.
    """

    job: JobRecord
    fence: int
    worker: str
    lease_seconds: float


@dataclass(frozen=True)
class TokenRecord:
    """A token by which somebody is known; of the token itself only the digest is kept.

    Parameters
    ----------
    id, owner, name
        ``tok_...``, whose jobs it opens, and how it is called.
    digest
        Of the token.
    scopes
        What it is good for.
    limits
        What its owner may take, as :class:`labial.server.tokens.TokenLimits` has it; to
        ``running_jobs`` the store itself sees.
    created, expires, revoked
        Times; None for never.
    """

    id: str
    owner: str
    name: str
    digest: str = field(repr=False)
    scopes: tuple[str, ...]
    limits: Mapping[str, Any]
    created: datetime
    expires: datetime | None
    revoked: datetime | None


@dataclass(frozen=True)
class Delivery:
    """Something about a job that is to be told to whoever asked for it.

    Parameters
    ----------
    id, job
        Of this delivery, the same in every try; and of the job.
    event
        ``job.queued``, ``job.done``, ``job.failed`` or ``job.cancelled``.
    url, secret
        Where it goes, and what signs it.
    payload
        The job as it was then: id, kind, state, reason, attempts, version and times.
    attempts
        Tries so far.
    created
        When it happened.
    """

    id: int
    job: str
    event: str
    url: str
    secret: str | None = field(repr=False)
    payload: Mapping[str, Any]
    attempts: int
    created: datetime


@dataclass(frozen=True)
class Expired:
    """What may be deleted: ids of jobs, and of uploads that no job waits for."""

    jobs: tuple[str, ...]
    uploads: tuple[str, ...]
