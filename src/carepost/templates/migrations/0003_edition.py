import carepost.tenancy.models.base
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("templates", "0002_engine_view")]

    operations = [
        migrations.CreateModel(
            name="Edition",
            fields=[
                ("id", models.UUIDField(default=carepost.tenancy.models.base.fresh_id, editable=False, primary_key=True, serialize=False)),
                ("lineage", models.UUIDField()),
                ("created_at", models.BigIntegerField(default=carepost.tenancy.models.base.now)),
                ("removed_at", models.BigIntegerField(default=0)),
                ("written", models.BinaryField()),
                ("org", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenancy.organisation")),
                ("template", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="editions", to="templates.template")),
                ("version", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="edition", to="templates.version")),
            ],
            options={"abstract": False},
        ),
        migrations.AddIndex("edition", models.Index(fields=["org", "template"], name="templates_edition_template")),
        migrations.AddConstraint(
            "edition", models.UniqueConstraint(fields=("org", "id"), name="templates_edition_org_id")
        ),
        migrations.AddConstraint(
            "edition", models.UniqueConstraint(fields=("org", "version"), name="templates_edition_version")
        ),
    ]
