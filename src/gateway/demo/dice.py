"""Draws that the standard library makes too slowly for millions of rows, from tables made once."""

import math
from collections.abc import Sequence
from random import Random
from statistics import NormalDist
from typing import TypeVar

T = TypeVar("T")

_STEPS = 4096
_NORMAL = [NormalDist().inv_cdf((step + 0.5) / _STEPS) for step in range(_STEPS)]


class Dice:
    """Every draw of one tenant, in one order."""

    def __init__(self, seed: str) -> None:
        self.source = Random(seed)  # noqa: S311 - a seed makes the demo repeatable; nothing here is secret
        self.random = self.source.random

    def normal(self) -> float:
        """Mean 0, deviation 1."""
        return _NORMAL[int(self.random() * _STEPS)]

    def log_normal(self, sigma: float) -> float:
        """Median 1."""
        return math.exp(sigma * _NORMAL[int(self.random() * _STEPS)])

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self.random() * len(options))]

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` up to, without, `high`; `low` where there is none."""
        return low + int(self.random() * (high - low)) if high > low else low
