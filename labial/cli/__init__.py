"""The command line: a door that parses, calls one public function, and prints what came of it.

Parsing builds one of the command classes of this package and does no work, so an error inside the
work is never mistaken for an error of the command line. What is heavy is imported by ``run``.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, TypeAlias

import tyro
from tyro.conf import DisallowNone, subcommand

from labial.cli.batching import Batch
from labial.cli.judging import Eval
from labial.cli.looking import Inspect, Preflight
from labial.cli.making import Animate, Demo, Dub, Visemes
from labial.cli.planned import Plan
from labial.cli.serving import Serve, Token
from labial.cli.speaking import Voices
from labial.cli.stored import Weights
from labial.cli.syncing import Check, Fix
from labial.errors import LabialError

DESCRIPTION = (
    "AI lip sync: make a filmed face speak other words, or a photo speak. "
    "'labial COMMAND --help' explains a command, 'labial --version' prints the version."
)


Command: TypeAlias = (
    Annotated[Dub, subcommand("dub", prefix_name=False)]
    | Annotated[Animate, subcommand("animate", prefix_name=False)]
    | Annotated[Visemes, subcommand("visemes", prefix_name=False)]
    | Annotated[Inspect, subcommand("inspect", prefix_name=False)]
    | Annotated[Preflight, subcommand("preflight", prefix_name=False)]
    | Annotated[Check, subcommand("check", prefix_name=False)]
    | Annotated[Fix, subcommand("fix", prefix_name=False)]
    | Annotated[Plan, subcommand("plan", prefix_name=False)]
    | Annotated[Eval, subcommand("eval", prefix_name=False)]
    | Annotated[Batch, subcommand("batch", prefix_name=False)]
    | Annotated[Demo, subcommand("demo", prefix_name=False)]
    | Annotated[Voices, subcommand("voices", prefix_name=False)]
    | Annotated[Serve, subcommand("serve", prefix_name=False)]
    | Annotated[Token, subcommand("token", prefix_name=False)]
    | Annotated[Weights, subcommand("weights", prefix_name=False)]
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Parameters
    ----------
    argv
        Arguments without the program's name; default ``sys.argv[1:]``.

    Returns
    -------
    int
        0 done; 2 the command line or what it names is wrong (one line on stderr); 130 stopped by
        Ctrl-C; 128 and its number by a signal to end. Anything else that goes wrong is a bug and
        raises.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments == ["--version"]:
        print(f"labial {_version()}")
        return 0
    try:
        command: Command = tyro.cli(
            Command,
            prog="labial",
            description=DESCRIPTION,
            args=arguments,
            config=(DisallowNone,),
        )
        with _ended_in_order():
            command.run()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 2
    except LabialError as error:
        print(f"labial: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("labial: stopped", file=sys.stderr)
        return 130
    return 0


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """Let a signal to end unwind as Ctrl-C does, so that nothing half done is left behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, _: FrameType | None) -> None:
        print("labial: stopped", file=sys.stderr)
        raise SystemExit(128 + number)

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    # Whoever ignores a signal, as nohup does, has a reason.
    ours = [number for number in numbers if signal.getsignal(number) == signal.SIG_DFL]
    for number in ours:
        signal.signal(number, end)
    try:
        yield
    except Exception as error:
        # While modules are loaded, Python and extensions make errors of their own of it.
        if isinstance(error.__cause__, SystemExit | KeyboardInterrupt):
            raise error.__cause__ from None
        raise
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("labial")
    except PackageNotFoundError:
        return "(not installed)"
