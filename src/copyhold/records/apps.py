"""The one Django application of the custody's rows."""

import pkgutil
from importlib import import_module

from django.apps import AppConfig


class RecordsConfig(AppConfig):
    """Find the rows of every noun, so that none can be forgotten and no package has to list them."""

    name = "copyhold.records"
    label = "records"

    def import_models(self) -> None:
        """Import each module of records.models."""
        super().import_models()
        assert self.models_module is not None  # noqa: S101 - for the type checker: the package exists
        for module in pkgutil.iter_modules(self.models_module.__path__):
            import_module(f"{self.models_module.__name__}.{module.name}")
