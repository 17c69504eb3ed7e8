"""How many entries of a list a caller may ask for."""

from gateway.api.context import Info
from gateway.errors import BadUserInputError


def page_size(
    info: Info, wanted: int | None, *, default: int, argument: str = "first", limit: int | None = None
) -> int:
    """The wanted number of entries. Raises BAD_USER_INPUT for a negative one or one above the limit of a page."""
    most = info.context.page_size_limit if limit is None else limit
    size = min(default, most) if wanted is None else wanted
    if not 0 <= size <= most:
        raise BadUserInputError(
            f"`{argument}` must be from 0 to {most}; it is {size}.", extensions={"path": [argument]}
        )
    return size
