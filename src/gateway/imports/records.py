"""What can be imported: the types of records and their fields, as the tables have them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["text", "email", "integer", "decimal", "date", "instant", "choice", "reference", "stage"]

EMAIL_LIMIT = 254
EXTERNAL_ID_LIMIT = 255


@dataclass(frozen=True, slots=True)
class Field:
    """`limit`: most characters. `choices`: the values of a choice. `target`: the records a reference points to.

    `default`: SQL for a new record when the file has no value; a known record then keeps its own.
    `create_only`: written with a new record, and never again.
    """

    kind: Kind = "text"
    limit: int = EXTERNAL_ID_LIMIT
    required: bool = False
    choices: tuple[str, ...] = ()
    target: str = ""
    default: str | None = None
    create_only: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """`singular`: for messages. `key`: the field that tells records apart, unique within a tenant.

    `key_from`: the field that the key is taken from where the mapping gives none. `unique`: fields that no two
    records share. `found_by`: the fields a reference may use. `on_sight`: columns and SQL of a record that is
    created because another one names it; `{value}` is that name, `{label}` the text it was made from.
    """

    singular: str
    key: str
    fields: Mapping[str, Field]
    key_from: str | None = None
    unique: tuple[str, ...] = ()
    found_by: tuple[str, ...] = ()
    on_sight: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    keeps_updated_at: bool = True
    is_deletable: bool = True


EXTERNAL_ID = Field(required=True)
NAME = Field(limit=500, required=True)
MEMBER = Field("reference", target="members")
OWNER = Field("reference", target="members", required=True)
COMPANY = Field("reference", target="companies")
CONTACT = Field("reference", target="contacts")
DEAL = Field("reference", target="deals")
CREATED_AT = Field("instant", default="now()")
AMOUNT = Field("decimal")

RECORDS: Mapping[str, Record] = {
    "members": Record(
        singular="member",
        key="email",
        fields={
            "email": Field("email", limit=EMAIL_LIMIT, required=True),
            "name": Field(limit=200, required=True),
            # An import must not take an administrator's role away.
            "role": Field("choice", choices=("viewer", "rep", "manager", "admin"), required=True, create_only=True),
            "team": Field(limit=200),
            "region": Field(limit=200),
        },
        found_by=("email", "name"),
        on_sight={"email": {"email": "{value}", "name": "left({label}, 200)", "role": "'rep'"}},
        keeps_updated_at=False,
        is_deletable=False,
    ),
    "companies": Record(
        singular="company",
        key="external_id",
        key_from="name",
        fields={
            "external_id": EXTERNAL_ID,
            "name": NAME,
            "industry": Field(limit=200),
            "region": Field(limit=200),
            "website": Field(limit=2000),
            "employees": Field("integer"),
            "owner": MEMBER,
            "created_at": CREATED_AT,
        },
        found_by=("external_id", "name"),
        on_sight={
            "external_id": {"external_id": "{value}", "name": "{value}"},
            "name": {"external_id": "{value}", "name": "{value}"},
        },
    ),
    "contacts": Record(
        singular="contact",
        key="external_id",
        key_from="email",
        fields={
            "external_id": EXTERNAL_ID,
            "name": NAME,
            "email": Field("email", limit=EMAIL_LIMIT),
            "phone": Field(limit=50),
            "title": Field(limit=200),
            "company": COMPANY,
            "owner": MEMBER,
            "created_at": CREATED_AT,
        },
        found_by=("external_id", "email", "name"),
    ),
    "products": Record(
        singular="product",
        key="name",
        fields={
            "name": Field(limit=200, required=True),
            "external_id": Field(),
            "series": Field(limit=200),
            "unit_price": AMOUNT,
        },
        unique=("external_id",),
        found_by=("name", "external_id"),
        on_sight={"name": {"name": "{value}"}},
        keeps_updated_at=False,
    ),
    "deals": Record(
        singular="deal",
        key="external_id",
        fields={
            "external_id": EXTERNAL_ID,
            "name": NAME,
            "amount": AMOUNT,
            "pipeline": Field(limit=200, required=True),
            "stage": Field("stage", limit=200, required=True),
            "owner": OWNER,
            "company": COMPANY,
            "product": Field("reference", target="products"),
            "expected_close": Field("date"),
            # Without a date, a deal that was closed in the past was created then at the latest.
            "created_at": Field("instant", default="least(now(), {closed_at})"),
            "closed_at": Field("instant"),
        },
        found_by=("external_id", "name"),
    ),
    "activities": Record(
        singular="activity",
        key="external_id",
        fields={
            "external_id": EXTERNAL_ID,
            "kind": Field("choice", choices=("call", "email", "meeting", "note"), required=True),
            "subject": NAME,
            "body": Field(limit=100_000),
            "owner": OWNER,
            "company": COMPANY,
            "contact": CONTACT,
            "deal": DEAL,
            "occurred_at": Field("instant", required=True),
        },
        keeps_updated_at=False,
    ),
    "tasks": Record(
        singular="task",
        key="external_id",
        fields={
            "external_id": EXTERNAL_ID,
            "title": NAME,
            "priority": Field("choice", choices=("low", "normal", "high"), default="'normal'"),
            "owner": OWNER,
            "company": COMPANY,
            "deal": DEAL,
            "due_at": Field("instant"),
            "completed_at": Field("instant"),
            "created_at": CREATED_AT,
        },
    ),
}
