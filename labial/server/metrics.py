"""What a server tells Prometheus.

What concerns jobs, uploads and workers comes from the database, so whichever process is asked says
the same. What concerns requests is counted by each process for itself.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from sqlalchemy.exc import DBAPIError

from labial.jobs import KINDS
from labial.server.store import PACES, SECONDS, Figures, StoreError

LOG = logging.getLogger("labial.server")
_FRESH_SECONDS = 2.0
_STATES = ("queued", "running", "done", "failed", "cancelled")
_ENDED = _STATES[2:]
_ANSWER_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
Totals = Mapping[tuple[str, str, str], Mapping[str, float]]


class Metrics:
    """The metrics of one process.

    Parameters
    ----------
    figures
        Gives what the database knows.
    """

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, figures: Callable[[], Figures]) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "labial_http_requests",
            "Requests that this process answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "labial_http_answer_seconds",
            "Time until an answer of this process began.",
            ("route",),
            buckets=_ANSWER_SECONDS,
            registry=self._registry,
        )
        ProcessCollector(registry=self._registry)
        self._registry.register(_OfDatabase(figures))

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request; ``route`` is a template, such as ``/v1/jobs/{job_id}``."""
        self._requests.labels(method, route, f"{status}").inc()
        self._seconds.labels(route).observe(seconds)

    def page(self) -> bytes:
        """Return what Prometheus reads."""
        return generate_latest(self._registry)


class _OfDatabase(Collector):
    def __init__(self, figures: Callable[[], Figures]) -> None:
        self._ask, self._lock = figures, threading.Lock()
        self._known: Figures | None = None
        self._asked = float("-inf")

    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that nothing is asked before anybody wants to know."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield what the database knows; of one that does not answer, only that."""
        figures = self._figures()
        yield GaugeMetricFamily(
            "labial_database_up", "Whether the database answers.", 0 if figures is None else 1
        )
        if figures is None:
            return
        yield from _now(figures)
        yield from _ever(figures.totals)

    def _figures(self) -> Figures | None:
        with self._lock:
            # Whoever asks often must not load the database.
            if time.monotonic() - self._asked > _FRESH_SECONDS:
                try:
                    self._known = self._ask()
                except (StoreError, DBAPIError, OSError) as error:
                    LOG.warning("no metrics of the database: %s", type(error).__name__)
                    self._known = None
                self._asked = time.monotonic()
            return self._known


def _now(figures: Figures) -> Iterator[Metric]:
    jobs = GaugeMetricFamily("labial_jobs", "Jobs that are kept.", labels=("kind", "state"))
    # None is a figure too: whoever looks for a queue that is empty must find it.
    kinds = dict.fromkeys([*KINDS, *(kind for kind, _ in figures.jobs)])
    for kind in kinds:
        for state in _STATES:
            jobs.add_metric((kind, state), figures.jobs.get((kind, state), 0))
    yield jobs
    yield GaugeMetricFamily(
        "labial_queue_oldest_seconds", "Time that the next job has waited.", figures.waited
    )
    yield GaugeMetricFamily("labial_workers_alive", "Workers that are alive.", figures.workers)
    uploads = GaugeMetricFamily("labial_uploads", "Uploads that are kept.", labels=("state",))
    for state in ("receiving", "checking", "ready", "refused"):
        uploads.add_metric((state,), figures.uploads.get(state, 0))
    yield uploads
    yield GaugeMetricFamily(
        "labial_uploads_bytes", "Bytes of uploads that are kept.", figures.upload_bytes
    )
    waiting = GaugeMetricFamily(
        "labial_webhooks", "Webhooks that wait, and that were given up.", labels=("state",)
    )
    for state in ("due", "failed"):
        waiting.add_metric((state,), figures.deliveries.get(state, 0))
    yield waiting


def _ever(totals: Totals) -> Iterator[Metric]:
    yield _histogram(
        totals, "job_seconds", "Time from a job's begin to its end.", ("kind", "outcome"), SECONDS
    )
    yield _histogram(
        totals, "wait_seconds", "Time that a job waited for a worker.", ("kind",), SECONDS
    )
    yield _histogram(
        totals, "pace", "Times as fast as it plays that a job was done.", ("kind",), PACES
    )
    for name, told, labels in (
        ("attempts", "Times that a job which has ended was begun.", ("kind", "outcome")),
        ("frames", "Frames that were made.", ("kind",)),
        ("media_seconds", "Playing time of what was worked on.", ("kind",)),
        ("uploads", "Uploads that arrived.", ("holds", "outcome")),
        ("upload_bytes", "Bytes of uploads that arrived.", ("holds", "outcome")),
        ("deliveries", "Attempts to deliver a webhook.", ("outcome",)),
    ):
        # Gauges of what is kept have the plain names.
        full = {
            "uploads": "labial_uploads_arrived",
            "upload_bytes": "labial_uploads_arrived_bytes",
            "deliveries": "labial_webhook_attempts",
        }.get(name, f"labial_job_{name}")
        counter = CounterMetricFamily(full, told, labels=labels)
        for (found, kind, outcome), values in totals.items():
            if found == name:
                counter.add_metric(_labels(labels, kind, outcome), sum(values.values()))
        yield counter


def _labels(labels: tuple[str, ...], kind: str, outcome: str) -> tuple[str, ...]:
    return tuple(outcome if label == "outcome" else kind for label in labels)


def _histogram(
    totals: Totals, name: str, told: str, labels: tuple[str, ...], ends: Iterable[float]
) -> HistogramMetricFamily:
    full = f"labial_{name if name.startswith('job') else f'job_{name}'}"
    family = HistogramMetricFamily(full, told, labels=labels)
    for (found, kind, outcome), values in totals.items():
        if found != name:
            continue
        buckets, count = [], 0.0
        for end in (*(f"{end:g}" for end in ends), "+Inf"):
            count += values.get(end, 0.0)
            buckets.append((end, count))
        whole = totals.get((f"{name}_sum", kind, outcome), {}).get("", 0.0)
        family.add_metric(_labels(labels, kind, outcome), buckets, whole)
    return family
