"""Names as the schema spells them."""


def schema_name(name: str) -> str:
    """`stage_id` becomes `stageId`."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
