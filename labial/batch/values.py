"""Values of a manifest, as text or as JSON has them, made what an option wants."""

from __future__ import annotations

import math
import types
from typing import Any, Literal, Union, get_args, get_origin

from labial.script.problems import quoted
from labial.script.values import read_number, read_switch

_LIST = ";"


def read_value(wanted: Any, given: Any) -> Any:
    """Return what was given as the type of an option has it.

    Parameters
    ----------
    wanted
        Type of a field of an options dataclass: a literal, bool, int, float, str, a tuple of
        texts, or a union of these.
    given
        Text of a cell, or a value of JSON. The texts of a tuple are parted by ``;``.

    Raises
    ------
    ValueError
        With a phrase.
    """
    origin = get_origin(wanted)
    if origin in (Union, types.UnionType):
        return _one_of(get_args(wanted), given)
    if origin is Literal:
        names = [str(name) for name in get_args(wanted)]
        if given not in names:
            raise ValueError(f"{quoted(given)}: use {', '.join(names)}")
        return given
    if origin is tuple:
        return _texts(given)
    if wanted is bool:
        return read_switch(given)
    if wanted is int:
        return _whole(given)
    if wanted is float:
        number = read_number(given)
        if not math.isfinite(number):
            raise ValueError(f"{quoted(given)} is no number that can be used here")
        return number
    if wanted is not str:
        raise TypeError(f"options have no values of {wanted}")
    if isinstance(given, int) and not isinstance(given, bool):
        return str(given)  # the number of a person
    if not isinstance(given, str):
        raise ValueError(f"{quoted(given)} is no text")
    return given


def _one_of(types_: tuple[Any, ...], given: Any) -> Any:
    if given is None and type(None) in types_:
        return None
    faults = []
    for one in types_:
        if one is type(None):
            continue
        try:
            return read_value(one, given)
        except ValueError as error:
            faults.append(str(error))
    raise ValueError(", or ".join(faults))


def _texts(given: Any) -> list[str]:
    texts = given.split(_LIST) if isinstance(given, str) else given
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{quoted(given)}: write texts parted by {_LIST}")
    return [text.strip() for text in texts if text.strip()]


def _whole(given: Any) -> int:
    try:
        if isinstance(given, (bool, float)):
            raise ValueError
        return int(given)
    except (TypeError, ValueError):
        raise ValueError(f"{quoted(given)} is no whole number") from None
