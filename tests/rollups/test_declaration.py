"""A rollup that could not be exact is refused when it is declared, with the reason."""

from collections.abc import Mapping
from typing import Any

import asyncpg
import pytest

from gateway.rollups.declaration import Contribution, DeclarationError, Key, Measure, Rollup, Table, count, total
from gateway.rollups.declared import ROLLUPS
from gateway.rollups.render import by_table
from tests.conftest import Database

SALES = Table("sales", frozenset({"amount", "shop_id", "kind", "day", "sold_at", "e", "date", "now"}))
NOT_FOLDING = ("avg", "min", "max", "count", "sum", "stddev", "median", "array_agg", "string_agg", "mode")


def declare(
    *,
    name: str = "takings",
    where: str = "true",
    measures: Mapping[str, Measure] | None = None,
    by: Mapping[str, str] | None = None,
    **changes: Any,
) -> Rollup:
    """A rollup of sales by shop that is right but for what is given."""
    contribution = Contribution(where, {"sales": count()} if measures is None else measures, by or {})
    given: dict[str, Any] = {"keys": (Key("shop_id"),), "contributions": (contribution,), "comment": "Takings."}
    return Rollup(name, SALES, **given | changes)


def refusal(**declaration: Any) -> str:
    """Why it is refused, without the name of the rollup."""
    with pytest.raises(DeclarationError) as refused:
        declare(**declaration)
    return str(refused.value).removeprefix("takings: ")


def refusal_of(expression: str) -> str:
    """Why an expression is refused. It is as a measure, as a filter, and as a key."""
    reasons = {
        refusal(measures={"value": total(expression)}),
        refusal(measures={"value": total("amount", expression)}),
        refusal(where=expression),
        refusal(by={"shop_id": expression}),
    }
    assert len(reasons) == 1, reasons
    return reasons.pop().removeprefix(f"in `{expression}`, ")


@pytest.mark.parametrize(
    "expression",
    [
        "amount",
        "AMOUNT * 2 - 0.5",
        "coalesce(amount, 0)",
        "greatest(amount, nullif(shop_id, 0), abs(-1))",
        "day - date '2000-01-01'",
        "CASE WHEN kind IN ('call', 'e_mail') THEN (amount + 1) ELSE 0 END",
        "sold_at IS NOT NULL AND NOT sold_at is null",
        "kind IS NOT DISTINCT FROM 'won' OR shop_id <> 3",
        "shop_id::numeric / 3",
        "now",
    ],
)
def test_what_is_immutable_and_the_rows_own_is_accepted(expression: str) -> None:
    assert declare(where=expression, measures={"value": total(expression, expression)}, by={"shop_id": expression})


def test_an_unknown_column_is_refused() -> None:
    assert refusal_of("price") == "sales has no column price"
    assert refusal(keys=(Key("region"),), contributions=(Contribution("true", {"sales": count()}),)) == (
        "in `region`, sales has no column region"
    )


@pytest.mark.parametrize("column", ["shops.region", "shops . region", "sales.amount", "public.sales.amount"])
def test_another_tables_column_is_refused(column: str) -> None:
    assert refusal_of(column) == f"{column} is another table's column: join it at read time, or copy it"


@pytest.mark.parametrize("function", NOT_FOLDING)
@pytest.mark.parametrize("call", ["{}(amount)", "{}(DISTINCT amount)", "{} (amount) FILTER (WHERE true)", "1 + {}(1)"])
def test_what_does_not_fold_is_refused(function: str, call: str) -> None:
    reason = f"{function} does not fold: declare sums and counts, divide at read time"
    assert refusal_of(call.format(function)) == reason
    assert refusal_of(call.format(function.upper())) == reason


