"""Set the process up on a custody's database; the only place outside records that touches Django's machinery."""

import os

import django
from django.apps import apps
from django.core.management import call_command
from django.db import connections

from copyhold.config import settings as chosen
from copyhold.config.settings import Settings


def configure(settings: Settings) -> None:
    """Set Django up on a custody; called again, it closes that custody and turns to the other."""
    chosen.use(settings)
    os.environ["DJANGO_SETTINGS_MODULE"] = "copyhold.config.django"
    if not apps.ready:
        django.setup()
        return
    from copyhold.config.django import databases

    connections["default"].close()
    del connections["default"]
    connections.settings = connections.configure_settings(databases(settings))


def migrate() -> None:
    """Bring the custody's database to the form this version needs."""
    call_command("migrate", verbosity=0, interactive=False)


def close() -> None:
    """Let go of the database, so that its files can be moved or its server stopped."""
    connections.close_all()
