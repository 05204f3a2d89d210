"""Sentences for people. Written in English here; `web` says them in the reader's language.

`str()` of a text is its English, and so is what logs, the terminal and machines get. `make
translations` collects the arguments of `marked` and `counted`, so they are literals.
"""

from typing import Any


class Text(str):
    """A sentence that remembers what it was made of: it stays one through `str()` and exceptions.

    `one` is the sentence with `%(name)s` places, `many` its plural, `values` what stands in the
    places; `count` chooses between the two.
    """

    __slots__ = ("many", "one", "values")
    one: str
    many: str | None
    values: dict[str, Any]

    def __new__(cls, one: str, many: str | None, values: dict[str, Any]) -> "Text":
        """Fill in the places of the English sentence."""
        shown = one if many is None or values["count"] == 1 else many
        text = super().__new__(cls, shown % values if values else shown)
        text.one, text.many, text.values = one, many, values
        return text

    def __deepcopy__(self, memo: object) -> "Text":
        """Be one's own copy: a text never changes."""
        return self

    def __str__(self) -> str:
        """Stay the text that can be translated: `str(error)` is what pages show."""
        return self


def marked(sentence: str, **values: Any) -> Text:
    """Return a sentence that can be said in another language; `%(name)s` places take `values`."""
    return Text(sentence, None, values)


def counted(one: str, many: str, count: int, **values: Any) -> Text:
    """Return a sentence about a number, which stands at `%(count)s`."""
    return Text(one, many, {"count": count, **values})
