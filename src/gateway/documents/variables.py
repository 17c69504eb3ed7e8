"""How long the lists of a request's variables may be: looked at before the executor reads them one by one."""

from collections.abc import Mapping
from typing import Any

from gateway.errors import BadUserInputError


def check_lists(variables: Mapping[str, Any], most_entries: int) -> None:
    """Raises BAD_USER_INPUT: reading ten thousand inputs would hold up all other requests of the process."""
    nested = 0
    unseen: list[tuple[tuple[str | int, ...], Any]] = [((name,), value) for name, value in variables.items()]
    while unseen:
        path, value = unseen.pop()
        if isinstance(value, Mapping):
            unseen += [((*path, name), part) for name, part in value.items()]
        elif isinstance(value, list):
            if len(value) > most_entries:
                raise _refused(path, f"`{path[-1]}` has at most {most_entries} entries; it has {len(value)}.")
            inputs = [((*path, index), part) for index, part in enumerate(value) if isinstance(part, Mapping | list)]
            nested += len(inputs)
            if nested > most_entries:
                raise _refused(path, f"The lists of the variables hold more than {most_entries} inputs together.")
            unseen += inputs


def _refused(path: tuple[str | int, ...], message: str) -> BadUserInputError:
    told = {"path": list(path), "message": message}
    return BadUserInputError(message, extensions={"path": list(path), "problems": [told]})
