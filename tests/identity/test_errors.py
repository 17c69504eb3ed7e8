import re
from pathlib import Path

import pytest

from gateway.errors import STAGES, GatewayError, LoginBusyError, NotFoundError, catalogue

PAGE = Path(__file__).parents[2] / "docs" / "errors.md"


def documented() -> list[tuple[str, str, int, str, str]]:
    """(stage, code, status, cause, remedy) of each row, in the order of the page."""
    rows, stage = [], ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"## (\w+):", line):
            stage = heading[1]
        if line.startswith("| `"):
            code, status, cause, remedy = (cell.strip() for cell in line.strip("|").split("|"))
            rows.append((stage, code.strip("`"), int(status), cause, remedy))
    return rows


def test_the_page_documents_each_error_once_as_the_code_has_it() -> None:
    assert documented() == [(e.stage, e.code, e.status, e.cause, e.remedy) for e in catalogue()]


def test_codes_are_unique() -> None:
    codes = [error.code for error in catalogue()]
    assert sorted(set(codes)) == sorted(codes)


@pytest.mark.parametrize("error", catalogue(), ids=lambda error: error.code)
def test_an_error_is_complete(error: type[GatewayError]) -> None:
    assert re.fullmatch(r"[A-Z]+(_[A-Z]+)*", error.code)
    assert error.stage in STAGES
    assert 400 <= error.status < 600
    assert re.fullmatch(r"[A-Z`][^|\n]*\.", error.cause)
    assert re.fullmatch(r"[A-Z`][^|\n]*\.", error.remedy)


@pytest.mark.parametrize("error", catalogue(), ids=lambda error: error.code)
def test_an_error_without_a_message_says_what_happened_and_what_to_do(error: type[GatewayError]) -> None:
    assert str(error()) == error().message == f"{error.cause} {error.remedy}"


def test_an_error_keeps_its_message_and_public_data() -> None:
    error = NotFoundError("There is no such deal. Use another id.", extensions={"path": ["id"]})
    assert (error.message, error.retry_after_seconds, error.extensions) == (
        "There is no such deal. Use another id.",
        None,
        {"path": ["id"]},
    )


def test_what_can_be_retried_says_so_and_after_how_long() -> None:
    error, later = LoginBusyError(), NotFoundError(retry_after_seconds=7)
    assert (error.retry_after_seconds, error.extensions) == (1, {"retryable": True})
    assert (later.retry_after_seconds, later.extensions) == (7, {"retryable": True})
