"""JSON objects that strangers send (RFC 8259), read as strictly as two readers need to see the same
in them (I-JSON, RFC 7493): no name twice, no number or text that can't be stored.
"""

import json
import math
import re
from typing import Any

DEEPEST = 16
_TEXTS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)
"""Texts, the last one ended or not: what no reading begins twice takes time by its length alone."""
_BRACKETS = re.compile(r"[\[\]{}]")


class NotAnObject(Exception):
    """It is not such an object. The message may be shown to whoever sent it."""


def read_object(body: bytes) -> dict[str, Any]:
    """Return the object that `body` is. Raises NotAnObject."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotAnObject("The body must be UTF-8.") from error
    if _depth(text) > DEEPEST:
        raise NotAnObject(f"The body is nested deeper than {DEEPEST} levels.")
    try:
        value = _DECODER.decode(text)
    except ValueError as error:
        raise NotAnObject("The body must be JSON, with no name twice in an object.") from error
    if not isinstance(value, dict):
        raise NotAnObject("The body must be a JSON object.")
    if not _is_storable(value):
        raise NotAnObject("The body holds a number or a text that JSON can't carry safely.")
    return value


def _depth(text: str) -> int:
    """Return how deep it goes, before a parser that recurses sees it."""
    deepest = here = 0
    for bracket in _BRACKETS.findall(_TEXTS.sub("", text)):
        here += 1 if bracket in "[{" else -1
        deepest = max(deepest, here)
    return deepest


def _is_storable(value: Any) -> bool:
    """Whether there is no infinite number, half a character or NUL in it."""
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= sign <= "\udfff" for sign in value)
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(map(_is_storable, [*value.keys(), *value.values()]))
    return all(map(_is_storable, value)) if isinstance(value, list) else True


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name comes twice")
    return members


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse)
