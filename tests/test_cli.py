import dataclasses
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

from labial import weights
from labial.cli import main
from labial.errors import FaceError
from labial.options import (
    AnimateOptions,
    CheckOptions,
    DubOptions,
    EvalOptions,
    FixOptions,
    VisemeOptions,
)

DUB = ["dub", "in.mp4", "--audio", "speech.wav", "-o", "out.mp4"]


@dataclasses.dataclass
class Call:
    arguments: tuple = ()
    hook: object = None
    more: dict = dataclasses.field(default_factory=dict)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch):
    """Put a function of the given result or error in place of a public function."""
    rooms = {
        "dub": "dubbing",
        "dub_each": "dubbing",
        "animate": "animating",
        "visemes": "transcribe",
        "check": "checking.check",
        "fix": "fixing",
    }

    def put(name: str, result: object) -> Call:
        call = Call()

        def function(*arguments: object, hook: object = None, **more: object) -> object:
            call.arguments, call.hook, call.more = arguments, hook, more
            if isinstance(result, BaseException):
                raise result
            return result

        module = types.ModuleType(f"labial.{rooms.get(name, name)}")
        setattr(module, name, function)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return call

    return put


REPORT = types.SimpleNamespace(summary=lambda: "250 frames, 248 re-synced")


def test_dub(fake, capsys) -> None:
    call = fake("dub", REPORT)
    assert main(DUB) == 0
    assert call.arguments == (Path("in.mp4"), Path("speech.wav"), Path("out.mp4"), DubOptions())
    assert callable(call.hook)
    assert capsys.readouterr().out == "250 frames, 248 re-synced\n"


def test_dub_into_several_languages(fake, capsys) -> None:
    call = fake("dub_each", {"es": REPORT, "pt-BR": REPORT})
    several = ["--audio", "es=a=b.wav", "-a", "pt-BR=c.wav"]
    assert main(["dub", "in.mp4", *several, "-o", "out/{lang}.mp4"]) == 0
    speeches = {"es": Path("a=b.wav"), "pt-BR": Path("c.wav")}
    assert call.arguments == (Path("in.mp4"), speeches, Path("out/{lang}.mp4"), DubOptions())
    assert capsys.readouterr().out == "250 frames, 248 re-synced\n" * 2


@pytest.mark.parametrize("audio", [["a.wav", "b.wav"], ["es=a.wav", "b.wav"], ["es=a", "es=b"]])
def test_several_speeches_need_a_language_each(audio: list[str], capsys) -> None:
    arguments = [word for one in audio for word in ("--audio", one)]
    assert main(["dub", "in.mp4", *arguments, "-o", "{lang}.mp4"]) == 2
    assert "for several languages give each once" in capsys.readouterr().err


def test_a_file_whose_name_looks_like_a_language(fake, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("es=a.wav").touch()
    call = fake("dub", REPORT)
    assert main(["dub", "in.mp4", "--audio", "es=a.wav", "-o", "out.mp4"]) == 0
    assert call.arguments[1] == Path("es=a.wav")


def test_dub_options(fake) -> None:
    call = fake("dub", REPORT)
    assert main([*DUB, "--codec", "hevc", "--crf", "20", "--preview", "p.png"]) == 0
    assert call.arguments[3] == DubOptions(codec="hevc", crf=20, preview="p.png")


def test_animate(fake, capsys) -> None:
    call = fake("animate", REPORT)
    arguments = ["animate", "me.jpg", "--audio", "speech.wav", "-o", "out.mp4"]
    assert main(arguments) == 0
    files = (Path("me.jpg"), Path("speech.wav"), Path("out.mp4"))
    assert call.arguments == (*files, AnimateOptions())
    assert callable(call.hook)
    assert capsys.readouterr().out == "250 frames, 248 re-synced\n"
    more = ["--motion", "lively", "--format", "9:16", "--fps", "29.97", "--seed", "7", "--no-rest"]
    assert main([*arguments, *more]) == 0
    wanted = AnimateOptions(motion="lively", format="9:16", fps=29.97, seed=7, rest=False)
    assert call.arguments[3] == wanted


@pytest.mark.parametrize("name", [" a b.mp4", "'q'.mp4", 'd"q.mp4', "--=x.mp4", "ü/é 東京.mp4"])
def test_odd_file_names(fake, name: str) -> None:
    call = fake("dub", REPORT)
    name = f"./{name}"
    assert main(["dub", name, "--audio", name, f"--out={name}"]) == 0
    assert call.arguments[:3] == (Path(name),) * 3


def test_visemes(fake, capsys) -> None:
    call = fake("visemes", None)
    assert main(["visemes", "a b.wav", "-o", "out.json"]) == 0
    assert call.arguments == (Path("a b.wav"), Path("out.json"), VisemeOptions())
    assert callable(call.hook)
    assert capsys.readouterr().out == "out.json\n"


def test_visemes_options(fake, capsys) -> None:
    call = fake("visemes", None)
    arguments = [
        "--format",
        "moho",
        "--viseme-set",
        "rhubarb",
        "--fps",
        "12.5",
        "--text",
        "Hi, you",
    ]
    assert main(["visemes", "a.wav", "-o", "-", *arguments, "--language", "de"]) == 0
    assert call.arguments[2] == VisemeOptions("moho", "rhubarb", "Hi, you", "de", 12.5)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["-o", "out.srt"], r"cannot tell the format of out\.srt: .*--format"),
        (["-o", "no folder/out.json"], r"cannot write .*: there is no directory .*"),
        (["-o", "out.json", "--fps", "25"], r"--fps 25: json has no frames, leave it out"),
        (
            ["-o", "out.json", "--text", "no such.txt"],
            r"--text no such\.txt: there is no such file",
        ),
    ],
)
def test_visemes_with_a_wrong_value_is_one_line(arguments: list[str], line: str, capsys) -> None:
    assert main(["visemes", "missing.wav", *arguments]) == 2
    assert re.fullmatch(rf"labial: error: {line}\n", capsys.readouterr().err)


