from django.db import migrations, models

from carepost.tenancy.engine_views import create_v2, create_v3, drop_v2, drop_v3


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0003_pins")]

    operations = [
        # SQLite makes a changed table anew, and no view may look at it meanwhile
        migrations.RunPython(drop_v2, create_v2),
        migrations.AddField("rule", "more", models.TextField(blank=True, default="")),
        migrations.RunPython(create_v3, drop_v3),
    ]
