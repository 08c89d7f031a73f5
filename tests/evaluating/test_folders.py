"""Files that belong together, files that lack a partner, and systems that are compared."""

import csv
import json
from pathlib import Path

import pytest

from labial.errors import OptionError, ReadError
from labial.evaluating import folders
from labial.evaluating.folders import Judgement, evaluate_folder, match
from labial.evaluating.scores import MEASURES, Evaluation, Scores
from labial.evaluating.tables import facts, told, write_csv, write_json


def folder(home: Path, name: str, *files: str) -> Path:
    made = home / name
    made.mkdir()
    for file in files:
        (made / file).touch()
    return made


def test_files_belong_together_by_their_names(tmp_path: Path) -> None:
    made = folder(tmp_path, "made", "b.mp4", "a.mkv", "notes.txt", ".c.mp4")
    real = folder(tmp_path, "real", "a.avi", "b.MP4")
    trios, problems = match(made, real)
    assert [(t.name, t.out.name, t.ref and t.ref.name) for t in trios] == [
        ("a", "a.mkv", "a.avi"), ("b", "b.mp4", "b.MP4"),
    ]  # fmt: skip
    assert not problems and all(t.source is None and t.baseline is None for t in trios)


def test_what_lacks_a_partner_is_listed(tmp_path: Path) -> None:
    made = folder(tmp_path, "made", "a.mp4", "b.mp4", "b.mkv")
    real = folder(tmp_path, "real", "a.mp4", "c.mp4")
    other = folder(tmp_path, "other", "b.mp4")
    trios, problems = match(made, real, None, other)
    assert [t.name for t in trios] == ["a"] and trios[0].baseline is None
    assert problems == [
        f"{made / 'b.mp4'}: b.mkv has the same name, and was taken",
        f"{made / 'b.mkv'}: there is no such name in {real}",
        f"{real / 'c.mp4'}: {made} has no such name",
        f"{made / 'a.mp4'}: there is no such name in {other}",
    ]


def test_single_files(tmp_path: Path) -> None:
    made, real = folder(tmp_path, "made", "x.mp4"), folder(tmp_path, "real", "y.mp4", "x.mov")
    (trio,), problems = match(made / "x.mp4", real / "y.mp4")
    assert trio.ref == real / "y.mp4" and not problems
    (trio,), _ = match(made / "x.mp4", real)
    assert trio.ref == real / "x.mov"
    # One real video may be what a whole folder was made of.
    (trio,), _ = match(made, real / "y.mp4")
    assert (trio.out, trio.ref) == (made / "x.mp4", real / "y.mp4")
    with pytest.raises(OptionError, match="give a folder"):
        match(made, real, None, real / "y.mp4")


@pytest.mark.parametrize(
    ("out", "ref", "line"),
    [
        ("missing", "real", r"cannot read .*missing: there is no such file or folder"),
        ("made", "missing", r"cannot read .*missing: there is no such file or folder"),
        ("empty", "real", r"no videos in .*empty: files end in \.3gp, "),
        ("made", "others", r"nothing to judge: .*a\.mp4: there is no such name in .*\(and 1 more"),
        ("made/a.mp4", "others", r"--ref .*others: there is no video named a in it"),
    ],
)
def test_what_cannot_be_judged_is_one_line(out: str, ref: str, line: str, tmp_path: Path) -> None:
    folder(tmp_path, "made", "a.mp4")
    folder(tmp_path, "real", "a.mp4")
    folder(tmp_path, "others", "z.mp4")
    folder(tmp_path, "empty", "a.txt")
    with pytest.raises(ReadError, match=line) as raised:
        match(tmp_path / out, tmp_path / ref)
    assert "\n" not in str(raised.value)


def found(
    name: str, scores: Scores, real: Scores | None = None, closures: float = 4.0
) -> Evaluation:
    return Evaluation(
        Path(f"{name}.mp4"), Path(f"real/{name}.mp4"), None, 50, 2.0, {"no face": 3},
        {"closures": closures, "speech": 2.0}, scores, real, ("a note",),
    )  # fmt: skip


