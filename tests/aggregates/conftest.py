"""The room of the lists: its deals are grouped here."""

from tests.lists.conftest import Room, room

__all__ = ["Room", "room"]
