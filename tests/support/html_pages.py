"""Pages as a person without a graphical browser meets them: title, text, links and forms."""

from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

_CONTROLS = frozenset({"input", "textarea", "select", "button"})
_VOID = frozenset({"input", "meta", "link", "img", "br", "hr"})
_NOT_TEXT = frozenset({"script", "style", "title", "svg"})
_NEEDS_A_TICK = frozenset({"checkbox", "radio"})


@dataclass
class Control:
    """One field or button of a form."""

    kind: str
    name: str
    value: str
    attributes: dict[str, str]

    @property
    def button(self) -> bool:
        """Whether it sends the form."""
        return self.kind == "submit"

    @property
    def sent(self) -> bool:
        """Whether its value goes along when the form is sent by another control."""
        ticked = self.kind not in _NEEDS_A_TICK or "checked" in self.attributes
        return bool(self.name) and not self.button and "disabled" not in self.attributes and ticked


@dataclass
class Form:
    """A form, filled in by what each field is for."""

    action: str
    method: str
    controls: list[Control] = field(default_factory=list)

    def editable(self, token: str) -> Control | None:
        """Return the field whose `autocomplete` has `token` and that a person may fill in."""
        for control in self.controls:
            tokens = control.attributes.get("autocomplete", "").split()
            if (
                token in tokens
                and "readonly" not in control.attributes
                and control.kind != "hidden"
            ):
                return control
        return None

    def fill(self, token: str, value: str) -> None:
        """Fill in the field for `token` (an autocomplete token). Raises LookupError."""
        control = self.editable(token)
        if control is None:
            raise LookupError(f"No field for {token}.")
        control.value = value

    def named(self, name: str) -> Control:
        """Return the control called `name`. Raises LookupError."""
        for control in self.controls:
            if control.name == name:
                return control
        raise LookupError(f"No field called {name}.")

    def button(self, name: str, value: str) -> Control | None:
        """Return the button that sends `name=value`."""
        for control in self.controls:
            if control.button and (control.name, control.value) == (name, value):
                return control
        return None

    def values(self, pressed: Control | None = None) -> list[tuple[str, str]]:
        """Return what is sent when `pressed` is clicked (no button: Enter)."""
        sent = [(control.name, control.value) for control in self.controls if control.sent]
        if pressed is not None and pressed.name:
            sent.append((pressed.name, pressed.value))
        return sent


@dataclass
class Document:
    """What a page says. `menus` are the forms below it, the same on every page."""

    title: str = ""
    text: str = ""
    links: dict[str, str] = field(default_factory=dict)
    forms: list[Form] = field(default_factory=list)
    menus: list[Form] = field(default_factory=list)


def parse(html: str) -> Document:
    """Read a page."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    words = " ".join("".join(reader.words).split())
    title = " ".join("".join(reader.title).split())
    return Document(title, words, reader.links, reader.forms, reader.menus)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title: list[str] = []
        self.words: list[str] = []
        self.links: dict[str, str] = {}
        self.forms: list[Form] = []
        self.menus: list[Form] = []
        self._below = False
        self._form: Form | None = None
        self._silent: list[str] = []
        self._link: tuple[str, int] | None = None
        self._textarea: Control | None = None
        self._starts: dict[str, Callable[[dict[str, str]], None]] = {
            "form": self._start_form,
            "a": self._start_link,
        }

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag in _NOT_TEXT:
            self._silent.append(tag)
        if tag == "footer":
            self._below = True
        if tag in self._starts:
            self._starts[tag](attributes)
        elif tag in _CONTROLS:
            self._control(tag, attributes)
        if tag not in {"bdi", "strong", "em", "small", "span", "code"}:
            self.words.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if self._silent and self._silent[-1] == tag:
            self._silent.pop()
        if tag == "footer":
            self._below = False
        elif tag == "form":
            self._form = None
        elif tag == "textarea":
            self._textarea = None
        elif tag == "a" and self._link is not None:
            href, start = self._link
            self.links[" ".join("".join(self.words[start:]).split())] = href
            self._link = None

    def handle_data(self, data: str) -> None:
        if self._silent:
            if self._silent[-1] == "title":
                self.title.append(data)
            return
        if self._textarea is not None:
            self._textarea.value += data
        self.words.append(data)

    def _start_form(self, attributes: dict[str, str]) -> None:
        method = attributes.get("method", "get").upper()
        self._form = Form(attributes.get("action", ""), method)
        (self.menus if self._below else self.forms).append(self._form)

    def _start_link(self, attributes: dict[str, Any]) -> None:
        if "href" in attributes:
            self._link = (attributes["href"], len(self.words))

    def _control(self, tag: str, attributes: dict[str, str]) -> None:
        usual = {"input": "text", "button": "submit"}.get(tag, tag)
        kind = attributes.get("type", usual).lower()
        control = Control(kind, attributes.get("name", ""), attributes.get("value", ""), attributes)
        if kind in _NEEDS_A_TICK:
            control.value = attributes.get("value", "on")
        if tag == "textarea":
            self._textarea = control
        if self._form is not None:
            self._form.controls.append(control)
