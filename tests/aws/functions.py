"""Functions, what their roles allow that no function can be caught doing, and what invokes them.

The tests that run the functions with these environments and roles see whether permissions for items, archives and mails
are the ones that are needed.
"""

import ast
import json
import re

from expect import has, holds, listed, same
from template import ACCOUNT, FUNCTIONS, PROGRAMS, REGION, ROOT


def check_functions(stack):
    """Gives what a run of each function needs."""
    existing = [kind for _, kind in stack.existing()]
    same("number of functions", existing.count("AWS::Lambda::Function"), len(FUNCTIONS))
    return {name: check_function(stack, name) for name in FUNCTIONS}


def check_function(stack, name):
    title, logs = name.capitalize(), stack.ids[f"{name.capitalize()}Logs"]
    found = stack.client("lambda").get_function_configuration(FunctionName=stack.ids[f"{title}Function"])
    has(name, found, Runtime="provided.al2023", Handler="bootstrap", Role=stack.attributes[f"{title}Role.Arn"])
    # moto leaves numbers as they are; AWS makes them texts.
    environment = {key: str(one) for key, one in found["Environment"]["Variables"].items()}
    # Alarms look for metrics there.
    has(f"the environment of {name}", environment, METRICS_NAMESPACE=stack.name)
    # moto's CloudFormation drops these.
    architectures, dead = ["arm64"], {"TargetArn": stack.attributes["DeadLetters.Arn"]}
    has(
        name,
        stack.properties(f"{title}Function"),
        Architectures=architectures,
        LoggingConfig={"LogGroup": logs},
        DeadLetterConfig=dead if name in ("archive", "detect", "report") else None,
    )
    check_retention(stack, logs)
    takers, statements = role(stack, f"{title}Role")
    takers = [one["Principal"] for one in takers]
    same(f"who may take the role of {name}", takers, [{"Service": "lambda.amazonaws.com"}])
    check_permissions(stack, name, statements)
    check_patience(name, found["Timeout"])
    return {
        "environment": environment,
        "memory": found["MemorySize"],
        "timeout": found["Timeout"],
        "architectures": architectures,
        "policies": statements,
    }


def check_patience(name, timeout):
    """A function tells what did not answer before Lambda ends it."""
    source = (ROOT / f"functions/{PROGRAMS.get(name, name)}/src/main.rs").read_text()
    waits = [int(seconds) for seconds in re.findall(r"const PATIENCE: Duration = Duration::from_secs\((\d+)\);", source)]
    holds(f"{name} does not tell how long it waits for AWS", len(waits) == 1)
    holds(f"{name} waits for AWS for {waits[0]} of its {timeout} seconds", waits[0] < timeout)


def check_retention(stack, group):
    found = stack.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    days = int(stack.parameters["LogRetentionDays"])
    same(f"days that {group} keeps logs", [one.get("retentionInDays") for one in found], [days])


def role(stack, logical):
    """Statements of who may take a role, and of what it allows."""
    iam, name = stack.client("iam"), stack.ids[logical]
    takers = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    statements = []
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        # moto's CloudFormation leaves it as Python writes it, and AWS::NoValue in lists.
        document = ast.literal_eval(document) if isinstance(document, str) else document
        for statement in listed(document["Statement"]):
            if isinstance(statement["Resource"], list):
                statement["Resource"] = [one for one in statement["Resource"] if one is not None]
            statements.append(statement)
    return takers, statements


def check_permissions(stack, name, statements):
    # A topic's id is its ARN. The default bus is the account's; its events tell whose they are.
    topic, bus = stack.ids["AlertTopic"], f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
    arns, ses = {*stack.attributes.values(), topic, bus}, f"arn:aws:ses:{REGION}:{ACCOUNT}:"
    table, archives = stack.attributes["Table.Arn"], stack.attributes["ArchiveBucket.Arn"]
    others = set()
    for statement in statements:
        what = f"{name} by {statement.get('Sid')}"
        same(f"the effect of {what}", statement["Effect"], "Allow")
        actions, resources = listed(statement["Action"]), listed(statement["Resource"])
        for action in actions:
            holds(f"{what} may do {action}, with a wildcard", "*" not in action)
        for one in resources:
            inside = one in arns or any(one.startswith(f"{arn}/") for arn in arns)
            mails = one == f"{ses}identity/*" or (one.startswith(f"{ses}configuration-set/") and "*" not in one)
            holds(f"{what} reaches {one}, beyond the stack", inside or mails)
        if resources[0].startswith(ses):
            # In the sandbox SES asks about recipients' identities, too.
            holds(f"{what} does not reach recipients", f"{ses}identity/*" in resources)
            has(what, statement, Condition={"StringEquals": {"ses:FromAddress": stack.parameters["MailFrom"]}})
        # The functions' tests do not miss a condition.
        limit = {table: "dynamodb:LeadingKeys", archives: "s3:prefix", bus: "events:source"}.get(resources[0])
        limit = "ses:FromAddress" if resources[0].startswith(ses) else limit
        conditions = [item for one in statement.get("Condition", {}).values() for item in one.items()]
        same(f"what limits {what}", [key for key, _ in conditions], [limit] if limit else [])
        holds(f"{what} is limited to anything", not any("*" in listed(values) for _, values in conditions))
        service = {action.split(":")[0] for action in actions}
        archived = service == {"s3"} and all(one.startswith(f"{archives}/") for one in resources)
        told = name == "detect" and (actions, resources) == (["sns:Publish"], [topic])
        if archived or told or (limit and service == {limit.split(":")[0]}):
            continue
        # moto ends the ARN of a log group with ":*", as AWS does.
        others |= {(action, one.removesuffix(":*")) for action in actions for one in resources}
    needed = needed_by_lambda(stack, name)
    same(f"what {name} may do and need not", sorted(others - needed), [])
    same(f"what {name} may not do and must", sorted(needed - others), [])


