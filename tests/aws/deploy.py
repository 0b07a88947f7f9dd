"""Deploys the template to a running moto server, reads back what came of it, and checks that.

What moto does not keep is checked in the transformed template; each place says so.
"""

import argparse
import json
import os
import sys
from pathlib import Path

# SAM wants a region, though it asks nobody; and nothing is left beside the sources.
os.environ["AWS_DEFAULT_REGION"], sys.dont_write_bytecode = "eu-west-1", True

from botocore.exceptions import BotoCoreError, ClientError  # noqa: E402

import functions  # noqa: E402
import operation  # noqa: E402
import resources  # noqa: E402
from stack import Stack  # noqa: E402
from template import Wrong  # noqa: E402


def deployed(stack, packages):
    """What the functions' tests need to know, if everything is as it should be."""
    resources.check_parameters(stack)
    resources.check_resources(stack)
    stack.make(packages)
    found = functions.check_functions(stack)
    stream_filter = functions.check_event_sources(stack)
    functions.check_ticks(stack)
    resources.check_table(stack)
    resources.check_buckets(stack)
    resources.check_stream(stack)
    resources.check_queue(stack)
    resources.check_api(stack)
    resources.check_sign_in(stack)
    operation.check_alarms(stack)
    operation.check_dashboard(stack)
    return {
        "functions": found,
        "table": stack.ids["Table"],
        "stream": stack.ids["Stream"],
        "bucket": stack.ids["ArchiveBucket"],
        "failures_bucket": stack.ids["FailuresBucket"],
        "stream_filter": stream_filter,
        "outputs": stack.outputs,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--endpoint", required=True, help="URL of a running moto server")
    parser.add_argument("--packages", required=True, type=Path, help="folder with ingest/bootstrap and so on")
    parser.add_argument("--out", required=True, type=Path, help="where the result goes, as JSON")
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--stack", default="smtp-auth-report", help="the stack's name")
    given = parser.parse_args()
    parameters = dict(one.split("=", 1) for one in given.parameter)
    try:
        stack = Stack(given.stack, given.endpoint, parameters)
        result = deployed(stack, given.packages)
    except (Wrong, BotoCoreError, ClientError) as error:
        sys.exit(f"deploy: {error}")
    given.out.write_text(json.dumps(result, indent=2) + "\n")
    print(f"deploy: {len(stack.ids)} resources, all as they should be")


if __name__ == "__main__":
    main()