def test_eval(monkeypatch: pytest.MonkeyPatch, capsys, tmp_path: Path) -> None:
    asked, room = [], types.ModuleType("labial.evaluating")
    found = types.SimpleNamespace(evaluations={"a": types.SimpleNamespace(source=None, ref=None)})

    def evaluate_folder(*arguments: object, hook: object = None) -> object:
        assert callable(hook)
        asked.append(arguments)
        return found

    room.__dict__.update(
        evaluate_folder=evaluate_folder,
        told=lambda judged: "all is well" if judged is found else "",
        write_json=lambda judged, out: Path(out).write_text("json"),
        write_csv=lambda judged, out: Path(out).write_text("csv"),
    )
    monkeypatch.setitem(sys.modules, "labial.evaluating", room)
    pages = types.ModuleType("labial.report")
    pages.__dict__.update(report_files=None, write_report=None)
    monkeypatch.setitem(sys.modules, "labial.report", pages)
    assert main(["eval", "--out", "made", "--ref", "real"]) == 0
    assert capsys.readouterr().out == "all is well\n"
    files = ["--json", str(tmp_path / "a.json"), "--csv", str(tmp_path / "a.csv")]
    more = ["--source", "s", "--baseline", "b", "--syncnet", "w.model", "--no-identity"]
    assert main(["eval", "-o", "made", *more, *files]) == 0
    made = Path("made")
    assert asked == [
        (made, Path("real"), None, None, EvalOptions()),
        (made, None, Path("s"), Path("b"), EvalOptions("w.model", False)),
    ]
    assert (tmp_path / "a.json").read_text() == "json"
    assert (tmp_path / "a.csv").read_text() == "csv"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--json", "a.txt"], r"--json a\.txt: use a name that ends in \.json"),
        (["--csv", "no folder/a.csv"], r"cannot write .*: there is no directory .*"),
        ([], r"cannot read missing: there is no such file or folder"),
        (["--report", "p.html"], r"--report p\.html: judge one video, with --ref or --source"),
        (["--ref", "a", "--report", "no/p.html"], r"cannot write .*: there is no directory .*"),
        (["--syncnet", ""], r"--syncnet: name the file with the weights"),
    ],
)
def test_eval_with_a_wrong_value_is_one_line(arguments: list[str], line: str, capsys) -> None:
    assert main(["eval", "--out", "missing", *arguments]) == 2
    assert re.fullmatch(rf"labial: error: {line}\n", capsys.readouterr().err)


def test_inspect(fake, capsys) -> None:
    call = fake("inspect_clip", Path("x.inspect.png"))
    assert main(["inspect", "some/x.mov"]) == 0
    assert call.arguments == (Path("some/x.mov"), Path("x.inspect.png"))
    assert capsys.readouterr().out == "x.inspect.png\n"


def test_check(fake, capsys) -> None:
    call = fake("check", types.SimpleNamespace(summary=lambda: "sound 40 ms late"))
    assert main(["check", "some/x.mov", "-o", "x.json", "--window", "4"]) == 0
    assert call.arguments == (Path("some/x.mov"), CheckOptions(window=4))
    assert call.more == {"out": Path("x.json")}
    assert capsys.readouterr().out == "sound 40 ms late\n"
    assert main(["check", "x.mov", "--window", "1"]) == 2
    assert capsys.readouterr().err == "labial: error: --window 1: use 3 to 60 seconds\n"


def test_fix(fake, capsys) -> None:
    call = fake("fix", types.SimpleNamespace(summary=lambda: "sound moved"))
    assert main(["fix", "x.mov", "-o", "y.mov", "--how", "shift", "--late", "-120"]) == 0
    assert call.arguments == (Path("x.mov"), Path("y.mov"), FixOptions("shift", -120))
    assert capsys.readouterr().out == "sound moved\n"
    assert main(["fix", "x.mov", "-o", "y.mov", "--how", "mouth", "--drift", "1"]) == 2
    assert "leave out --late and --drift" in capsys.readouterr().err


