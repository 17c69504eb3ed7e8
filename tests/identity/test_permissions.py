from itertools import pairwise

import pytest

from gateway.identity.permissions import PERMISSIONS, Permission, Role

GRANTED = {
    Role.VIEWER: {Permission.READ},
    Role.REP: {Permission.READ, Permission.WRITE_OWN},
    Role.MANAGER: {Permission.READ, Permission.WRITE_OWN, Permission.WRITE_ALL},
    Role.ADMIN: set(Permission),
}


@pytest.mark.parametrize("role", Role)
def test_a_role_may_do_what_the_table_grants_and_nothing_else(role: Role) -> None:
    assert PERMISSIONS[role] == GRANTED[role]


def test_each_role_may_do_all_that_the_one_below_it_may() -> None:
    ranks = [PERMISSIONS[role] for role in (Role.VIEWER, Role.REP, Role.MANAGER, Role.ADMIN)]
    assert all(lower < higher for lower, higher in pairwise(ranks))