def test_a_bad_file_does_not_end_the_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = folder(tmp_path, "made", "a.mp4", "b.mp4")
    told_of = []

    class Judge:
        def __init__(self, *_: object) -> None:
            pass

        def __call__(self, out: Path, *_: object) -> Evaluation:
            if out.stem == "a":
                raise ReadError(f"cannot read {out}: it is empty")
            return found("b", Scores(offset=10))

    monkeypatch.setattr(folders, "Judge", Judge)
    judgement = evaluate_folder(made, hook=lambda *step: told_of.append(step))
    assert list(judgement.evaluations) == ["b"]
    assert judgement.problems == (f"cannot read {made / 'a.mp4'}: it is empty",)
    assert told_of == [("judge", 1, 2), ("judge", 2, 2)]
    (made / "b.mp4").unlink()
    with pytest.raises(ReadError, match=r"nothing to judge in .*: cannot read .*a\.mp4"):
        evaluate_folder(made)


REAL = Scores(range=0.8, closure=0.9)
OURS = {
    "a": found("a", Scores(offset=10, closure=0.9, range=0.8, seam=1.0), REAL),
    "b": found("b", Scores(offset=-30, closure=0.7, range=0.9), REAL),
}
THEIRS = {
    "a": found("a", Scores(offset=-100, closure=0.5, range=0.3, seam=2.0)),
    "b": found("b", Scores(offset=-20, closure=0.95, range=0.9)),
}
BOTH = Judgement(OURS, THEIRS, ("c.mp4: it is empty",))


def test_means_and_comparison() -> None:
    means, apart = BOTH.means(), BOTH.comparisons()
    assert (means["offset"].mean, means["offset"].spread, means["offset"].count) == (-10, 20, 2)
    assert means["seam"].count == 1 and "psnr" not in means
    assert BOTH.real_means()["closure"].mean == pytest.approx(0.9)
    # 10 is nearer to 0 than -100 is; 10 ms more or less are alike.
    assert (apart["offset"].better, apart["offset"].worse, apart["offset"].count) == (1, 0, 2)
    assert (apart["closure"].better, apart["closure"].worse) == (1, 1)
    assert apart["closure"].difference == pytest.approx(0.075)
    # Near to the real one is good, not more of it.
    assert (apart["range"].better, apart["range"].worse) == (1, 0)
    assert (apart["seam"].better, apart["seam"].count) == (1, 1)


def test_what_is_counted_weighs_by_how_much_there_was() -> None:
    many, few = found("a", Scores(closure=0.9)), found("b", Scores(closure=0.4), closures=1.0)
    means = Judgement({"a": many, "b": few}, {}, ()).means()["closure"]
    assert (means.mean, means.spread) == (pytest.approx(0.8), pytest.approx(0.2))
    none = found("c", Scores(closure=0.0), closures=0.0)
    assert Judgement({"a": many, "c": none}, {}, ()).means()["closure"].count == 1


def test_json_csv_and_words(tmp_path: Path) -> None:
    write_json(BOTH, tmp_path / "a.json")
    read = json.loads((tmp_path / "a.json").read_text())
    assert read == json.loads(json.dumps(facts(BOTH)))
    assert read["videos"]["a"]["scores"]["offset"] == 10
    assert read["videos"]["a"]["scores"]["psnr"] is None
    assert read["means"]["closure"]["mean"] == pytest.approx(0.8)
    assert read["problems"] == ["c.mp4: it is empty"]
    write_csv(BOTH, tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["name"], row["set"]) for row in rows] == [
        ("a", "out"), ("b", "out"), ("a", "baseline"), ("b", "baseline"), ("a", "real"),
        ("b", "real"),
    ]  # fmt: skip
    assert rows[0]["offset"] == "10.0" and rows[0]["psnr"] == ""
    text = told(BOTH)
    assert "mean of 2" in text and "baseline, 2" in text
    assert "1 not judged:\n  c.mp4: it is empty" in text
    alone = told(Judgement({"a": OURS["a"]}, {}, ()))
    assert "a.mp4: 50 frames, 2.0 s" in alone and "real 0.90" in alone
    assert "not judged: no face 3" in alone and "a note" in alone


def test_every_number_has_a_meaning() -> None:
    assert [measure.name for measure in MEASURES] == list(Scores.__dataclass_fields__)
    assert len({measure.title for measure in MEASURES}) == len(MEASURES)


def test_every_number_is_in_the_docs() -> None:
    page = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
    for measure in MEASURES:
        assert f"`{measure.name}`" in page, measure.name
