from django.db import migrations, models

# plain SQL, the same on both databases: to add a column that is not null Django would copy SQLite's table whole
_ADD = (
    "ALTER TABLE archive_delivery ADD COLUMN content varchar(16) DEFAULT '' NOT NULL",
    "ALTER TABLE archive_delivery ADD COLUMN tags text DEFAULT '' NOT NULL",
    "ALTER TABLE archive_delivery ADD COLUMN opened varchar(12) DEFAULT '' NOT NULL",
    "ALTER TABLE archive_delivery ADD COLUMN clicked varchar(12) DEFAULT '' NOT NULL",
)


class Migration(migrations.Migration):
    dependencies = [("archive", "0006_packs")]

    operations = [
        migrations.RunSQL(
            list(_ADD),
            migrations.RunSQL.noop,
            state_operations=[
                migrations.AddField("delivery", "content", models.CharField(db_default="", default="", max_length=16)),
                migrations.AddField("delivery", "tags", models.TextField(db_default="", default="")),
                migrations.AddField("delivery", "opened", models.CharField(db_default="", default="", max_length=12)),
                migrations.AddField("delivery", "clicked", models.CharField(db_default="", default="", max_length=12)),
            ],
        ),
        migrations.AddIndex(
            "delivery",
            models.Index(
                fields=[
                    "org_id", "message", "content", "opened", "clicked", "state", "provider", "method", "assurance",
                ],
                name="archive_delivery_marks",
                condition=models.Q(content__gt="") | models.Q(opened__gt="") | models.Q(clicked__gt=""),
            ),
        ),
    ]
