import carepost.tenancy.models.base
import django.db.models.deletion
from django.db import migrations, models

from carepost.engagement.views_sql import create, drop


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('tenancy', '0009_suppression'),
    ]

    operations = [
        migrations.CreateModel(
            name='Account',
            fields=[
                ('id', models.UUIDField(default=carepost.tenancy.models.base.fresh_id, editable=False, primary_key=True, serialize=False)),
                ('counts', models.CharField(default='not-automated', max_length=16)),
                ('changed_at', models.BigIntegerField(default=carepost.tenancy.models.base.now)),
                ('leaf', models.BigIntegerField(default=-1)),
                ('org', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.organisation')),
            ],
            options={
                'abstract': False,
                'constraints': [models.UniqueConstraint(fields=('org', 'id'), name='engagement_account_org_id'), models.UniqueConstraint(fields=('org',), name='engagement_account_one')],
            },
        ),
        migrations.CreateModel(
            name='Copy',
            fields=[
                ('id', models.UUIDField(default=carepost.tenancy.models.base.fresh_id, editable=False, primary_key=True, serialize=False)),
                ('delivery', models.UUIDField()),
                ('message', models.UUIDField(null=True)),
                ('category', models.CharField(blank=True, max_length=20)),
                ('domain', models.BinaryField(default=b'', max_length=8)),
                ('day', models.IntegerField(default=0)),
                ('sent_at', models.BigIntegerField(default=0)),
                ('links', models.IntegerField(default=0)),
                ('decoy', models.BooleanField(default=False)),
                ('hits', models.IntegerField(default=0)),
                ('due_at', models.BigIntegerField(default=0)),
                ('judged_at', models.BigIntegerField(default=0)),
                ('rules', models.IntegerField(default=0)),
                ('opened', models.CharField(blank=True, max_length=12)),
                ('clicked', models.CharField(blank=True, max_length=12)),
                ('org', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.organisation')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['due_at'], name='engagement_copy_due'), models.Index(fields=['org', 'message'], name='engagement_copy_message'), models.Index(fields=['org', 'domain', 'sent_at'], name='engagement_copy_domain'), models.Index(fields=['org', 'day', 'category'], name='engagement_copy_day')],
                'constraints': [models.UniqueConstraint(fields=('org', 'id'), name='engagement_copy_org_id'), models.UniqueConstraint(fields=('org', 'delivery'), name='engagement_copy_delivery')],
            },
        ),
        migrations.CreateModel(
            name='Hit',
            fields=[
                ('id', models.UUIDField(default=carepost.tenancy.models.base.fresh_id, editable=False, primary_key=True, serialize=False)),
                ('delivery', models.UUIDField()),
                ('kind', models.CharField(max_length=6)),
                ('role', models.CharField(max_length=12)),
                ('link', models.IntegerField(default=0)),
                ('at', models.BigIntegerField()),
                ('last_at', models.BigIntegerField()),
                ('count', models.IntegerField(default=1)),
                ('mark', models.BinaryField(max_length=8)),
                ('sealed', models.BinaryField()),
                ('verdict', models.CharField(blank=True, max_length=12)),
                ('reason', models.CharField(blank=True, max_length=40)),
                ('confidence', models.IntegerField(default=0)),
                ('org', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.organisation')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['org', 'delivery', 'at'], name='engagement_hit_delivery'), models.Index(fields=['org', 'at'], name='engagement_hit_at')],
                'constraints': [models.UniqueConstraint(fields=('org', 'id'), name='engagement_hit_org_id')],
            },
        ),
        migrations.CreateModel(
            name='Host',
            fields=[
                ('id', models.UUIDField(default=carepost.tenancy.models.base.fresh_id, editable=False, primary_key=True, serialize=False)),
                ('domain', models.CharField(max_length=255)),
                ('host', models.CharField(max_length=255)),
                ('changed_at', models.BigIntegerField(default=carepost.tenancy.models.base.now)),
                ('org', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.organisation')),
            ],
            options={
                'abstract': False,
                'constraints': [models.UniqueConstraint(fields=('org', 'id'), name='engagement_host_org_id'), models.UniqueConstraint(fields=('org', 'domain'), name='engagement_host_domain')],
            },
        ),
        migrations.CreateModel(
            name='Sent',
            fields=[
                ('id', models.UUIDField(default=carepost.tenancy.models.base.fresh_id, editable=False, primary_key=True, serialize=False)),
                ('day', models.IntegerField()),
                ('category', models.CharField(max_length=20)),
                ('what', models.CharField(max_length=6)),
                ('count', models.IntegerField(default=0)),
                ('org', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.organisation')),
            ],
            options={
                'abstract': False,
                'constraints': [models.UniqueConstraint(fields=('org', 'id'), name='engagement_sent_org_id'), models.UniqueConstraint(fields=('org', 'day', 'category', 'what'), name='engagement_sent_day')],
            },
        ),
        migrations.CreateModel(
            name='Watch',
            fields=[
                ('id', models.UUIDField(default=carepost.tenancy.models.base.fresh_id, editable=False, primary_key=True, serialize=False)),
                ('category', models.CharField(max_length=20)),
                ('opens', models.CharField(max_length=6)),
                ('clicks', models.CharField(max_length=6)),
                ('attestation', models.BinaryField()),
                ('changed_at', models.BigIntegerField(default=carepost.tenancy.models.base.now)),
                ('org', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='tenancy.organisation')),
            ],
            options={
                'abstract': False,
                'constraints': [models.UniqueConstraint(fields=('org', 'id'), name='engagement_watch_org_id'), models.UniqueConstraint(fields=('org', 'category'), name='engagement_watch_category')],
            },
        ),
        migrations.RunPython(create, drop),
    ]
