"""What every condition of every filter means, in plain Python over raw rows."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias

from gateway.api.ids import encode_id
from tests.lists.rows import Rows

Row: TypeAlias = Mapping[str, Any]
Condition = Callable[[Rows, Row, Any], bool]
"""(rows of the tenant, the row, the value as it stands in the variables) to whether the row is meant."""


def _ids(type_name: str, column: str) -> Condition:
    return lambda _, row, ids: row[column] is not None and encode_id(type_name, row[column]) in ids


def _words(column: str) -> Condition:
    return lambda _, row, words: row[column] in words


def _choices(column: str) -> Condition:
    return lambda _, row, choices: row[column].upper() in choices


def _owner(column: str) -> Condition:
    def holds(rows: Rows, row: Row, words: list[str]) -> bool:
        owner = rows.tables["members"].get(row["owner_id"])
        return owner is not None and owner[column] in words

    return holds


def _industry(rows: Rows, row: Row, words: list[str]) -> bool:
    company = rows.tables["companies"].get(row["company_id"])
    return company is not None and company["industry"] in words


def _amount(_: Rows, row: Row, wanted: dict[str, str | None]) -> bool:
    least, most = wanted.get("min"), wanted.get("max")
    if row["amount"] is None:
        return least is None and most is None
    return (least is None or row["amount"] >= Decimal(least)) and (most is None or row["amount"] <= Decimal(most))


def _local_days(column: str) -> Condition:
    return lambda rows, row, wanted: _within(rows.day(row[column]), wanted)


def _days(column: str) -> Condition:
    return lambda _, row, wanted: _within(row[column], wanted)


def _within(day: date | None, wanted: dict[str, str]) -> bool:
    return day is not None and date.fromisoformat(wanted["from"]) <= day < date.fromisoformat(wanted["to"])


def _search(*columns: str) -> Condition:
    return lambda _, row, text: any(
        text.lower() in row[column].lower() for column in columns if row[column] is not None
    )


def _outcome(rows: Rows, row: Row, choices: list[str]) -> bool:
    return rows.tables["stages"][row["stage_id"]]["kind"].upper() in choices


def _status(_: Rows, row: Row, status: str) -> bool:
    return (row["completed_at"] is None) == (status == "OPEN")


def _active(_: Rows, row: Row, active: bool) -> bool:
    return bool(row["active"]) is active


CONDITIONS: Mapping[str, Mapping[str, Condition]] = {
    "deals": {
        "ids": _ids("Deal", "id"),
        "pipelineIds": _ids("Pipeline", "pipeline_id"),
        "stageIds": _ids("Stage", "stage_id"),
        "ownerIds": _ids("Member", "owner_id"),
        "companyIds": _ids("Company", "company_id"),
        "teams": _owner("team"),
        "regions": _owner("region"),
        "industries": _industry,
        "outcomes": _outcome,
        "amount": _amount,
        "created": _local_days("created_at"),
        "closed": _local_days("closed_at"),
        "expectedClose": _days("expected_close"),
        "search": _search("name"),
    },
    "companies": {
        "ids": _ids("Company", "id"),
        "ownerIds": _ids("Member", "owner_id"),
        "teams": _owner("team"),
        "industries": _words("industry"),
        "regions": _words("region"),
        "created": _local_days("created_at"),
        "search": _search("name"),
    },
    "contacts": {
        "ids": _ids("Contact", "id"),
        "companyIds": _ids("Company", "company_id"),
        "ownerIds": _ids("Member", "owner_id"),
        "search": _search("name", "email"),
    },
    "activities": {
        "ids": _ids("Activity", "id"),
        "kinds": _choices("kind"),
        "ownerIds": _ids("Member", "owner_id"),
        "teams": _owner("team"),
        "companyIds": _ids("Company", "company_id"),
        "contactIds": _ids("Contact", "contact_id"),
        "dealIds": _ids("Deal", "deal_id"),
        "occurred": _local_days("occurred_at"),
        "search": _search("subject"),
    },
    "tasks": {
        "ids": _ids("Task", "id"),
        "ownerIds": _ids("Member", "owner_id"),
        "teams": _owner("team"),
        "companyIds": _ids("Company", "company_id"),
        "dealIds": _ids("Deal", "deal_id"),
        "priorities": _choices("priority"),
        "status": _status,
        "due": _local_days("due_at"),
        "search": _search("title"),
    },
    "members": {
        "ids": _ids("Member", "id"),
        "roles": _choices("role"),
        "teams": _words("team"),
        "regions": _words("region"),
        "active": _active,
        "search": _search("name", "email"),
    },
}


def chosen(rows: Rows, table: str, wanted: Mapping[str, Any]) -> set[int]:
    """Keys of the rows that are not deleted and meet every condition."""
    conditions = CONDITIONS[table]
    return {
        row["id"]
        for row in rows.alive(table)
        if all(conditions[name](rows, row, value) for name, value in wanted.items())
    }


def _some_ids(type_name: str) -> list[list[str]]:
    few = [encode_id(type_name, key) for key in (1, 2, 3, 9, 999_999)]
    return [[], few[:1], few, few[-1:], [few[0], few[0]]]


_SETS = [[], ["East"], ["East", "West", "Norden"], ["east"], ["%"]]
_REGIONS = [[], ["Süd"], ["North", "Süd"]]
_INDUSTRIES = [[], ["Energy"], ["energy"], ["Energy", "Retail", "energy"]]
_RANGES = [
    {"from": "2024-03-31", "to": "2024-04-01"},
    {"from": "2024-04-01", "to": "2024-04-05"},
    {"from": "1900-01-01", "to": "1900-01-02"},
    {"from": "2019-01-01", "to": "2029-01-01"},
    {"from": "9998-01-01", "to": "9999-12-31"},
]
_SEARCHES = ["alpha", "", "%", "_", "\\", "zzz"]

VALUES: Mapping[str, list[Any]] = {
    "pipelineIds": _some_ids("Pipeline"),
    "stageIds": _some_ids("Stage"),
    "ownerIds": _some_ids("Member"),
    "companyIds": _some_ids("Company"),
    "contactIds": _some_ids("Contact"),
    "dealIds": _some_ids("Deal"),
    "teams": _SETS,
    "regions": _REGIONS,
    "industries": _INDUSTRIES,
    "outcomes": [[], ["WON"], ["OPEN", "LOST"], ["OPEN", "WON", "LOST"]],
    "kinds": [[], ["CALL"], ["EMAIL", "MEETING"], ["CALL", "EMAIL", "MEETING", "NOTE"]],
    "priorities": [[], ["HIGH"], ["LOW", "NORMAL", "HIGH"]],
    "roles": [[], ["VIEWER"], ["REP", "ADMIN", "MANAGER"]],
    "status": ["OPEN", "DONE"],
    "active": [True, False],
    "amount": [
        {},
        {"min": "0"},
        {"max": "100"},
        {"min": "100", "max": "100.0001"},
        {"min": "100", "max": "100"},
        {"min": "12345678901234.5678"},
        {"min": "9" * 30},
        {"max": "-1"},
        {"min": None, "max": "99.99"},
    ],
    **dict.fromkeys(("created", "closed", "expectedClose", "occurred", "due"), _RANGES),
    "search": _SEARCHES,
}
"""Values to try for each condition: those that select nothing, one, some and everything."""


def values_of(type_name: str, condition: str) -> list[Any]:
    return _some_ids(type_name) if condition == "ids" else VALUES[condition]
