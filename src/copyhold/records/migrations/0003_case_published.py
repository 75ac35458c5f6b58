"""When a case became public: from then on the cells in it are spent."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Made by makemigrations."""

    dependencies = [("records", "0002_append_only")]

    operations = [
        migrations.AddField(
            model_name="case",
            name="published_at",
            field=models.DateTimeField(null=True),
        ),
    ]
