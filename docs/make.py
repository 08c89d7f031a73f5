"""Make what is generated of the documentation.

``python docs/make.py cli``
    ``cli.md``, from the help of each command. A test compares.
``python docs/make.py tour FOLDER``
    Runs the README's tour on the sample files in an empty folder, and draws ``tour/*.svg`` from
    what the commands print, and ``tour/*.png`` from what they plot.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE / "cli.md"
TOUR = HERE / "tour"
_WIDTH = 100
_MOST_LINES = 24
_COMMANDS = re.compile(r"\{([a-z,\s]+)\}")
_FONTS = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
_SPOKEN = {
    "es": ("Hola y bienvenidos.", "Hoy probamos un programa nuevo.", "Mira mis labios."),
    "de": ("Hallo und willkommen.", "Heute probieren wir etwas Neues.", "Schau auf die Lippen."),
}


def printed(*command: str, folder: Path | None = None) -> str:
    """What ``labial COMMAND`` prints."""
    code = "import sys; from labial.cli import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, *command],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "COLUMNS": f"{_WIDTH}", "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"},
    )
    if done.returncode:
        sys.exit(f"labial {shlex.join(command)}: {done.stderr}")
    return "\n".join(line.rstrip() for line in done.stdout.splitlines()).strip("\n")


def commands() -> list[str]:
    """The commands, in the order of the help."""
    found = _COMMANDS.search(printed("--help"))
    assert found is not None
    return [name.strip() for name in found[1].split(",")]


def page() -> str:
    """The page of all commands."""
    parts = [
        "# The command line",
        "Generated from `labial --help` by `python docs/make.py cli`. Options are fields of the "
        "classes in `labial.options`, for use from Python.",
        f"```\n{printed('--help')}\n```",
    ]
    for command in commands():
        parts += [f"## labial {command}", f"```\n{printed(command, '--help')}\n```"]
    return "\n\n".join(parts) + "\n"


def tour(folder: Path) -> None:
    """Run the tour and draw its pictures."""
    from labial import weights

    folder.mkdir(parents=True)
    shutil.copy(weights.path("face_clip"), folder / "film.mp4")
    shutil.copy(weights.path("speech"), folder / "speech.wav")
    _write_scripts(folder)
    TOUR.mkdir(exist_ok=True)

    def step(name: str, *command: str) -> None:
        lines = printed(*command, folder=folder).splitlines()
        text = "\n".join(lines if len(lines) <= _MOST_LINES else [*lines[:_MOST_LINES], "..."])
        _draw(TOUR / f"{name}.svg", f"$ labial {shlex.join(command)}\n{text}")

    step("preflight", "preflight", "film.mp4", "speech.wav")
    several = ["--audio", "es=es.srt", "--audio", "de=de.srt", "-o", "out/{lang}.mp4"]
    (folder / "out").mkdir()
    step("dub", "dub", "film.mp4", *several)
    step("voices", "voices", "--language", "es")
    step("plan", "plan", "film.mp4", "--segments", "lines.json")
    printed("dub", "film.mp4", "--audio", "speech.wav", "-o", "talk.mp4", folder=folder)
    printed("fix", "talk.mp4", "--how", "shift", "--late", "-160", "-o", "late.mp4", folder=folder)
    printed("check", "late.mp4", "-o", "late.png", folder=folder)
    shutil.copy(folder / "late.png", TOUR / "check.png")
    step("fix", "fix", "late.mp4", "-o", "fixed.mp4")
    step("eval", "eval", "--out", "late.mp4", "--source", "film.mp4", "--baseline", "talk.mp4")


def _write_scripts(folder: Path) -> None:
    """Scripts of our own for the tour."""
    for language, said in _SPOKEN.items():
        cues = [
            f"{k + 1}\n00:00:{10 + 3 * k},000 --> 00:00:{12 + 3 * k},500\n{text}\n"
            for k, text in enumerate(said)
        ]
        (folder / f"{language}.srt").write_text("\n".join(cues), encoding="utf-8")
    (folder / "lines.json").write_text(
        """[
 {"start": 10.0, "end": 12.5, "text": "This sentence is new.", "language": "en-gb"},
 {"start": 13.5, "end": 16.0, "audio": "speech.wav", "audio_start": 4.0, "audio_end": 6.5}
]
""",
        encoding="utf-8",
    )


def _draw(path: Path, text: str) -> None:
    """Draw what a terminal shows."""
    from rich.console import Console
    from rich.terminal_theme import MONOKAI

    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        wide = max(_WIDTH, *map(len, text.splitlines()))
        console = Console(record=True, width=wide, file=nowhere)
        console.print(text, markup=False, highlight=False)
    svg = console.export_svg(title="labial", theme=MONOKAI, unique_id=path.stem)
    path.write_text(_FONTS.sub("", svg) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] == ["cli"]:
        PAGE.write_text(page(), encoding="utf-8")
    elif sys.argv[1:2] == ["tour"] and len(sys.argv) == 3:
        tour(Path(sys.argv[2]))
    else:
        sys.exit(__doc__)
