"""How well the rules of answers do on labelled phrases (tests/accuracy/answers). Of the held-out half only the
table of all phrases together is shown: ``python -m tests.accuracy.test_answers`` prints it."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from grapevine.answers.classify import classify
from grapevine.domain.enums import ANSWER_CLASSES

LANGUAGES: Final = ("en", "fr", "nl", "de", "es")
FOLDER: Final = Path(__file__).parent / "answers"


class Scores(NamedTuple):
    """How many phrases there are, and of each class: how many it has, how many it was given, how many rightly."""

    phrases: int
    labelled: Counter[str]
    given: Counter[str]
    right: Counter[str]
    channels: int

    @property
    def accuracy(self) -> float:
        """The share of phrases with the right class."""
        return self.right.total() / self.phrases


def scores(half: str, language: str) -> Scores:
    """Returns how the rules do on one file."""
    labelled, given, right = Counter[str](), Counter[str](), Counter[str]()
    channels = 0
    with (FOLDER / half / f"{language}.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found = classify(row["text"])
            labelled[row["class"]] += 1
            given[found.name] += 1
            right[found.name] += found.name == row["class"]
            channels += (found.channel or "") == row["channel"]
    return Scores(labelled.total(), labelled, given, right, channels)


def table(half: str) -> str:
    """Returns precision and recall of each class as Markdown."""
    by_language = {language: scores(half, language) for language in LANGUAGES}
    lines = [f"| {half} | " + " | ".join(f"{each} P / R" for each in LANGUAGES) + " |", "|---" * 6 + "|"]
    for name in ANSWER_CLASSES:
        cells = [
            f"{_share(each.right[name], each.given[name])} / {_share(each.right[name], each.labelled[name])}"
            for each in by_language.values()
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    totals = [f"{each.accuracy:.3f} of {each.phrases}" for each in by_language.values()]
    channels = [f"{each.channels / each.phrases:.3f}" for each in by_language.values()]
    return "\n".join([*lines, f"| right class | {' | '.join(totals)} |", f"| right channel | {' | '.join(channels)} |"])


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2f}" if whole else "–"


@pytest.mark.parametrize("half", ["dev", "held_out"])
def test_most_phrases_have_the_right_class(half: str) -> None:
    least = {"dev": 0.95, "held_out": 0.8}[half]
    assert {
        language: found.accuracy for language in LANGUAGES if (found := scores(half, language)).accuracy < least
    } == {}


if __name__ == "__main__":
    for half in ("dev", "held_out"):
        print(table(half), end="\n\n")
