"""What a request may say, derived from the options: fields, types, limits, defaults and help.

Nothing about an option is written here. A model of a kind's options has the fields that may be
set, and ``forms`` lists them for whoever draws a form.
"""

from __future__ import annotations

import ast
import inspect
import math
import re
import textwrap
import types
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields
from functools import cache
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    TypeAlias,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    create_model,
    model_validator,
)

from labial.jobs import CONTAINERS, KINDS, Input, Kind
from labial.options import Between

MOST_TEXT = 200_000
_NAME = r"[^/\\:.\u0000-\u001f\u007f][^/\\:\u0000-\u001f\u007f]{0,99}"
_ID = r"^upl_[a-z2-7]{26}$"
_MOST_INPUTS = 200
EXAMPLE_ID = "upl_abcdefghijklmnopqrstuvwxyz"

UploadId = Annotated[str, Field(pattern=_ID, examples=[EXAMPLE_ID])]


def _plain_text(value: str) -> str:
    """Refuse what a database or a header could not hold."""
    if "\0" in value:
        raise ValueError("a text must not contain the character U+0000")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("a text must be Unicode") from None
    return value


Text = Annotated[str, AfterValidator(_plain_text)]


class Strict(BaseModel):
    """A request's part: nothing is guessed, and nothing unknown is passed over."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class WebhookIn(Strict):
    """Where to tell that a job has ended."""

    url: Annotated[Text, Field(max_length=2000, pattern=r"^https?://[^\s]+$")] = Field(
        description="Called with the job as JSON when it has ended.",
        examples=["https://example.org/labial"],
    )
    secret: Annotated[Text, Field(min_length=8, max_length=200)] | None = Field(
        None, description="Signs the call (HMAC-SHA256); kept, and never shown again."
    )


class JobRequest(Strict):
    """What all kinds of jobs are asked for by."""

    kind: str
    inputs: BaseModel
    options: BaseModel
    container: str | None = None
    report: bool = False
    webhook: WebhookIn | None = None
    keep_days: float | None = None

    def roles(self) -> dict[str, str]:
        """Return role → id of an upload."""
        return self.inputs.model_dump(exclude_none=True)

    def asked(self) -> dict[str, Any]:
        """Return what the job is, as it is kept: only options that were given."""
        return {
            "inputs": self.roles(),
            "options": self.options.model_dump(exclude_unset=True, by_alias=True),
            "container": self.container,
            "report": self.report,
        }


@cache
def help_of(options: type[Any]) -> dict[str, str]:
    """Return field → its docstring, in one line, of an options dataclass."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(options))).body
    assert isinstance(body, ast.ClassDef)
    found = {}
    for field, after in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(after, ast.Expr):
            assert isinstance(field.target, ast.Name)
            found[field.target.id] = " ".join(str(ast.literal_eval(after.value)).split())
    return found


def settable(kind: Kind) -> Iterator[tuple[str, Any, Any, Between | None, str]]:
    """Yield name, type, default, limits and help of each option that may be set."""
    options: Any = kind.options
    if options is None:
        return
    hints = get_type_hints(options, include_extras=True)
    for field in fields(options):
        if field.name in kind.managed:
            continue
        what, limits = hints[field.name], None
        if get_origin(what) is Annotated:
            what, *more = get_args(what)
            limits = next((each for each in more if isinstance(each, Between)), None)
        default = field.default
        if field.default_factory is not MISSING:
            default = field.default_factory()
        yield field.name, what, default, limits, help_of(options)[field.name]


def _members(what: Any) -> tuple[Any, ...]:
    return get_args(what) if get_origin(what) in (Union, types.UnionType) else (what,)


def _field_type(what: Any, limits: Between | None) -> Any:
    """The pydantic type of an option."""
    made: list[Any] = []
    for member in _members(what):
        if get_origin(member) is tuple:
            made.append(
                Annotated[list[Annotated[Text, Field(max_length=1000)]], Field(max_length=100)]
            )
        elif member is str:
            made.append(Annotated[Text, Field(max_length=MOST_TEXT)])
        elif member in (int, float) and limits is not None:
            high = None if math.isinf(limits.high) else member(limits.high)
            made.append(Annotated[member, Field(ge=member(limits.low), le=high)])
        elif member is int:
            made.append(Annotated[int, Field(ge=-(2**63), lt=2**63)])
        else:
            made.append(member)
    return Union[tuple(made)]  # noqa: UP007 - of members that are not known here


def _options_model(kind: Kind) -> type[BaseModel]:
    given: dict[str, Any] = {}
    for name, what, default, limits, about in settable(kind):
        value = list(default) if isinstance(default, tuple) else default
        field: Any = Field(value, description=about, alias=name)
        # A model has methods of its own, such as copy.
        given[f"{name}_" if hasattr(Strict, name) else name] = (_field_type(what, limits), field)
    about = f"Options of the kind {kind.name}; what is left out has its default."
    return create_model(f"{kind.name.title()}Options", __base__=Strict, __doc__=about, **given)


def _inputs_model(kind: Kind) -> type[BaseModel]:
    """The inputs by role; those that may be several are also taken as ``role.NAME``."""
    given: dict[str, Any] = {}
    for each in kind.inputs:
        if each.required:
            given[each.role] = (UploadId, Field(description=each.about))
        else:
            given[each.role] = (UploadId | None, Field(None, description=each.about))
    about = f"Uploads of the kind {kind.name}, by their ids."
    name = f"{kind.name.title()}Inputs"
    several = [each for each in kind.inputs if each.many]
    if not several:
        return create_model(name, __base__=Strict, __doc__=about, **given)
    known: Any = model_validator(mode="after")(_known(several))
    return create_model(
        name,
        __base__=_Several,
        __doc__=f"{about} Several of a role are ROLE.NAME.",
        __cls_kwargs__={"json_schema_extra": _patterned(several)},
        __validators__={"known": known},
        **given,
    )


