"""The columns that the demo writes, in the order of its rows; triggers and defaults fill the others."""

Row = tuple[object, ...]


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


COLUMNS = {
    "members": _names("tenant_id id email name role team region active password_hash created_at"),
    "companies": _names(
        "tenant_id id owner_id name industry region website employees created_at updated_at deleted_at"
    ),
    "contacts": _names("tenant_id id company_id owner_id name email phone title created_at updated_at"),
    "pipelines": _names("tenant_id id name is_default created_at"),
    "stages": _names("tenant_id id pipeline_id name position probability kind"),
    "products": _names("tenant_id id name series unit_price created_at"),
    "deals": _names(
        "tenant_id id pipeline_id stage_id owner_id company_id name amount expected_close "
        "created_at stage_entered_at closed_at updated_at deleted_at version"
    ),
    "deal_products": _names("tenant_id deal_id product_id quantity amount"),
    "demo_moves": _names("deal_id position stage_id moved_at member_id"),
    "activities": _names("tenant_id kind subject body owner_id company_id contact_id deal_id occurred_at created_at"),
    "tasks": _names("tenant_id title priority owner_id company_id deal_id due_at completed_at created_at updated_at"),
}
