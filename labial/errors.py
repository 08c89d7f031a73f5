"""Everything that can be wrong with what a user gave us, as one tree.

::

    LabialError                  one clear line: what is wrong and what to do; CLI exit code 2
    ├── MediaError               a file cannot be read or written as asked
    │   ├── ReadError            missing, empty, truncated, not media, lacks the needed stream
    │   └── WriteError           target cannot be written, container/codec mismatch
    ├── FaceError                no face that can be re-synced
    ├── SpeechError              the speech cannot be used (no audio stream, empty, not finite)
    ├── WeightsError             weights are missing, damaged, or may not be fetched
    ├── OptionError              an option value is out of range or contradicts another
    ├── ScriptError          a script, cue or segment file has problems: all of them, one line each
    └── JobError             a job cannot be described, or ended otherwise than done

Anything else that is raised is a bug in Labial and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Sequence


class LabialError(Exception):
    """Root of all known failures; ``str(error)`` is for the user, a single line unless it lists."""


class MediaError(LabialError):
    """A media file cannot be read or written as asked."""


class ReadError(MediaError):
    """The input is missing, empty, truncated, not media, or lacks the stream that is needed."""


class WriteError(MediaError):
    """The output cannot be written, or container and codec do not fit each other."""


class FaceError(LabialError):
    """The picture holds no face that can be re-synced."""


class SpeechError(LabialError):
    """The speech holds nothing that can drive a mouth."""


class WeightsError(LabialError):
    """Model weights are missing, damaged, or may not be fetched (offline)."""


class OptionError(LabialError):
    """An option's value is out of range or contradicts another option."""


class ScriptError(LabialError):
    """What is wrong with a script or a file of cues or segments, all at once.

    Parameters
    ----------
    name
        The file, as the user named it.
    problems
        One phrase each, beginning with the line it is about where there is one, such as
        ``line 7: ends before it starts``.
    """

    def __init__(self, name: str, problems: Sequence[str]) -> None:
        self.name, self.problems = name, tuple(problems)
        if len(self.problems) == 1:
            super().__init__(f"{name}: {self.problems[0]}")
        else:
            listed = "".join(f"\n  {problem}" for problem in self.problems)
            super().__init__(f"{name}: {len(self.problems)} problems{listed}")


class JobError(LabialError):
    """A job is described wrongly, or ended otherwise than done.

    Parameters
    ----------
    reason
        One line for the user.
    again
        Whether another try may end otherwise: not where an input or an option is at fault.
    """

    def __init__(self, reason: str, again: bool = False) -> None:
        super().__init__(reason)
        self.again = again
