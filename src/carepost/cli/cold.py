"""`carepost cold`: the S3-compatible bucket in which old bodies lie, sealed."""

import argparse

from carepost.cli.office import entry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = entry.verbs(parser)
    entry.verb(verbs, "show", "buckets, what lies in them, and whether they answer", org=False)
    choose = entry.verb(verbs, "set", "keep old bodies in this bucket from now on", org=False)
    choose.add_argument("--endpoint", required=True, metavar="URL", help="https://host or https://host:port")
    choose.add_argument("--region", default="us-east-1", help="as the store calls it (default us-east-1)")
    choose.add_argument("--bucket", required=True, help="it is there already, and keeps no former versions")
    choose.add_argument("--style", default="path", help="path: endpoint/bucket (default); host: bucket.endpoint")
    choose.add_argument("--ca", default="", metavar="FILE", help="PEM of the authority of its certificate")
    choose.add_argument("--access-key", required=True, metavar="ID", help="id of an access key for this bucket alone")
    choose.add_argument(
        "--secret-file", required=True, metavar="FILE", help="file with its secret in one line; - for standard input"
    )
    choose.add_argument(
        "--after-days", type=int, required=True, metavar="N", help="bodies that are older go there (0 to 3650)"
    )
    entry.verb(verbs, "check", "put, read and delete an object in the bucket", org=False)
    stop = entry.verb(verbs, "stop", "nothing more goes there; what lies there is read there", org=False)
    stop.add_argument("id", nargs="?", default="", metavar="ID", help="of the bucket (default: the one in use)")
    leave = entry.verb(verbs, "leave", "bring everything back, and delete it there", org=False)
    leave.add_argument("id", nargs="?", default="", metavar="ID", help="of the bucket (default: the one in use)")
    forget = entry.verb(verbs, "forget", "forget a bucket in which nothing lies, and its key", org=False)
    forget.add_argument("id", metavar="ID")


def run(args: argparse.Namespace) -> int:
    return entry.run("cold", args)
