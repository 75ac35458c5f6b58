"""Worlds for attacks, on both databases."""

from tests.actions.conftest import bare, four_eyes, world

__all__ = ["bare", "four_eyes", "world"]
