"""Golden files: what a document holds, with ids, times and keys left out."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).parent / "golden"
Compare = Callable[[str, Any], None]


@pytest.fixture
def golden() -> Compare:
    """`golden("id_token", claims)` compares with golden/id_token.json.

    `GOLDEN=write pytest tests/protocol` writes the files anew: look at the difference.
    """

    def compare(name: str, value: Any) -> None:
        path = GOLDEN / f"{name}.json"
        text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
        if os.environ.get("GOLDEN") == "write":
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
        assert text == path.read_text("utf-8")

    return compare


def without(value: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return an object with what differs each time replaced by its name."""
    return {key: f"<{key}>" if key in names else found for key, found in value.items()}
