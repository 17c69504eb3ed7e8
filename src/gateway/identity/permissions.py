"""What each role may do: the one table of it.

Every role reads its whole tenant; roles differ in what they write. What concerns several tenants, or a
tenant's plan, is no role's: it belongs to the command line.
"""

from enum import StrEnum


class Role(StrEnum):
    """A member's role within their tenant."""

    VIEWER = "viewer"
    REP = "rep"
    MANAGER = "manager"
    ADMIN = "admin"


class Permission(StrEnum):
    """Something that a role may or may not do within its tenant."""

    READ = "read"
    WRITE_OWN = "write_own"
    WRITE_ALL = "write_all"
    MANAGE_MEMBERS = "manage_members"
    MANAGE_PIPELINES = "manage_pipelines"
    OPERATE = "operate"


PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset({Permission.READ}),
    Role.REP: frozenset({Permission.READ, Permission.WRITE_OWN}),
    Role.MANAGER: frozenset({Permission.READ, Permission.WRITE_OWN, Permission.WRITE_ALL}),
    Role.ADMIN: frozenset(Permission),
}
