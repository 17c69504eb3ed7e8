"""What an expression of a contribution may hold: columns of its row, constants, and operations that are immutable.

All else is refused: what is not known to mean the same in every session and for ever may mean something else.
"""

import re
from collections.abc import Collection, Iterator

FUNCTIONS = frozenset({"coalesce", "nullif", "greatest", "least", "abs"})

WORDS = frozenset(
    {
        *("and", "or", "not", "is", "null", "true", "false", "in", "between"),
        *("case", "when", "then", "else", "end"),
    }
)

OPERATORS = frozenset({"+", "-", "*", "/", "=", "<>", "!=", "<", "<=", ">", ">="})

AGGREGATES = frozenset(
    {
        *("avg", "min", "max", "count", "sum", "stddev", "variance", "median", "mode"),
        *("percentile_cont", "percentile_disc", "array_agg", "string_agg"),
    }
)

# Texts that become another day tomorrow, or a number that no subtraction takes away again.
CHANGING = frozenset({"now", "today", "tomorrow", "yesterday", "epoch", "infinity", "inf", "nan", "allballs"})

TOKEN = re.compile(
    r"""(?P<day>\bdate\s*'\d{4}-\d\d-\d\d')
      | (?P<text>'(?:[^']|'')*')
      | (?P<number>\d+(?:\.\d+)?(?![\w.]))
      | (?P<distinct>\bis\s+(?:not\s+)?distinct\s+from\b)
      | (?P<cast>::\s*(?:bigint|integer|numeric)\b)
      | (?P<name>[a-z_]\w*(?:\s*\.\s*\w+)*)
      | (?P<mark>[(),])
      | (?P<operator>[-+*/<>=~!@\#%^&|`?]+)
      | (?P<other>\S)""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)


def columns_of(expression: str) -> set[str]:
    """The names in an expression, in the lower case that SQL reads them in."""
    return {word.lower() for kind, word in _tokens(expression) if kind == "name"} - WORDS - FUNCTIONS


def faults(expression: str, table: str, columns: Collection[str]) -> Iterator[str]:
    """Why an expression is refused; nothing when it may stand. It may use `columns` of `table`."""
    tokens = _tokens(expression)
    if not tokens or "\n" in expression:
        yield "one line is expected"
    for index, (kind, word) in enumerate(tokens):
        before, after = tokens[:index], tokens[index + 1 :]
        if kind == "name":
            yield from _name_faults(word, [following.lower() for _kind, following in after[:3]], table, columns)
        elif kind == "text":
            yield from _text_faults(word, before)
        elif kind == "other" or (kind == "operator" and word not in OPERATORS):
            yield f"{word} is not known to be immutable"
    yield from _nesting_faults(expression, [word for kind, word in tokens if kind == "mark"])


def _tokens(expression: str) -> list[tuple[str, str]]:
    return [(match.lastgroup or "", match.group()) for match in TOKEN.finditer(expression)]


def _name_faults(name: str, after: list[str], table: str, columns: Collection[str]) -> Iterator[str]:
    word = name.lower()
    if "." in word:
        yield f"{name} is another table's column: join it at read time, or copy it"
    elif word in AGGREGATES and word not in columns:
        yield f"{word} does not fold: declare sums and counts, divide at read time"
    elif after[:1] == ["("]:
        if word not in FUNCTIONS | WORDS:
            yield f"{word}() is not known to be immutable"
    elif word not in WORDS and word not in columns:
        yield f"{table} has no column {name}"
    elif word.endswith("_at") and after[:2] != ["is", "null"] and after != ["is", "not", "null"]:
        # Beside a day or a text, an instant is read in the session's time zone.
        yield f"{name} is an instant, whose day depends on the session: only IS NULL is the same for all"


def _text_faults(text: str, before: list[tuple[str, str]]) -> Iterator[str]:
    kind, word = before[-1] if before else ("operator", "")
    if word == ")" or not (kind in {"operator", "mark", "distinct"} or word.lower() in WORDS):
        yield f"{text} stands behind {word}, which may change what it is"
    # PostgreSQL skips punctuation in a day, and a text beside a day is read as one.
    elif not re.fullmatch(r"'[A-Za-z_]*'", text) or CHANGING.intersection(text.strip("'").lower().split("_")):
        yield f"{text} may be read as something that changes: a plain word, a number or date 'YYYY-MM-DD' does not"


def _nesting_faults(expression: str, marks: list[str]) -> Iterator[str]:
    depth = 0
    for mark in marks:
        depth += {"(": 1, ")": -1}.get(mark, 0)
        if depth < 0 or (mark == "," and depth == 0):
            break
    else:
        if depth == 0:
            return
    yield f"{expression} is not one expression"