@pytest.mark.parametrize(
    "call",
    [
        *("now()", "random()", "timezone('UTC', sold_at)", "date(sold_at)", "date_trunc('day', sold_at)"),
        *("row_number() OVER ()", "lag(amount) OVER ()", "to_char(amount, '9')", "current_setting('x')", "app()"),
    ],
)
def test_a_function_that_is_not_known_to_be_immutable_is_refused(call: str) -> None:
    name = call.partition("(")[0]
    assert refusal_of(call) == f"{name}() is not known to be immutable"


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("current_date", "sales has no column current_date"),
        ("LOCALTIMESTAMP", "sales has no column LOCALTIMESTAMP"),
        ("session_user", "sales has no column session_user"),
        ("xmin", "sales has no column xmin"),
        ("(SELECT 1)", "sales has no column SELECT"),
        ("DISTINCT amount", "sales has no column DISTINCT"),
        ("amount OVER w", "sales has no column OVER"),
        ("ARRAY[amount]", "sales has no column ARRAY"),
        ("amount COLLATE nocase", "sales has no column COLLATE"),
        ("amount AT TIME ZONE kind", "sales has no column AT"),
        ("interval '1 day'", "sales has no column interval"),
        ("timestamptz '2000-01-01'", "sales has no column timestamptz"),
        ("U&'x'", "sales has no column U"),
        ("1e5", "1 is not known to be immutable"),
        ("0x1F", "0 is not known to be immutable"),
        ('"now"()', '" is not known to be immutable'),
        ('"amount"', '" is not known to be immutable'),
        ("amount; DROP TABLE sales", "; is not known to be immutable"),
        ("$$x$$", "$ is not known to be immutable"),
        ("$1", "$ is not known to be immutable"),
        ("amount[1]", "[ is not known to be immutable"),
        ("amount::text", ": is not known to be immutable"),
        ("day::timestamptz", ": is not known to be immutable"),
        ("kind::regclass", ": is not known to be immutable"),
        ("sold_at::date", "sold_at is an instant, whose day depends on the session: only IS NULL is the same for all"),
        ("amount -- and nothing else", "-- is not known to be immutable"),
        ("amount /* + */ + 1", "/* is not known to be immutable"),
        ("kind % 'won'", "% is not known to be immutable"),
        ("kind <-> kind", "<-> is not known to be immutable"),
        ("kind || shop_id", "|| is not known to be immutable"),
        ("kind ~ 'won'", "~ is not known to be immutable"),
        ("amount=-1", "=- is not known to be immutable"),
        ("ämount", "ä is not known to be immutable"),
        ("kind = 'unclosed", "' is not known to be immutable"),
    ],
)
def test_what_could_hide_a_change_is_refused(expression: str, reason: str) -> None:
    assert refusal_of(expression) == reason


@pytest.mark.parametrize(
    "expression",
    ["sold_at", "SOLD_AT < day", "day - sold_at", "coalesce(sold_at, day)", "sold_at IS DISTINCT FROM sold_at"],
)
def test_an_instant_is_used_only_to_tell_whether_it_is_there(expression: str) -> None:
    name = "SOLD_AT" if "SOLD_AT" in expression else "sold_at"
    assert refusal_of(expression) == (
        f"{name} is an instant, whose day depends on the session: only IS NULL is the same for all"
    )


@pytest.mark.parametrize(
    "text",
    [
        *("'today'", "'TODAY'", "' today '", "'now'", "'tomorrow_'", "'_yesterday'", "'epoch'", "'infinity'", "'-inf'"),
        *("'NaN'", "'2000-01-01'", "'5'", "'it''s'", "'new\\'", "'Jan 8'"),
    ],
)
def test_a_text_that_may_be_read_as_a_day_or_a_number_is_refused(text: str) -> None:
    reason = f"{text} may be read as something that changes: a plain word, a number or date 'YYYY-MM-DD' does not"
    assert refusal_of(f"day = {text}") == reason
    assert refusal(keys=(Key("day", "date", absent=text),)) == f"in `{text}`, {reason}"


@pytest.mark.parametrize("before", ["date", "e", "day", "'to'", "1", "(day)"])
def test_a_text_is_not_read_as_something_else(before: str) -> None:
    word = ")" if before == "(day)" else before
    assert refusal_of(f"{before} 'day'") == f"'day' stands behind {word}, which may change what it is"


@pytest.mark.parametrize("expression", ["amount, 1", "amount) + (1", "(amount", "amount)", "1), (2"])
def test_an_expression_is_one_expression(expression: str) -> None:
    assert refusal_of(expression) == f"{expression} is not one expression"


@pytest.mark.parametrize("expression", ["", "  ", "amount\n+ 1", "amount\n\n;"])
def test_an_expression_stands_on_one_line(expression: str) -> None:
    assert refusal_of(expression) == "one line is expected"


def test_a_key_that_is_none_is_refused() -> None:
    assert refusal(keys=(Key("shop_id"),), contributions=(Contribution("true", {"n": count()}, {"shop": "1"}),)) == (
        "shop is no key of it"
    )
    assert refusal(indexes=(("amount",),)) == "amount is no key of it"


def test_without_a_key_or_a_measure_there_is_nothing_to_sum() -> None:
    reason = "needs at least one key and one measure"
    assert [refusal(measures={}), refusal(contributions=()), refusal(keys=())] == [reason] * 3