def test_demo(fake, capsys) -> None:
    call = fake("demo", types.SimpleNamespace(video=Path("f/v.mp4"), sheet=Path("f/s.png")))
    assert main(["demo", "-o", "f"]) == 0
    assert call.arguments == (Path("f"),)
    assert [Path(line) for line in capsys.readouterr().out.split()] == [
        Path("f/v.mp4"),
        Path("f/s.png"),
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dubb"],
        ["dub", "in.mp4"],
        [*DUB, "--crf", "low"],
        [*DUB, "--codec", "divx"],
        [*DUB, "--no-such-option"],
        ["weights", "burn"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_exit_code_2(arguments: list[str], capsys) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err


def test_a_wrong_value_is_one_line(capsys) -> None:
    assert main([*DUB, "--crf", "99"]) == 2
    assert re.fullmatch(r"labial: error: --crf 99: .*\n", capsys.readouterr().err)


def test_a_known_error_is_one_line(fake, capsys) -> None:
    fake("dub", FaceError("in.mp4: no face found in 250 frames"))
    assert main(DUB) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "labial: error: in.mp4: no face found in 250 frames\n"


def test_ctrl_c(fake, capsys) -> None:
    fake("dub", KeyboardInterrupt())
    assert main(DUB) == 130
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(("end", "code"), [(KeyboardInterrupt(), 130), (SystemExit(143), 143)])
@pytest.mark.parametrize(
    "error", [ImportError("initialization failed"), RuntimeError("__set_name__")]
)
def test_an_end_while_modules_are_loaded(
    fake, error: Exception, end: BaseException, code: int, capsys
) -> None:
    error.__cause__ = end
    fake("dub", error)
    assert main(DUB) == code
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("error", [ValueError("x"), TypeError("x"), OSError("x")])
def test_an_unknown_error_keeps_its_traceback(fake, error: Exception) -> None:
    fake("dub", error)
    with pytest.raises(type(error)):
        main(DUB)


def test_version(capsys) -> None:
    assert main(["--version"]) == 0
    assert re.fullmatch(r"labial (\d+\.\d+.*|\(not installed\))\n", capsys.readouterr().out)


@pytest.mark.parametrize(
    "command", ["dub", "animate", "visemes", "inspect", "demo", "voices", "weights"]
)
def test_help(command: str, capsys) -> None:
    assert main([command, "--help"]) == 0
    assert command in capsys.readouterr().out


@pytest.mark.parametrize(("command", "options"), [("dub", DubOptions), ("animate", AnimateOptions)])
def test_help_has_every_option(command: str, options: type, capsys) -> None:
    main([command, "--help"])
    text = capsys.readouterr().out
    for option in dataclasses.fields(options):
        assert f"--{option.name.replace('_', '-')}" in text


def test_parsing_loads_nothing_heavy() -> None:
    code = (
        "import sys; from labial.cli import main; main(['dub', '--help']);"
        "print([m for m in ('cv2', 'av', 'onnxruntime', 'ai_edge_litert') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LABIAL_CACHE", str(tmp_path))
    monkeypatch.setenv("LABIAL_OFFLINE", "1")
    return tmp_path


def test_weights_list(empty_cache: Path, capsys) -> None:
    assert main(["weights", "list"]) == 0
    text = capsys.readouterr().out
    assert str(empty_cache) in text
    for row in (*weights.WEIGHTS, *weights.VOICES, *weights.SAMPLES):
        assert row.name in text
        assert row.licence in text


def test_weights_fetch_offline(empty_cache: Path, capsys) -> None:
    assert main(["weights", "fetch"]) == 2
    assert "LABIAL_OFFLINE" in capsys.readouterr().err


def test_weights_verify(empty_cache: Path, capsys) -> None:
    assert main(["weights", "verify"]) == 0
    assert "missing" in capsys.readouterr().out
    (empty_cache / weights.lookup("speech").filename).write_bytes(b"no speech")
    assert main(["weights", "verify"]) == 2
    captured = capsys.readouterr()
    assert re.search(r"speech +damaged", captured.out)
    assert "labial weights fetch speech" in captured.err


def test_weights_of_unknown_name(empty_cache: Path, capsys) -> None:
    assert main(["weights", "fetch", "nope"]) == 2
    assert "face_landmarker" in capsys.readouterr().err


def test_the_readme_shows_real_commands(capsys) -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", readme, re.DOTALL)
    shown = set(re.findall(r"^(?:.*&& )?labial (\w+)", "".join(blocks), re.MULTILINE))
    assert shown == {
        "dub", "animate", "visemes", "inspect", "preflight", "check", "fix", "plan", "eval", "demo",
        "voices", "weights", "batch", "serve", "token",
    }  # fmt: skip
    main(["--help"])
    overview = capsys.readouterr().out
    assert all(command in overview for command in shown)
