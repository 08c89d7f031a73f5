"""Which jobs there are: what each takes, and which options a user may set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal

from labial.errors import JobError
from labial.options import AnimateOptions, CheckOptions, DubOptions, FixOptions, VisemeOptions

Holds = Literal["video", "photo", "speech", "sound", "segments", "boxes", "media"]


@dataclass(frozen=True)
class Input:
    """A file that a job takes.

    Parameters
    ----------
    role
        Its name in a job.
    holds
        What is expected of it. ``sound`` may be sound or a video with sound, ``speech`` also a
        script (.srt, .vtt, .txt) that a voice speaks; ``media`` a video, a photo or sound.
    about
        What it is for, in plain words.
    required
        Nothing can be done without it.
    many
        There may be several: ``role.NAME``, by language (speech) or as segments call them (sounds).
    """

    role: str
    holds: Holds
    about: str
    required: bool = True
    many: bool = False


@dataclass(frozen=True)
class Kind:
    """A kind of job.

    Parameters
    ----------
    name, about
        How it is called, and what it does in plain words.
    inputs
        The files that it takes.
    options
        The dataclass of its options, or None.
    managed
        Fields of it that whoever runs the job decides, not who asks for it: names of files, and
        what belongs to the machine.
    """

    name: str
    about: str
    inputs: tuple[Input, ...]
    options: type[Any] | None = None
    managed: frozenset[str] = frozenset()

    @property
    def settable(self) -> tuple[str, ...]:
        """Names of the options that may be set."""
        if self.options is None:
            return ()
        return tuple(f.name for f in fields(self.options) if f.name not in self.managed)

    def changed(self, options: Any) -> dict[str, Any]:
        """Return what of an options dataclass differs from the defaults, as a job has it."""
        found = {}
        for field in fields(options):
            default = field.default
            if field.default_factory is not MISSING:
                default = field.default_factory()
            value = getattr(options, field.name)
            if value != default:
                found[field.name] = list(value) if isinstance(value, tuple) else value
        return found

    def made(self, options: Mapping[str, Any], **managed: Any) -> Any:
        """Return the options dataclass with what was asked for, and with what is managed.

        Raises
        ------
        JobError
            An unknown or managed name.
        OptionError
            A value that the dataclass refuses.
        """
        unknown = sorted(set(options) - set(self.settable))
        if unknown:
            known = ", ".join(self.settable) or "none"
            raise JobError(f"{self.name}: unknown option {', '.join(unknown)}: known are {known}")
        if self.options is None:
            return None
        values = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in options.items()
        }
        return self.options(**values, **managed)


_SPEECH = "the new speech: sound, a video with sound, or a script that a voice speaks"
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "dub",
            "re-sync the mouth in a video to other speech",
            (
                Input("video", "video", "a video with a face"),
                Input("audio", "speech", f"{_SPEECH}; several by language", False, True),
                Input("segments", "segments", "what is said when, by whom", False),
                Input("sound", "sound", "sounds that segments name", False, True),
                Input("boxes", "boxes", "boxes around who is to speak", False),
            ),
            DubOptions,
            # Scripts come as an input; of files of others no name is taken.
            frozenset({"segments", "srt", "report", "preview", "cache", "resume", "threads"}),
        ),
        Kind(
            "animate",
            "let the face in a photo speak",
            (
                Input("photo", "photo", "a photo, painting or drawing of a face"),
                Input("audio", "speech", _SPEECH, False),
            ),
            AnimateOptions,
            frozenset({"srt"}),
        ),
        Kind(
            "check",
            "measure whether a video's sound is in sync with its mouths",
            (Input("video", "video", "a video in which people are seen speaking"),),
            CheckOptions,
        ),
        Kind(
            "fix",
            "repair a video whose sound is out of sync",
            (Input("video", "video", "a video in which people are seen speaking"),),
            FixOptions,
        ),
        Kind(
            "visemes",
            "write phones, visemes or face curves of speech",
            (Input("audio", "sound", "speech: sound, or a video with sound"),),
            VisemeOptions,
        ),
        Kind(
            "look",
            "look at a video or a photo, or listen to speech, before anything is done with it",
            (Input("media", "media", "a video, a photo, or sound"),),
        ),
    )
}  # fmt: skip


def kind_of(name: str) -> Kind:
    """Return a kind by its name; raise JobError with the known ones."""
    try:
        return KINDS[name]
    except KeyError:
        raise JobError(f"unknown kind of job {name}: known are {', '.join(KINDS)}") from None
