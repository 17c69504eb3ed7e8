"""The option that rewrites what stands beside the operations."""

import os

import pytest

OPTION = "--rewrite-operations"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(OPTION, action="store_true", help="write the results and statements of tests/operations anew")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption(OPTION) and os.environ.get("CI"):
        raise pytest.UsageError(f"{OPTION} is for people: in CI, results are compared and never rewritten")
