"""Commands about what tenants may use."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, NamedTuple

import typer
from rich.console import Console
from rich.table import Table

from gateway.cli.shared import one_sentence, out, run_as_owner
from gateway.commands.plans import (
    Change,
    Held,
    Listed,
    Value,
    Values,
    list_terms,
    set_own,
    set_plan,
    set_tenant_plan,
)
from gateway.commands.refusals import CommandRefusedError
from gateway.settings import load_settings
from gateway.terms import Mode

MOST_POINTS = 2**31 - 1
"""As many as an Int of the schema can say."""
WIDE = 200


class Wanted(StrEnum):
    """A mode, or the gateway's own."""

    OFF = Mode.OFF.value
    MEASURE = Mode.MEASURE.value
    ENFORCE = Mode.ENFORCE.value
    DEFAULT = "default"


def _number(value: Value) -> str:
    return f"{value:,}".replace(",", " ")


def _seconds(value: Value) -> str:
    return f"{value} s"


def _yes(value: Value) -> str:
    return "yes" if value else "no"


def _mode(value: Value) -> str:
    return str(value or Wanted.DEFAULT)


class Shown(NamedTuple):
    """The option that sets a part of a plan, and how its value is written."""

    option: str
    write: Callable[[Value], str]


SHOWN = {
    "bucket_points": Shown("points", _number),
    "points_per_second": Shown("rate", _number),
    "most_points": Shown("most", _number),
    "deadline_seconds": Shown("deadline", _seconds),
    "page_size": Shown("page-size", _number),
    "bulk_size": Shown("bulk-size", _number),
    "concurrency": Shown("concurrency", _number),
    "stale_instead": Shown("stale-instead", _yes),
    "mode": Shown("mode", _mode),
}


def list_() -> None:
    """Show the plans, and each tenant with terms of its own: what is empty there is as its plan says.

    Needs MIGRATION_DATABASE_URL (role owner).
    """
    with one_sentence():
        table = Table(box=None)
        for title in ("plan or tenant", "on plan"):
            table.add_column(title, no_wrap=True)
        for part in SHOWN.values():
            table.add_column(part.option, no_wrap=True, justify="right")
        for one in run_as_owner(load_settings(), list_terms):
            table.add_row(*_row(one))
        # Broader than many a terminal, and than what is known of a pipe: numbers are never cut off.
        Console(width=WIDE, highlight=False).print(table)


def set_(
    name: Annotated[str | None, typer.Argument(help="Name of a plan.")] = None,
    tenant: Annotated[
        str | None, typer.Option(help="Instead of a plan: slug of a tenant, whose own terms are set.")
    ] = None,
    points: Annotated[int | None, typer.Option(min=1, max=MOST_POINTS, help="Points that a budget holds.")] = None,
    rate: Annotated[int | None, typer.Option(min=1, max=MOST_POINTS, help="Points restored a second.")] = None,
    most: Annotated[
        int | None, typer.Option(min=1, max=MOST_POINTS, help="Points that one operation may cost.")
    ] = None,
    deadline: Annotated[
        int | None, typer.Option(min=1, max=3600, help="Seconds that one request may take in all.")
    ] = None,
    page_size: Annotated[int | None, typer.Option(min=1, max=100, help="Entries of one page of a list.")] = None,
    bulk_size: Annotated[
        int | None, typer.Option(min=1, max=10_000, help="Items of one change of many records.")
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(min=1, max=1000, help="Requests of a tenant at work at once in one process.")
    ] = None,
    stale_instead: Annotated[
        bool | None,
        typer.Option(
            "--stale-instead/--no-stale-instead",
            help="Over budget, answer with what is kept, overtaken or not, rather than refuse.",
        ),
    ] = None,
    mode: Annotated[
        Wanted | None, typer.Option(help="Of a tenant: what prices are for; default: as the gateway's settings say.")
    ] = None,
    clear: Annotated[
        bool, typer.Option("--clear", help="Take back a tenant's own terms, before others are set.")
    ] = False,
) -> None:
    """Set what the tenants of a plan may use, or one tenant alone. Every gateway goes by it at once.

    Needs MIGRATION_DATABASE_URL (role owner).
    """
    parts = (points, rate, most, deadline, page_size, bulk_size, concurrency, stale_instead)
    given: Values = {part: value for part, value in zip(SHOWN, parts, strict=False) if value is not None}
    with one_sentence():
        if (name is None) == (tenant is None):
            raise CommandRefusedError("Name either a plan (NAME) or a tenant (--tenant SLUG).")
        if not (given or mode or clear):
            raise CommandRefusedError("Nothing to set: say what, such as --points 30000; --help tells all.")
        if name is not None and (mode or clear):
            raise CommandRefusedError("--mode and --clear are about a tenant's own terms: name it by --tenant SLUG.")
        if mode is not None:
            given = {**given, "mode": None if mode is Wanted.DEFAULT else mode.value}
        _tell(name or tenant or "", _set(name, tenant, given, clear=clear))


def tenant_set_plan(
    slug: Annotated[str, typer.Argument(help="Slug of the tenant.")],
    plan: Annotated[str, typer.Argument(help="Plan, one of `gateway plans list`.")],
) -> None:
    """Put a tenant on another plan; its own terms stay. Needs MIGRATION_DATABASE_URL (role owner)."""
    with one_sentence():
        _tell(slug, run_as_owner(load_settings(), lambda owner: set_tenant_plan(owner, slug, plan)))


def _set(name: str | None, tenant: str | None, given: Values, *, clear: bool) -> Change:
    if tenant is not None:
        return run_as_owner(load_settings(), lambda owner: set_own(owner, tenant, given, clear=clear))
    return run_as_owner(load_settings(), lambda owner: set_plan(owner, name or "", given))


def _tell(name: str, change: Change) -> None:
    """A line for each part that is otherwise now."""
    before, after = _written(change.before), _written(change.after)
    differing = [f"  {part}: {before[part]} → {after[part]}" for part in after if before[part] != after[part]]
    out.print("\n".join([f"{name}:", *differing]) if differing else f"{name} is so already.")


def _written(held: Held) -> dict[str, str]:
    own = {part: ", its own" if part in held.own else "" for part in held.values}
    return {"plan": held.plan} | {
        SHOWN[part].option: f"{SHOWN[part].write(value)}{own[part]}" for part, value in held.values.items()
    }


def _row(one: Listed) -> list[str]:
    values = [one.values.get(part) for part in SHOWN]
    written = ["" if value is None else part.write(value) for part, value in zip(SHOWN.values(), values, strict=True)]
    return [one.name, one.plan or "", *written]
