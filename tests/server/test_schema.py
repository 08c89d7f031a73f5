"""Requests have every option that may be set, as the dataclasses have them, and nothing else."""

from dataclasses import MISSING, fields
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from labial.errors import LabialError
from labial.jobs import KINDS
from labial.options import Between
from labial.server.schema import (
    EXAMPLE_ID,
    REQUESTS,
    AnyJob,
    JobRequest,
    forms,
    help_of,
    settable,
)

ADAPTER: TypeAdapter[JobRequest] = TypeAdapter(AnyJob)
SCHEMA = ADAPTER.json_schema()["$defs"]
OPTIONED = [kind for kind in KINDS.values() if kind.options is not None]


def request(kind: str, **more: Any) -> dict[str, Any]:
    needed = {each.role: EXAMPLE_ID for each in KINDS[kind].inputs if each.required}
    return {"kind": kind, "inputs": needed, **more}


@pytest.mark.parametrize("kind", OPTIONED, ids=lambda kind: kind.name)
def test_every_option_that_may_be_set_is_there_and_nothing_else(kind) -> None:
    model = SCHEMA[f"{kind.name.title()}Options"]
    wanted = {field.name for field in fields(kind.options)} - kind.managed
    assert set(model["properties"]) == wanted
    assert model["additionalProperties"] is False
    (form,) = (form for form in forms() if form.name == kind.name)
    assert [each.name for each in form.options] == list(kind.settable)


@pytest.mark.parametrize("kind", OPTIONED, ids=lambda kind: kind.name)
def test_defaults_and_help_are_those_of_the_options(kind) -> None:
    model = SCHEMA[f"{kind.name.title()}Options"]["properties"]
    (form,) = (form for form in forms() if form.name == kind.name)
    shown = {each.name: each for each in form.options}
    for field in fields(kind.options):
        if field.name in kind.managed:
            continue
        assert field.default is not MISSING
        default = list(field.default) if isinstance(field.default, tuple) else field.default
        assert model[field.name]["default"] == shown[field.name].default == default
        assert model[field.name]["description"] == shown[field.name].help
        assert len(shown[field.name].help) > 10


@pytest.mark.parametrize("kind", OPTIONED, ids=lambda kind: kind.name)
def test_the_empty_request_has_the_options_of_the_command_line(kind) -> None:
    made = ADAPTER.validate_python(request(kind.name))
    assert made.asked()["options"] == {}
    assert kind.made(made.options.model_dump(by_alias=True)) == kind.options()


def test_no_help_is_missing() -> None:
    for kind in OPTIONED:
        assert set(help_of(kind.options)) == {field.name for field in fields(kind.options)}


@pytest.mark.parametrize(
    ("kind", "name", "limits"),
    [
        (kind, name, limits)
        for kind in OPTIONED
        for name, _, _, limits, _ in settable(kind)
        if limits is not None
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_limits_are_those_that_the_options_keep(kind, name: str, limits: Between) -> None:
    """A limit stands in the annotation and in the check, which knows more; they must agree."""
    whole = "int" in str(kind.options.__annotations__[name])
    step = 1 if whole else 0.001
    number = int if whole else float
    for inside, outside in ((limits.low, limits.low - step), (limits.high, limits.high + step)):
        if abs(inside) == float("inf"):
            continue
        more = {"drift": 1.0} if name == "late" else {}
        kind.made({name: number(inside), **more})
        ADAPTER.validate_python(request(kind.name, options={name: number(inside)}))
        with pytest.raises(LabialError, match="use"):
            kind.made({name: number(outside), **more})
        with pytest.raises(ValidationError, match="should be"):
            ADAPTER.validate_python(request(kind.name, options={name: number(outside)}))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"options": {"threads": 1}}, "Extra inputs"),
        ({"options": {"segments": "/etc/passwd"}}, "Extra inputs"),
        ({"options": {"crf": "20"}}, "valid integer"),
        ({"options": {"crf": float("nan")}}, "valid integer|finite"),
        ({"options": {"articulation": float("nan")}}, "finite|greater"),
        ({"options": {"lossless": 1}}, "valid boolean"),
        ({"options": {"codec": "vvc"}}, "Input should be 'source'"),
        ({"options": {"text": "a\0b"}}, "U\\+0000"),
        ({"options": {"text": "\ud800"}}, "nicode"),
        ({"options": {"cast": ["A=0\0"]}}, "U\\+0000"),
        ({"inputs": {"video": "../../etc/passwd"}}, "match pattern"),
        ({"inputs": {"video": EXAMPLE_ID, "audio.": EXAMPLE_ID}}, "unknown input"),
        ({"inputs": {"video": EXAMPLE_ID, "audio.../x": EXAMPLE_ID}}, "unknown input"),
        ({"inputs": {"video": EXAMPLE_ID, "video.a": EXAMPLE_ID}}, "unknown input"),
        ({"inputs": {"video": EXAMPLE_ID, "sound.\ud800": EXAMPLE_ID}}, "nicode"),
        ({"inputs": {}}, "Field required"),
        ({"container": "exe"}, "Input should be 'mp4'"),
        ({"webhook": {"url": "file:///etc/passwd"}}, "match pattern"),
        ({"keep_days": 0}, "greater than 0"),
        ({"out": "/etc/passwd"}, "Extra inputs"),
    ],
)
def test_what_is_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ADAPTER.validate_python(request("dub") | more)


def test_inputs_may_be_several() -> None:
    several = {
        "video": EXAMPLE_ID,
        "audio.pt-BR": EXAMPLE_ID,
        "sound.Anna, Zeile 1.wav": EXAMPLE_ID,
    }
    made = ADAPTER.validate_python(request("dub") | {"inputs": several})
    assert made.roles() == several


def test_only_what_is_given_is_kept() -> None:
    made = ADAPTER.validate_python(request("dub", options={"copy": False, "crf": None}))
    assert made.asked()["options"] == {"copy": False, "crf": None}
    assert set(REQUESTS) == set(KINDS)


def test_a_form_says_what_a_field_is() -> None:
    shown = {each.name: each for form in forms() if form.name == "dub" for each in form.options}
    assert (shown["crf"].type, shown["crf"].nullable, shown["crf"].maximum) == ("integer", True, 63)
    assert (shown["stretch_audio"].type, shown["stretch_audio"].choices) == ("number", ["auto"])
    assert (shown["quality"].type, shown["quality"].choices[-1]) == ("choice", "pro")
    assert (shown["cast"].type, shown["lossless"].type) == ("list", "boolean")
    assert (shown["text"].type, shown["text"].nullable) == ("text", True)
