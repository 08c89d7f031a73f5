"""``labial serve``: everything in one command."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from labial.errors import OptionError
from labial.jobs import hold_folder
from labial.options import ServeOptions
from labial.server.app import create_app
from labial.server.connections import careful
from labial.server.crew import Crew
from labial.server.events import Watch
from labial.server.fetching import fetcher
from labial.server.guard import examiner
from labial.server.logs import logged
from labial.server.media_store import open_store
from labial.server.patience import first_line
from labial.server.services import Services, is_loopback, open_services, placed, writable
from labial.server.store import Store
from labial.server.webhooks import Messenger
from labial.server.worker import WorkSettings

_GRACE_SECONDS = 5
_CONNECTIONS, _HEADER_BYTES = 1000, 32768


def serve(options: ServeOptions | None = None, tell: Callable[[str], None] = print) -> None:
    """Serve until a signal ends it.

    Parameters
    ----------
    options
        What, where and how.
    tell
        Is told the address, once it can be reached.

    Raises
    ------
    OptionError
        It would be reached from other machines and nobody has a token, or the port is taken.
    StoreError
        The database cannot be used.
    """
    options = options or ServeOptions()
    with logged(options.logs):
        if options.role == "workers":
            _work(options, tell)
        else:
            _serve_all(options, tell)


def _serve_all(options: ServeOptions, tell: Callable[[str], None]) -> None:
    services = open_services(options)
    # What one server receives, another would take for what a killed one has left.
    alone = hold_folder(services.staging.with_name("serving"))
    try:
        if alone is None:
            raise OptionError(
                f"--data {services.options.data}: another server works with this folder: "
                "stop it, or name another folder"
            )
        if not is_loopback(options.host) and not services.has_tokens():
            raise OptionError(
                f"--host {options.host}: other machines can reach it, so a token is needed: "
                "make one with 'labial token add'"
            )
        with (
            _listening(options.host, options.port) as listener,
            _crew(services.options),
        ):
            _serve(services, listener, tell)
    finally:
        services.close()
        if alone is not None:
            alone.close()


@contextlib.contextmanager
def _crew(options: ServeOptions) -> Iterator[Crew]:
    """The workers, and the cluster for all of them, which is started where none is named."""
    settings = WorkSettings.of(options)
    with contextlib.ExitStack() as stack:
        if options.engine == "ray" and options.address is None and options.workers:
            from labial.cluster import open_cluster

            cluster = stack.enter_context(open_cluster())
            settings = replace(settings, address=cluster.address)
        yield stack.enter_context(Crew(settings, options.workers))


def _work(options: ServeOptions, tell: Callable[[str], None]) -> None:
    """Do jobs for a server elsewhere, until a signal ends it."""
    options = placed(options)
    settings = WorkSettings.of(options)
    # What is wrong with database or store is told now and here, not by every worker again.
    writable(Path(settings.folder))
    Store.open(settings.database).close()
    try:
        open_store(settings.store).check()
    except OSError as error:
        raise OptionError(f"--store: it cannot be used: {first_line(error)}") from None
    over = threading.Event()
    with _crew(options):
        tell(f"Labial does jobs with {options.workers} workers")
        try:
            # A wait without an end would not notice signals everywhere.
            while not over.wait(3600):
                pass
        except KeyboardInterrupt:
            pass


def _serve(services: Services, listener: socket.socket, tell: Callable[[str], None]) -> None:
    app = create_app(
        services,
        examiner(services.options),
        fetcher(services.reach),
        Messenger(services.store, services.reach),
    )
    config = uvicorn.Config(
        app,
        http=careful(per_address=_CONNECTIONS // 2),
        limit_concurrency=_CONNECTIONS,
        h11_max_incomplete_event_size=_HEADER_BYTES,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    QuickServer(config, app, lambda: tell(f"Labial is at http://{shown}:{port}/")).run([listener])


class QuickServer(uvicorn.Server):
    """Says when it is there, and ends streams that would else last as long as their jobs."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, tell: Callable[[], None]) -> None:
        super().__init__(config)
        self._app, self._tell = app, tell

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        if self.started:
            self._tell()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening."""
        watch: Watch = self._app.state.watch
        await asyncio.gather(watch.close(), super().shutdown(sockets))


def _listening(host: str, port: int) -> socket.socket:
    try:
        (family, kind, _, _, address), *_ = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        listener = socket.socket(family, kind)
        try:
            # Where it means the same as elsewhere: ports of connections that have just ended.
            if os.name == "posix":
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(1024)
        except BaseException:
            listener.close()
            raise
    except socket.gaierror:
        raise OptionError(f"--host {host}: there is no such address") from None
    except OSError as error:
        raise OptionError(
            f"--port {port}: {error.strerror or error}; use another, or 0 for one that is free"
        ) from None
    return listener
