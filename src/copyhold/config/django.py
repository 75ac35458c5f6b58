"""Django's settings, made from the one frozen value in copyhold.config.settings.

SQLite: write-ahead log; synchronous=FULL, so that an acknowledged act survives a loss of power; BEGIN IMMEDIATE, so
that acts wait for each other at their first statement and not at their last. A reading makes its own deferred.
"""

from typing import Any

from copyhold.config.settings import Settings, current


def databases(settings: Settings) -> dict[str, Any]:
    """Describe the custody's database to Django."""
    if settings.dsn is not None:
        return {"default": _postgresql(settings.dsn)}
    return {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": settings.database_file,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 60,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
            },
        }
    }


def _postgresql(dsn: str) -> dict[str, Any]:
    from psycopg.conninfo import conninfo_to_dict

    told: dict[str, Any] = dict(conninfo_to_dict(dsn))
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    described = {name: str(told.pop(key, None) or "") for name, key in names.items()}
    return {"ENGINE": "django.db.backends.postgresql", **described, "OPTIONS": told}


DATABASES = databases(current())
INSTALLED_APPS = ["copyhold.records.apps.RecordsConfig"]
SECRET_KEY = current().secret_key
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
