"""Results: as JSON for the record, as a table for people."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from bench.load import Run
from bench.works import Work

FOLDER = Path(__file__).parent / "results"
_WIDTHS = (8, 9, 9, 6, 9, 7, 6, 9)


def summary(runs: Sequence[Run]) -> dict[str, float]:
    """Return the medians of some runs; latencies in milliseconds, `cpu` as a part of one core."""
    return {
        "per_second": round(median(run.rate for run in runs), 1),
        "p50_ms": round(median(run.p50 for run in runs), 2),
        "p99_ms": round(median(run.p99 for run in runs), 2),
        "cpu": round(median(run.processor / run.seconds for run in runs), 2),
    }


def compared(pairs: Sequence[tuple[Run, Run]]) -> dict[str, float]:
    """Return the medians of our runs, and of their ratios to the bare ones right before them.

    `ratio_of_cost` compares processor time for each answer: waiting for the disk is not in it.
    """
    return summary([own for _, own in pairs]) | {
        "ratio": round(median(own.rate / floor.rate for floor, own in pairs), 3),
        "ratio_of_cost": round(median(floor.cost / own.cost for floor, own in pairs), 3),
    }


def write(results: Mapping[str, Any], name: str) -> Path:
    """Write the results and return where they are."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.json"
    path.write_text(json.dumps(results, indent=2) + "\n")
    return path


def table(results: Mapping[str, Any], works: Iterable[Work]) -> str:
    """Return what was reached beside what is asked."""
    heads = zip(
        ("/s", "p50 ms", "p99 ms", "CPU", "reached", "first", "must", "by cost"),
        _WIDTHS,
        strict=True,
    )
    lines = [" " * 42 + "".join(f"{head:>{width}}" for head, width in heads)]
    for name, found in results["bare"].items():
        lines.append(_row(f"bare Flask, {name}", found) + f"{1:>9.2f}")
    for work in works:
        found = results["works"][work.name]
        ratio = f"{found['ratio']:>9.2f}{work.first:>7.2f}{work.must:>6.2f}"
        lines.append(_row(work.title, found) + ratio + f"{found['ratio_of_cost']:>9.2f}")
    return "\n".join([*lines, *_asides(results)])


def _row(title: str, found: Mapping[str, Any]) -> str:
    return (
        f"{title:42}{found['per_second']:>8.0f}{found['p50_ms']:>9.2f}{found['p99_ms']:>9.1f}"
        f"{found['cpu']:>6.2f}"
    )


def _pair(found: Mapping[str, float]) -> str:
    return f"p50 {found['p50_ms']:.1f} p99 {found['p99_ms']:.1f} ms"


def _against(found: Mapping[str, Any]) -> str:
    return (
        f"{found['per_second']:.1f}/s, argon2 alone {found['argon2_per_second']:.1f}/s, "
        f"reached {found['ratio']:.2f}, by cost {found['ratio_of_cost']:.2f}; "
        f"{found['beside_argon2_ms']:.1f} ms beside argon2"
    )


def _refusals(found: Mapping[str, Mapping[str, float]]) -> list[str]:
    head = f"{'refused sign-in':42}{'tries':>8}{'median ms':>11}{'p90 ms':>9}{'slower':>9}"
    lines = [f"{head}{'p':>8}{'distance':>10}"]
    for kind, told in found.items():
        numbers = f"{told['tries']:>8}{told['median_ms']:>11.2f}{told['p90_ms']:>9.2f}"
        apart = f"{told['slower_than_wrong']:>9.3f}{told['p']:>8.3f}{told['distance']:>10.3f}"
        lines.append(f"{kind:42}{numbers}{apart}")
    return lines


def _asides(results: Mapping[str, Any]) -> list[str]:
    server, machine = results["server"], results["machine"]
    lines = []
    if found := results.get("sign_in"):
        lines += [
            f"password signs in: {_against(found)} (first 0.70, must 0.80)",
            f"whole sign-in ({found['whole']['requests_each']} requests): "
            f"{_against(found['whole'])}",
        ]
    if found := results.get("crowd"):
        lines.append(
            f"introspection, {found['per_second']:.0f}/s: alone {_pair(found['alone'])}, beside "
            f"200 who sign in {_pair(found['beside'])}; they were answered {found['answers']}"
        )
    if found := results.get("timing"):
        lines += _refusals(found)
    memory = server["memory_mb"]
    lines += [
        f"memory after start (PSS): master {memory['master']} MB, workers {memory['workers']} MB; "
        f"ready after {server['seconds_to_ready']:.2f} s",
        f"{results['database']}, fdatasync {machine['fdatasync_us']} µs; {machine['processor']}, "
        f"load {machine['load']:.1f}; Python {machine['python']}",
    ]
    return lines
