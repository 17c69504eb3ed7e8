"""How many entries of a list a caller may ask for."""

from gateway.api.context import Info
from gateway.errors import BadUserInputError


def page_size(info: Info, first: int | None, *, default: int) -> int:
    """The wanted number of entries. Raises BAD_USER_INPUT for a negative one or one above the limit."""
    limit = info.context.page_size_limit
    size = min(default, limit) if first is None else first
    if not 0 <= size <= limit:
        raise BadUserInputError(f"`first` must be from 0 to {limit}; it is {size}.", extensions={"path": ["first"]})
    return size
