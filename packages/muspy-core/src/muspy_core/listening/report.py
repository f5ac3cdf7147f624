"""Answers of listeners + key → means with 95 % confidence intervals, and shares of preference."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from muspy_core.listening.build import ListeningTestError

RESAMPLES = 10_000


@dataclasses.dataclass(frozen=True)
class Answer:
    """One answer.

    sounds: what was heard, in order. value: step of the scale from 1, or which sound was better, from 1 (0: neither).
    """

    listener: str
    question: int
    sounds: tuple[str, ...]
    value: int


@dataclasses.dataclass(frozen=True)
class Summary:
    """The result for one system (or pair of systems, "A > B") and one question.

    mean: of the ratings, or the share of A among the preferences. low, high: 95 % confidence interval. n: answers.
    """

    question: str
    system: str
    mean: float
    low: float
    high: float
    n: int
    listeners: int


def load_answers(paths: Iterable[str | os.PathLike[str]]) -> list[Answer]:
    """Read answers from the JSON or CSV files that listeners saved.

    Raises ListeningTestError, naming the file, for content that is no answers.
    """
    answers: list[Answer] = []
    for path in map(Path, paths):
        try:
            # Spreadsheets put a byte order mark at the start.
            text = path.read_text(encoding="utf-8-sig")
            is_csv = path.suffix.lower() == ".csv"
            rows = csv.DictReader(text.splitlines()) if is_csv else json.loads(text)["answers"]
            answers += [_answer(row) for row in rows]
        except (ValueError, KeyError, TypeError) as error:
            raise ListeningTestError(f"{path.name}: not answers of a listening test: {error!r}") from None
    return answers


def _answer(row: Mapping[str, Any]) -> Answer:
    sounds = row["sounds"].split(" ") if isinstance(row["sounds"], str) else row["sounds"]
    return Answer(str(row["listener"]), int(row["question"]), tuple(map(str, sounds)), int(row["value"]))


def summarize(
    answers: Sequence[Answer], key: Mapping[str, Any] | str | os.PathLike[str], *, seed: int = 0
) -> list[Summary]:
    """Return one summary for each question and system, or pair of systems.

    key: what `build_test` wrote, or its path. The intervals are percentiles of a bootstrap that draws listeners, since
    the answers of one listener are not independent; with a single listener there is no interval and both ends are
    NaN. The last answer counts if a listener answered twice. Raises ListeningTestError for answers that do not belong
    to the test of the key.
    """
    known = key if isinstance(key, Mapping) else _load_key(Path(key))
    latest = {(answer.listener, answer.question, frozenset(answer.sounds)): answer for answer in answers}
    rng = np.random.default_rng(seed)
    values: dict[tuple[int, str], dict[str, list[float]]] = {}
    for answer in latest.values():
        for system, value in _scores(answer, known):
            values.setdefault((answer.question, system), {}).setdefault(answer.listener, []).append(value)
    return [
        _summary(str(known["questions"][question]["text"]), system, by_listener, rng)
        for (question, system), by_listener in sorted(values.items())
    ]


def _load_key(path: Path) -> Mapping[str, Any]:
    try:
        key = json.loads(path.read_text(encoding="utf-8"))
        return {"questions": key["questions"], "sounds": key["sounds"]}
    except (ValueError, KeyError, TypeError) as error:
        raise ListeningTestError(f"{path.name}: not the key of a listening test: {error!r}") from None


def _scores(answer: Answer, key: Mapping[str, Any]) -> list[tuple[str, float]]:
    if not 0 <= answer.question < len(key["questions"]) or len(answer.sounds) not in (1, 2):
        raise ListeningTestError(f"the key has no such question: {answer}; is it the key of another test?")
    try:
        systems = [str(key["sounds"][sound]["system"]) for sound in answer.sounds]
    except KeyError as error:
        raise ListeningTestError(f"the key does not know the sound {error}; is it the key of another test?") from None
    if len(systems) == 1:
        steps = len(key["questions"][answer.question].get("scale", ()))
        if answer.value < 1 or (steps and answer.value > steps):
            raise ListeningTestError(f"a rating is from 1 to {steps}, got {answer.value}")
        return [(systems[0], float(answer.value))]
    first, second = systems
    share = {0: 0.5, 1: 1.0, 2: 0.0}.get(answer.value)
    if share is None:
        raise ListeningTestError(f"a preference is 0 (neither), 1 or 2, got {answer.value}")
    # One name for a pair, in whatever order it was heard.
    return [(f"{first} > {second}", share)] if first < second else [(f"{second} > {first}", 1.0 - share)]


def _summary(question: str, system: str, by_listener: Mapping[str, list[float]], rng: np.random.Generator) -> Summary:
    sums = np.array([sum(values) for values in by_listener.values()])
    counts = np.array([len(values) for values in by_listener.values()])
    low, high = _interval(sums, counts, rng)
    return Summary(question, system, float(sums.sum() / counts.sum()), low, high, int(counts.sum()), len(by_listener))


def _interval(sums: NDArray[np.float64], counts: NDArray[np.int64], rng: np.random.Generator) -> tuple[float, float]:
    if len(sums) < 2:
        return float("nan"), float("nan")
    drawn = rng.integers(0, len(sums), (RESAMPLES, len(sums)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
