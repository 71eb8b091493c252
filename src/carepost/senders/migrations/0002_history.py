import django.db.models.deletion
from django.db import migrations, models

import carepost.tenancy.models.base


def _row(*fields: tuple[str, models.Field]) -> list[tuple[str, models.Field]]:
    """What every table of an organisation's domains has, and these."""
    return [
        ('id', models.UUIDField(default=carepost.tenancy.models.base.fresh_id, editable=False, primary_key=True, serialize=False)),
        *fields,
        ('domain', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.senderdomain')),
        ('org', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.organisation')),
    ]


class Migration(migrations.Migration):

    dependencies = [
        ('senders', '0001_first'),
    ]

    operations = [
        migrations.CreateModel(
            name='Change',
            fields=_row(
                ('at', models.BigIntegerField(default=carepost.tenancy.models.base.now)),
                ('kind', models.CharField(max_length=10)),
                ('part', models.CharField(blank=True, max_length=20)),
                ('name', models.CharField(blank=True, max_length=300)),
                ('was', models.CharField(blank=True, max_length=12)),
                ('state', models.CharField(blank=True, max_length=12)),
                ('old', models.TextField(blank=True)),
                ('new', models.TextField(blank=True)),
                ('weaker', models.BooleanField(default=False)),
            ),
            options={
                'abstract': False,
                'constraints': [models.UniqueConstraint(fields=('org', 'id'), name='senders_change_org_id')],
                'indexes': [models.Index(fields=['org', 'domain', '-at'], name='senders_change_at')],
            },
        ),
        migrations.CreateModel(
            name='Standing',
            fields=_row(
                ('day', models.IntegerField()),
                ('right', models.PositiveIntegerField(default=0)),
                ('wrong', models.PositiveIntegerField(default=0)),
                ('unknown', models.PositiveIntegerField(default=0)),
                ('total', models.PositiveIntegerField(default=0)),
            ),
            options={
                'abstract': False,
                'constraints': [
                    models.UniqueConstraint(fields=('org', 'id'), name='senders_standing_org_id'),
                    models.UniqueConstraint(fields=('org', 'domain', 'day'), name='senders_standing_day'),
                ],
            },
        ),
    ]
