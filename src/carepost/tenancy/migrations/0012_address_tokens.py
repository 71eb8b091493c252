from django.db import migrations, models

from carepost.tenancy.engine_views import create_before_tokens, create_tokens, drop_tokens


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0011_dkim_phases")]

    operations = [
        # SQLite makes a changed table anew, and no view may look at it meanwhile
        migrations.RunPython(drop_tokens, create_before_tokens),
        migrations.AddField("orgkey", "emptied_at", models.BigIntegerField(default=0, db_default=0)),
        migrations.AddField("suppression", "under", models.PositiveIntegerField(default=1, db_default=1)),
        migrations.AddField("suppression", "former", models.BinaryField(default=b"", db_default=b"", max_length=8)),
        migrations.RunPython(create_tokens, drop_tokens),
    ]
