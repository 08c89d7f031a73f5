"""Plans of segments, given as such or as a file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from labial import seen
from labial.analysis import Analysis, analyse
from labial.media.probe import show
from labial.options import DubOptions
from labial.planning.aloud import Speak
from labial.planning.check import Check
from labial.planning.film import Film
from labial.planning.lines import Plan
from labial.planning.listening import Sound
from labial.script.segments import Segment, segments_and_problems
from labial.types import Hook

# Somebody who is named is looked for.
_NOBODY_SPECIAL = ("auto", "all", "largest")


def plan(
    video: str | os.PathLike[str],
    segments: Sequence[Segment],
    options: DubOptions | None = None,
    *,
    name: str = "segments",
    problems: Sequence[str] = (),
    analysis: Analysis | None = None,
    speak: Speak | None = None,
    sounds: dict[Path, Sound | str] | None = None,
) -> Plan:
    """Check segments against the media, and say what a dub of them would do.

    Parameters
    ----------
    video
        The video, as for a dub.
    segments
        What is said when, in any order.
    options
        Of the dub; a segment's own ones go before, and whoever it names before ``speaker``.
    name
        Of the file of segments, for the message.
    problems
        What is known to be wrong already, told together with what is found.
    analysis
        What was seen of the video. Without it nobody knows who is in it.
    speak
        Speaks text, see :func:`labial.planning.aloud.aloud`; called once, with all segments that
        have text only, and only when nothing is wrong. Without it their lines have no audio yet.
    sounds
        What was heard in files, or what is wrong with them; what is listened to is added, so that
        a second plan need not.

    Raises
    ------
    ReadError
        The video cannot be read.
    ScriptError
        All problems: audio that cannot be read or is silent, stretches of it that do not exist,
        segments beyond the video's end, two for one person at a time, speakers who do not exist,
        and speech of which more than half would be cut off.
    """
    options = options or DubOptions()
    film = Film.of(video, options, None if analysis is None else lambda path: analysis)
    check = Check(film, options, name, list(problems), {} if sounds is None else sounds)
    return check.done(segments, speak)


def plan_file(
    video: str | os.PathLike[str],
    path: str | os.PathLike[str],
    audio: str | os.PathLike[str] | None = None,
    options: DubOptions | None = None,
    *,
    cast: Mapping[str, str] | None = None,
    look: bool | None = None,
    speak: Speak | None = None,
    hook: Hook | None = None,
) -> Plan:
    """Read a file of segments, check it against the media, and say what a dub would do.

    Parameters
    ----------
    video
        The video, as for a dub.
    path, audio, cast
        As for :func:`labial.script.segments.read_segments`.
    options, speak
        As for :func:`plan`.
    look
        Whether to look at the video for who is in it, or to recall that; what is seen is kept for
        the dub. Default: when a segment or an option names a speaker. Never where the file has
        problems already.
    hook
        Called as ``hook("analyse", frames, total)``.

    Raises
    ------
    ReadError, WeightsError
        File or video cannot be read; a model is missing.
    ScriptError
        All that is wrong with the file, and as for :func:`plan`.
    """
    options = options or DubOptions()
    tell = hook or (lambda stage, done, total: None)
    segments, problems = segments_and_problems(path, audio, cast)
    if look is None:
        named = [options.speaker, *(segment.speaker for segment in segments)]
        look = any(speaker not in _NOBODY_SPECIAL for speaker in named)

    def seen_in(video: Path) -> Analysis:
        content = seen.digest(video) if options.cache else ""
        return analyse(video, tell, content, options.threads)

    film = Film.of(video, options, seen_in if look and not problems else None)
    return Check(film, options, show(Path(path)), problems, {}).done(segments, speak)