def test_no_two_columns_have_one_name() -> None:
    names = "names two of its columns"
    assert refusal(keys=(Key("shop_id"), Key("shop_id"))) == f"shop_id {names}"
    assert refusal(measures={"shop_id": count()}) == f"shop_id {names}"
    assert refusal(measures={"tenant_id": count()}) == f"tenant_id {names}"
    other = Contribution("true", {"sales": total("amount")})
    assert refusal(contributions=(*declare().contributions, other)) == "sales is bigint and numeric"


@pytest.mark.parametrize("name", ["", "Takings", "takings2", "a b", "a;b", 'a"', "rollup.takings", "x" * 42, "é"])
def test_an_odd_name_is_refused(name: str) -> None:
    reason = f"{name!r} is not a name: lower-case letters and underscores"
    assert refusal(name=name) == reason
    assert refusal(measures={name: count()}) == reason
    assert refusal(keys=(Key(name),)) == reason
    with pytest.raises(DeclarationError, match="is not a name"):
        Rollup("takings", Table(name, SALES.columns), (Key("shop_id"),), declare().contributions, "")


def test_a_type_whose_sums_are_not_exact_is_refused() -> None:
    assert refusal(measures={"value": total("amount", sql_type="double precision")}) == (
        "value is double precision, and exact sums are bigint, integer or numeric"
    )
    assert refusal(keys=(Key("day", "timestamptz"),)) == (
        "day is timestamptz, and a key is bigint, boolean, date, integer or text"
    )


def test_a_comment_stands_on_one_line() -> None:
    assert refusal(comment="It ends;\n\nDROP TABLE sales") == "its comment has more than one line"


def test_a_contribution_depends_on_its_columns_however_they_are_written() -> None:
    rollup = declare(where="SOLD_AT IS NULL", measures={"value": total("Coalesce(AMOUNT, 0)", "kind = 'day'")})
    assert rollup.columns(rollup.contributions[0]) == {"sold_at", "amount", "kind", "shop_id"}


def test_no_two_rollups_have_one_name() -> None:
    assert len({rollup.name for rollup in ROLLUPS}) == len(ROLLUPS)


COLUMNS = """
SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
 WHERE attrelid = to_regclass('public.' || $1) AND attnum > 0 AND NOT attisdropped
"""


@pytest.mark.parametrize("table", by_table(ROLLUPS), ids=lambda table: table.name)
async def test_the_declared_columns_are_there_and_instants_are_named_so(database: Database, table: Table) -> None:
    async with database.as_owner() as owner:
        types = dict(await owner.fetch(COLUMNS, table.name))
    assert table.columns - types.keys() == frozenset()
    assert types["tenant_id"] == types["id"] == "bigint"
    instants = {name for name in table.columns if types[name].startswith(("timestamp", "time", "interval"))}
    assert instants == {name for name in table.columns if name.endswith("_at")}


@pytest.mark.parametrize("rollup", ROLLUPS, ids=lambda rollup: rollup.name)
async def test_postgresql_too_takes_every_expression_for_immutable(database: Database, rollup: Rollup) -> None:
    async with database.as_owner() as owner:
        for each in rollup.contributions:
            for expression in [*rollup.expressions(each), *(rollup.key_expression(key, each) for key in rollup.keys)]:
                await owner.execute(f"CREATE INDEX ON {rollup.table.name} (({expression}))")
        with pytest.raises(asyncpg.InvalidObjectDefinitionError, match="must be marked IMMUTABLE"):
            await owner.execute(f"CREATE INDEX ON {rollup.table.name} ((coalesce({expression}::text, now()::text)))")


@pytest.mark.parametrize("rollup", ROLLUPS, ids=lambda rollup: rollup.name)
async def test_sums_and_keys_are_of_the_types_of_theirexpressions(database: Database, rollup: Rollup) -> None:
    """A type narrower than the expression's would round each sum, and rounded sums do not fold."""
    whole = {"bigint": {"bigint", "integer"}, "integer": {"integer"}, "numeric": {"numeric", "bigint", "integer"}}
    async with database.as_owner() as owner:

        async def type_of(expression: str) -> str:
            values = f"SELECT ({expression}) AS value FROM {rollup.table.name}"
            query = f"SELECT pg_typeof(value)::text FROM (SELECT) AS one LEFT JOIN ({values}) AS v ON true"
            return str(await owner.fetchval(query))

        for each in rollup.contributions:
            for key in rollup.keys:
                assert await type_of(rollup.key_expression(key, each)) == key.sql_type
            for measure in each.measures.values():
                assert await type_of(measure.expression) in whole[measure.sql_type]
