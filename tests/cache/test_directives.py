"""What `Cache-Control` of a request asks for; what is not well-formed asks for nothing."""

from itertools import permutations
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.cache.directives import NONE, Wishes, wishes

SHORT = settings(max_examples=100, deadline=None)

WISHES = {
    "": NONE,
    "no-cache": Wishes(fresh=True),
    "no-store": Wishes(keep=False),
    "no-cache, no-store": Wishes(fresh=True, keep=False),
    "max-age=0": Wishes(fresh=True, max_age_seconds=0.0),
    "max-age=000": Wishes(fresh=True, max_age_seconds=0.0),
    "max-age=60": Wishes(max_age_seconds=60.0),
    'max-age="60"': Wishes(max_age_seconds=60.0),
    "max-age = 60": Wishes(max_age_seconds=60.0),
    "max-stale": Wishes(max_stale_seconds=inf),
    "max-stale=0": NONE,
    "max-stale=30": Wishes(max_stale_seconds=30.0),
    "max-age=60, max-stale=30": Wishes(max_age_seconds=60.0, max_stale_seconds=30.0),
    "no-transform, max-age=60, only-if-cached": Wishes(max_age_seconds=60.0),
}


@pytest.mark.parametrize("header", WISHES)
def test_directives_ask_for_what_http_says(header: str) -> None:
    assert wishes(header) == WISHES[header]


@SHORT
@given(st.lists(st.sampled_from(sorted(WISHES)), max_size=1), st.sampled_from(["", " ", "\t ", ",", ", ,"]))
def test_capitals_and_white_space_do_not_matter(headers: list[str], space: str) -> None:
    for header in headers:
        assert wishes(f"{space}{header.upper().replace(',', f' {space},')}{space}") == wishes(header)


STRICTER = {
    ("max-age=5", "max-age=60"): Wishes(max_age_seconds=5.0),
    ("max-age=9", "max-age=10"): Wishes(max_age_seconds=9.0),
    ("max-age=0", "max-age=60"): Wishes(fresh=True, max_age_seconds=0.0),
    ("max-age=0", "max-age"): Wishes(fresh=True, max_age_seconds=0.0),
    ("max-age=5", "max-age=x"): Wishes(max_age_seconds=5.0),
    ("max-stale=5", "max-stale=60"): Wishes(max_stale_seconds=5.0),
    ("max-stale=5", "max-stale"): Wishes(max_stale_seconds=5.0),
    ("max-stale=0", "max-stale"): NONE,
    ("no-cache", "max-age=60", "max-stale"): Wishes(True, max_age_seconds=60.0, max_stale_seconds=inf),
}


@pytest.mark.parametrize("directives", STRICTER)
def test_of_two_the_stricter_counts_in_whatever_order(directives: tuple[str, ...]) -> None:
    for ordered in permutations(directives):
        assert wishes(", ".join(ordered)) == STRICTER[directives], ordered


RUBBISH = [
    "max-age",
    "max-age=",
    "max-age=-1",
    "max-age=1.5",
    "max-age=1e3",
    "max-age=٣",
    "max-age=5 6",
    "max-age=5; x",
    'max-age="',
    "max-age=9999999999999999999999",
    "max-stale=x",
    "max-stale=-5",
    "max-stale=9999999999999999999999",
    "maxage=0",
    "no-cache2",
    "no_cache",
    "no-cache;",
    "x-no-cache",
    "=",
    "=no-cache",
    '"no-cache"',
    "no cache",
    "public",
    "s-maxage=0",
]


@pytest.mark.parametrize("header", RUBBISH)
def test_what_is_not_well_formed_or_not_known_asks_for_nothing(header: str) -> None:
    assert wishes(header) == NONE
    assert wishes(f"{header}, no-store") == Wishes(keep=False)


@SHORT
@given(st.text(st.sampled_from('nomax-cgetl=,"; \t019é\x00'), max_size=60))
def test_no_header_is_an_error(header: str) -> None:
    found = wishes(header)
    assert found.max_age_seconds >= 0
    assert found.max_stale_seconds >= 0


def test_a_refresh_asks_for_a_new_answer_whatever_else_is_said() -> None:
    for header in ("", "max-age=60", "max-stale"):
        assert wishes(header, refresh=True).fresh


def test_an_answer_is_accepted_up_to_the_age_that_was_asked_for() -> None:
    asked = Wishes(max_age_seconds=5.0, max_stale_seconds=2.0)
    assert [asked.accept(age) for age in (0.0, 5.0, 5.1)] == [True, True, False]
    assert [asked.accept_stale(age) for age in (0.0, 2.0, 2.1)] == [True, True, False]
    assert [NONE.accept(1e9), NONE.accept_stale(0.1), NONE.accept_stale(0.0)] == [True, False, False]


def test_who_wants_a_new_answer_gets_no_kept_one() -> None:
    asked = wishes("no-cache, max-stale")
    assert [asked.accept(0.0), asked.accept_stale(0.0)] == [False, False]