def needed_by_lambda(stack, name):
    """What Lambda does with the role of a function, as pairs of action and resource."""
    arn = stack.attributes
    may = {"logs:CreateLogStream logs:PutLogEvents": arn[f"{name.capitalize()}Logs.Arn"].removesuffix(":*")}
    if name in ("archive", "detect", "report"):
        may["sqs:SendMessage"] = arn["DeadLetters.Arn"]
    if name == "ingest":
        reading = "DescribeStream DescribeStreamSummary GetRecords GetShardIterator ListShards ListStreams"
        may[" ".join(f"kinesis:{action}" for action in reading.split())] = arn["Stream.Arn"]
        may |= {"s3:PutObject": arn["FailuresBucket.Arn"] + "/*", "s3:ListBucket": arn["FailuresBucket.Arn"]}
    if name == "report":
        may["dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator"] = arn["Table.StreamArn"]
        may["dynamodb:ListStreams"] = arn["Table.Arn"] + "/stream/*"
    return {(action, resource) for actions, resource in may.items() for action in actions.split()}


def check_event_sources(stack):
    """Gives the filter of the report function's."""
    given, arn = stack.parameters, stack.attributes
    # moto's CloudFormation drops most of these, so they are looked at in the template.
    has(
        "the event source of ingest",
        source(stack, "Ingest", arn["Stream.Arn"]),
        StartingPosition="TRIM_HORIZON",
        BatchSize=10000,
        MaximumBatchingWindowInSeconds=given["BatchingWindow"],
        ParallelizationFactor=1,
        BisectBatchOnFunctionError=False,
        MaximumRetryAttempts=-1,
        MaximumRecordAgeInSeconds=given["MaximumRecordAge"],
        DestinationConfig={"OnFailure": {"Destination": arn["FailuresBucket.Arn"]}},
        # An alarm looks at them.
        MetricsConfig={"Metrics": ["EventCount"]},
        FilterCriteria=None,
        FunctionResponseTypes=None,
    )
    kept = int(given["StreamRetentionHours"]) * 3600
    holds("records are put aside after the stream has lost them", int(given["MaximumRecordAge"]) < kept)
    found = source(stack, "Report", arn["Table.StreamArn"])
    has(
        "the event source of report",
        found,
        StartingPosition="TRIM_HORIZON",
        MaximumRetryAttempts=3,
        MaximumRecordAgeInSeconds=3600,
        DestinationConfig={"OnFailure": {"Destination": arn["DeadLetters.Arn"]}},
    )
    filters = [json.loads(one["Pattern"]) for one in found.get("FilterCriteria", {}).get("Filters", [])]
    requests = {"eventName": ["INSERT"], "dynamodb": {"Keys": {"pk": {"S": ["REQUESTS"]}}}}
    same("filters of report", filters, [requests])
    return requests


def source(stack, title, arn):
    function = stack.ids[f"{title}Function"]
    mappings = stack.client("lambda").list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
    found = [(one["UUID"], one["EventSourceArn"]) for one in mappings]
    same(f"event sources of {title}", found, [(stack.ids[f"{title}Source"], arn)])
    return stack.properties(f"{title}Source")


def check_ticks(stack):
    events, ticks = stack.client("events"), {}
    for rule in events.list_rules()["Rules"]:
        for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
            ticks[target["Arn"]] = rule | target
    # What is late is made up for by the next tick.
    for title, schedule, seconds in (("Archive", "rate(1 hour)", 3600), ("Detect", "rate(1 hour)", 3600), ("Report", "rate(15 minutes)", 900)):
        function = stack.ids[f"{title}Function"]
        tick = ticks.pop(stack.attributes[f"{title}Function.Arn"], {})
        has(f"the tick of {title}", tick, State="ENABLED", ScheduleExpression=schedule)
        retries = stack.client("lambda").get_function_event_invoke_config(FunctionName=function)
        has(f"invocations of {title}", retries, MaximumRetryAttempts=2, MaximumEventAgeInSeconds=seconds)
        rule = stack.client("events").describe_rule(Name=tick["Name"])["Arn"]
        check_invokers(stack, title, "events.amazonaws.com", rule)
        if title == "Report":
            # What functions/reporter/src/trigger.rs takes for a tick.
            same("the source of a tick", json.loads(tick["Input"])["source"], "smtp-auth-report")
    same("what else ticks", sorted(ticks), [])


def check_invokers(stack, title, service, arn):
    function = stack.ids[f"{title}Function"]
    policy = json.loads(stack.client("lambda").get_policy(FunctionName=function)["Policy"])
    found = [(one["Principal"], one["Condition"]) for one in policy["Statement"]]
    only = ({"Service": service}, {"ArnLike": {"AWS:SourceArn": arn}})
    same(f"who may invoke {title}", found, [only])