class _Several(Strict):
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, UploadId] = Field(init=False)


def _known(several: list[Input]) -> Callable[[_Several], _Several]:
    pattern = re.compile(rf"({'|'.join(each.role for each in several)})\.{_NAME}")

    def check(inputs: _Several) -> _Several:
        for name in inputs.__pydantic_extra__:
            if not pattern.fullmatch(name):
                raise ValueError(f"unknown input {name[:100]!a}")
            _plain_text(name)
        if len(inputs.__pydantic_extra__) > _MOST_INPUTS:
            raise ValueError(f"give at most {_MOST_INPUTS} inputs")
        return inputs

    return check


def _patterned(several: list[Input]) -> Callable[[dict[str, Any]], None]:
    def add(schema: dict[str, Any]) -> None:
        schema["additionalProperties"] = False
        schema["patternProperties"] = {
            rf"^{each.role}\.{_NAME}$": {
                "type": "string",
                "pattern": _ID,
                "description": f"{each.about}: that called NAME.",
            }
            for each in several
        }

    return add


def _request_model(kind: Kind) -> type[JobRequest]:
    inputs, options = _inputs_model(kind), _options_model(kind)
    given: dict[str, Any] = {
        "kind": (Literal[kind.name], Field(description=kind.about)),
        "inputs": (inputs, ...),
        "options": (options, Field(default_factory=options)),
        "container": (
            Literal[CONTAINERS] | None,
            Field(None, description="Format of a video that is made. Default: the source's."),
        ),
        "webhook": (WebhookIn | None, None),
        "keep_days": (
            Annotated[float, Field(gt=0, le=3650)] | None,
            Field(None, description="Days after its end that it is kept. Default: the server's."),
        ),
        "report": (
            bool if kind.name == "dub" else Literal[False],
            Field(False, description="Of a dub: also judge it, and write a page about it."),
        ),
    }
    example = {
        "kind": kind.name,
        "inputs": {each.role: EXAMPLE_ID for each in kind.inputs[:2] if each.required},
    }
    if kind.name in ("dub", "animate"):
        example["options"] = {"text": "Good morning.", "language": "en-us"}
    return create_model(
        f"{kind.name.title()}Request",
        __base__=JobRequest,
        __doc__=f"A job that is to {kind.about}.",
        __cls_kwargs__={"json_schema_extra": {"example": example}},
        **given,
    )


REQUESTS: dict[str, type[JobRequest]] = {name: _request_model(k) for name, k in KINDS.items()}

if TYPE_CHECKING:
    AnyJob: TypeAlias = JobRequest
else:
    AnyJob = Annotated[
        Union[tuple(REQUESTS.values())],  # noqa: UP007 - of models that are not known here
        Field(discriminator="kind"),
    ]


class InputForm(BaseModel):
    """A file that a job takes."""

    role: str
    holds: str = Field(description="What is expected of it.", examples=["video"])
    about: str
    required: bool
    many: bool = Field(description="Several are given as ROLE.NAME.")


class OptionForm(BaseModel):
    """An option, as a form shows it."""

    name: str
    type: Literal["boolean", "integer", "number", "text", "choice", "list"]
    nullable: bool = Field(description="It may be null, which is then its default.")
    choices: list[str] = Field(
        description="What it may be; for a number, what it may be instead of one."
    )
    default: bool | int | float | str | list[str] | None
    minimum: float | None
    maximum: float | None
    help: str


class KindForm(BaseModel):
    """A kind of job: what it takes, and its options."""

    name: str
    about: str
    inputs: list[InputForm]
    options: list[OptionForm]
    containers: list[str]
    report: bool = Field(description="Whether a report may be asked for.")


def forms() -> list[KindForm]:
    """Return all kinds of jobs, as forms show them."""
    return [
        KindForm(
            name=kind.name,
            about=kind.about,
            inputs=[
                InputForm(
                    role=e.role, holds=e.holds, about=e.about, required=e.required, many=e.many
                )
                for e in kind.inputs
            ],
            options=[_option_form(*each) for each in settable(kind)],
            containers=list(CONTAINERS) if kind.name in ("dub", "animate", "fix") else [],
            report=kind.name == "dub",
        )
        for kind in KINDS.values()
    ]


def _option_form(
    name: str, what: Any, default: Any, limits: Between | None, about: str
) -> OptionForm:
    members = _members(what)
    choices = [value for m in members if get_origin(m) is Literal for value in get_args(m)]
    kinds: dict[Any, Any] = {bool: "boolean", int: "integer", float: "number", str: "text"}
    known = [kinds[m] for m in members if m in kinds]
    if any(get_origin(m) is tuple for m in members):
        known = ["list"]
    least, most = (None, None) if limits is None else (limits.low, limits.high)
    return OptionForm(
        name=name,
        type=known[0] if known else "choice",
        nullable=types.NoneType in members,
        choices=choices,
        default=list(default) if isinstance(default, tuple) else default,
        minimum=least,
        maximum=None if most is None or math.isinf(most) else most,
        help=about,
    )
