"""Deploys the template to a running moto server, reads back what came of it, and checks that.

SAM's transform runs here, offline. moto's CloudFormation then makes what it can; the types that it does not know
(BY_HAND) are made one by one with the same properties, through the API of their service, which moto has. What is
checked was read back from moto's services, except for the properties that moto does not keep: these are checked in the
transformed template, and each place says which.
"""

import argparse
import ast
import copy
import io
import json
import os
import re
import sys
import zipfile
from pathlib import Path

REGION, ACCOUNT = "eu-west-1", "123456789012"
os.environ |= {
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_EC2_METADATA_DISABLED": "true",
}

import boto3  # noqa: E402
from botocore.exceptions import BotoCoreError, ClientError  # noqa: E402
from botocore.parsers import ResponseParserError  # noqa: E402
from samcli.yamlhelper import yaml_parse  # noqa: E402
from samtranslator.model.exceptions import InvalidDocumentException  # noqa: E402
from samtranslator.translator.transform import transform  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = {
    "ingest": ("IngestFunction", 512, 300),
    "archive": ("ArchiveFunction", 1024, 900),
    "query": ("QueryFunction", 512, 29),
    "report": ("ReportFunction", 1024, 900),
}
# What moto's CloudFormation does not make.
BY_HAND = {
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage",
    "AWS::CloudWatch::Alarm",
    "AWS::Cognito::UserPool",
    "AWS::Cognito::UserPoolClient",
    "AWS::Cognito::UserPoolDomain",
    "AWS::Cognito::UserPoolGroup",
    "AWS::Cognito::UserPoolResourceServer",
    "AWS::Cognito::UserPoolUser",
    "AWS::Cognito::UserPoolUserToGroupAttachment",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Logs::SubscriptionFilter",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
}


class Wrong(Exception):
    """What is wrong, in words."""


def same(what, found, expected):
    if found != expected:
        raise Wrong(f"{what} is {json.dumps(found, default=str)}, not {json.dumps(expected, default=str)}")


def holds(what, condition):
    if not condition:
        raise Wrong(what)


class Template:
    """The transformed template with its parameters: tells what an expression comes to."""

    def __init__(self, document, parameters, stack):
        self.document, self.stack, self.ids, self.attributes = document, stack, {}, {}
        self.parameters = {}
        for name, parameter in document["Parameters"].items():
            if name not in parameters and "Default" not in parameter:
                raise Wrong(f"parameter {name} has no default and no value")
            value = str(parameters.get(name, parameter.get("Default")))
            pattern = parameter.get("AllowedPattern")
            if pattern and not re.fullmatch(pattern, value):
                raise Wrong(f"parameter {name}={value}: {parameter['ConstraintDescription']}")
            allowed = [str(one) for one in parameter.get("AllowedValues", [value])]
            holds(f"parameter {name}={value} must be one of {allowed}", value in allowed)
            self.parameters[name] = value
        unknown = set(parameters) - set(self.parameters)
        holds(f"the template has no parameters {sorted(unknown)}", not unknown)

    def condition(self, expression):
        if isinstance(expression, str):
            return self.condition(self.document["Conditions"][expression])
        ((kind, operands),) = expression.items()
        match kind:
            case "Condition":
                return self.condition(operands)
            case "Fn::Not":
                return not self.condition(operands[0])
            case "Fn::And":
                return all(self.condition(one) for one in operands)
            case "Fn::Equals":
                first, second = (str(self.value(one)) for one in operands)
                return first == second
        raise Wrong(f"unknown condition {kind}")

    def exists(self, name):
        resource = self.document["Resources"].get(name)
        return bool(resource) and ("Condition" not in resource or self.condition(resource["Condition"]))

    def properties(self, name):
        return self.value(self.document["Resources"][name].get("Properties", {}))

    def reference(self, name):
        pseudo = {
            "AWS::Region": REGION,
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": self.stack,
            # moto gives the stack's id when it is there; what comes before needs one that looks like it.
            "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{self.stack}/"
            "0f1e2d3c-0000-4000-8000-0123456789ab",
        }
        for known in (pseudo, self.parameters, self.ids):
            if name in known:
                return known[name]
        raise Wrong(f"{name} is referred to and is not there")

    def value(self, expression):
        if isinstance(expression, list):
            return [found for found in map(self.value, expression) if found is not None]
        if not isinstance(expression, dict):
            return expression
        if len(expression) == 1:
            ((kind, operand),) = expression.items()
            match kind:
                case "Ref":
                    return None if operand == "AWS::NoValue" else self.reference(operand)
                case "Fn::GetAtt":
                    name, attribute = operand.split(".", 1) if isinstance(operand, str) else operand
                    return self.attributes[f"{name}.{attribute}"]
                case "Fn::If":
                    return self.value(operand[1 if self.condition(operand[0]) else 2])
                case "Fn::Select":
                    return self.value(operand[1])[int(operand[0])]
                case "Fn::Split":
                    return self.value(operand[1]).split(operand[0])
                case "Fn::Join":
                    return operand[0].join(self.value(operand[1]))
                case "Fn::Sub":
                    text, own = (operand, {}) if isinstance(operand, str) else operand
                    own = self.value(own)

                    def put(match):
                        name = match[1]
                        if name in own:
                            return own[name]
                        return self.value({"Fn::GetAtt": name}) if "." in name else str(self.reference(name))

                    return re.sub(r"\$\{([^!}]+)\}", put, text)
        found = {key: self.value(one) for key, one in expression.items()}
        return {key: one for key, one in found.items() if one is not None}


def transformed(packages, parameters, s3, stack):
    """The template as CloudFormation gets it, with the packages uploaded."""
    source = yaml_parse((ROOT / "infra/aws/template.yaml").read_text())
    bucket = f"{stack}-packages"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    for name, (logical, _, _) in FUNCTIONS.items():
        program = packages / name / "bootstrap"
        holds(f"{program} is not there", program.is_file())
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as zipped:
            entry = zipfile.ZipInfo("bootstrap")
            entry.external_attr, entry.compress_type = 0o755 << 16, zipfile.ZIP_DEFLATED
            zipped.writestr(entry, program.read_bytes())
        s3.put_object(Bucket=bucket, Key=f"{name}.zip", Body=archive.getvalue())
        source["Resources"][logical]["Properties"]["CodeUri"] = f"s3://{bucket}/{name}.zip"

    class NoManagedPolicies:
        def load(self):
            return {}

    document = transform(source, dict(parameters), NoManagedPolicies())
    return json.loads(json.dumps(document))


def without(document, made):
    """The template without what moto's CloudFormation does not know; references to it become plain values."""
    document = copy.deepcopy(document)
    types = {name: resource["Type"] for name, resource in document["Resources"].items()}
    hand = {name for name, kind in types.items() if kind in BY_HAND}

    def walk(node):
        if isinstance(node, list):
            return [walk(one) for one in node]
        if not isinstance(node, dict):
            return node
        if node.get("Ref") in hand:
            return made.get(node["Ref"], "")
        if "Fn::Sub" in node:
            text, own = node["Fn::Sub"] if isinstance(node["Fn::Sub"], list) else (node["Fn::Sub"], {})
            for name in hand:
                text = text.replace("${%s}" % name, made.get(name, ""))
            return {"Fn::Sub": [text, walk(own)] if own else text}
        return {key: walk(one) for key, one in node.items()}

    for name in hand:
        del document["Resources"][name]
    document = walk(document)
    for resource in document["Resources"].values():
        if "DependsOn" in resource:
            resource["DependsOn"] = [one for one in listed(resource["DependsOn"]) if one not in hand]
    return document


def camel(properties):
    return {key[0].lower() + key[1:]: value for key, value in properties.items()}


def make_before(template, clients):
    """Makes what nothing of moto's CloudFormation is needed for: the API, and sign-in."""
    ids = template.ids
    ids["HttpApi"] = clients("apigatewayv2").create_api(**template.properties("HttpApi"))["ApiId"]
    if not template.exists("UserPool"):
        return
    cognito = clients("cognito-idp")
    pool = template.properties("UserPool")
    mfa = {"MfaConfiguration": pool["MfaConfiguration"]}
    same("UserPool.EnabledMfas", pool.pop("EnabledMfas"), ["SOFTWARE_TOKEN_MFA"])
    made = cognito.create_user_pool(PoolName=pool.pop("UserPoolName"), **pool)["UserPool"]
    ids["UserPool"] = made["Id"]
    cognito.set_user_pool_mfa_config(
        UserPoolId=ids["UserPool"], SoftwareTokenMfaConfiguration={"Enabled": True}, **mfa
    )
    domain = template.properties("SignInDomain")
    cognito.create_user_pool_domain(**domain)
    ids["SignInDomain"] = domain["Domain"]
    cognito.create_resource_server(**template.properties("ResourceServer"))
    ids["ResourceServer"] = "smtp-auth-report"
    for name in ("BrowserClient", "ScriptClient"):
        if template.exists(name):
            client = cognito.create_user_pool_client(**template.properties(name))["UserPoolClient"]
            ids[name] = client["ClientId"]
    for name in ("ReadersGroup", "ManagersGroup"):
        group = template.properties(name)
        cognito.create_group(**group)
        ids[name] = group["GroupName"]
    if template.exists("FirstManagerUser"):
        user = template.properties("FirstManagerUser")
        made = cognito.admin_create_user(**user)["User"]
        ids["FirstManagerUser"] = made["Username"]
        cognito.admin_add_user_to_group(**template.properties("FirstManagerMembership"))


def make_after(template, clients):
    """Makes what stands upon the rest."""
    api = clients("apigatewayv2")
    for name, resource in template.document["Resources"].items():
        if not template.exists(name):
            continue
        # A route refers to its integration, which may stand anywhere.
        if resource["Type"] == "AWS::ApiGatewayV2::Integration":
            template.ids[name] = api.create_integration(**template.properties(name))["IntegrationId"]
    for name, resource in template.document["Resources"].items():
        if not template.exists(name):
            continue
        match resource["Type"]:
            case "AWS::ApiGatewayV2::Route":
                api.create_route(**template.properties(name))
            case "AWS::ApiGatewayV2::Stage":
                api.create_stage(**template.properties(name))
            case "AWS::CloudWatch::Alarm":
                clients("cloudwatch").put_metric_alarm(AlarmName=name, **template.properties(name))
            case "AWS::Lambda::EventInvokeConfig":
                clients("lambda").put_function_event_invoke_config(**template.properties(name))
            case "AWS::Logs::SubscriptionFilter":
                filters = camel(template.properties(name))
                clients("logs").put_subscription_filter(filterName=name, **filters)
            case "AWS::S3::BucketPolicy":
                policy = template.properties(name)
                document = json.dumps(policy["PolicyDocument"])
                clients("s3").put_bucket_policy(Bucket=policy["Bucket"], Policy=document)
            case "AWS::SNS::Subscription":
                clients("sns").subscribe(**template.properties(name))


def deploy(template, clients):
    """Makes the stack; gives its outputs."""
    make_before(template, clients)
    for name, value in template.parameters.items():
        if name.startswith("LogGroup") and value:
            clients("logs").create_log_group(logGroupName=value)
    document = without(template.document, template.ids)
    # Attributes that are needed beyond moto's CloudFormation come out as outputs.
    wanted = set(re.findall(r'"Fn::GetAtt": \["(\w+)", "([\w.]+)"\]', json.dumps(template.document)))
    wanted |= set(re.findall(r"\$\{(\w+)\.(\w+)\}", json.dumps(template.document)))
    wanted = sorted(one for one in wanted if one[0] in document["Resources"])
    for number, attribute in enumerate(wanted):
        document["Outputs"][f"Attribute{number}"] = {"Value": {"Fn::GetAtt": list(attribute)}}
    # moto evaluates no rules.
    document.pop("Rules", None)
    cloudformation = clients("cloudformation")
    cloudformation.create_stack(
        StackName=template.stack,
        TemplateBody=json.dumps(document),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[
            {"ParameterKey": name, "ParameterValue": value} for name, value in template.parameters.items()
        ],
    )
    stack = cloudformation.describe_stacks(StackName=template.stack)["Stacks"][0]
    holds(f"the stack is {stack['StackStatus']}", stack["StackStatus"] == "CREATE_COMPLETE")
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=template.stack):
        for resource in page["StackResourceSummaries"]:
            template.ids[resource["LogicalResourceId"]] = resource["PhysicalResourceId"]
    expected = {name for name in template.document["Resources"] if template.exists(name)}
    missing = {name for name in document["Resources"] if name in expected} - set(template.ids)
    holds(f"moto did not make {sorted(missing)}", not missing)
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}
    for number, (name, attribute) in enumerate(wanted):
        template.attributes[f"{name}.{attribute}"] = outputs.pop(f"Attribute{number}")
    make_after(template, clients)
    return outputs


# ---- What must have come of it


def check_parameters(template):
    """The console and `sam deploy --guided` show every parameter, in a group and with a label."""
    interface = template.document["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    same("the grouped parameters", sorted(grouped), sorted(template.parameters))
    same("the labelled parameters", sorted(interface["ParameterLabels"]), sorted(template.parameters))
    for name, parameter in template.document["Parameters"].items():
        holds(f"parameter {name} has no description", parameter.get("Description"))
        holds(
            f"parameter {name} does not tell what it must be",
            "AllowedPattern" not in parameter or parameter.get("ConstraintDescription"),
        )


def environment(template, name):
    """What a function must find in its environment."""
    given, ids = template.parameters, template.ids
    cognito = template.exists("UserPool")
    url = given["DashboardUrl"] or f"https://{ids['HttpApi']}.execute-api.{REGION}.amazonaws.com"
    found = {
        "TABLE_NAME": ids["Table"],
        "ZONE": given["Zone"],
        "METRICS_NAMESPACE": template.stack,
        "RUST_LOG": "info",
    }
    if name == "ingest":
        return found | {
            "LOG_FORMAT": given["LogFormat"],
            "LOG_ZONE": given["LogZone"],
            "DEFAULT_DOMAIN": given["DefaultDomain"],
        }
    found["ARCHIVE_BUCKET"] = ids["ArchiveBucket"]
    if name == "archive":
        return found
    found |= {"RECIPIENT_DOMAINS": given["RecipientDomains"], "DASHBOARD_URL": url}
    if name == "report":
        return found | {
            "MAIL_FROM": given["MailFrom"],
            "SES_CONFIGURATION_SET": given["SesConfigurationSet"],
        }
    audiences = [ids.get("ScriptClient"), given["OidcAudiences"]]
    found |= {
        "REPORT_REQUESTS_PER_DAY": given["ReportRequestsPerDay"],
        "OIDC_ISSUER": given["OidcIssuer"]
        or f"https://cognito-idp.{REGION}.amazonaws.com/{ids['UserPool']}",
        "OIDC_CLIENT_ID": ids["BrowserClient"] if cognito else given["OidcClientId"],
        "OIDC_AUDIENCES": ",".join(one for one in audiences if one),
        "OIDC_ROLE_CLAIMS": given["OidcRoleClaims"],
        "OIDC_READERS": given["OidcReaders"],
        "OIDC_MANAGERS": given["OidcManagers"],
    }
    if not cognito and given["OidcClientSecretName"]:
        secret = given["OidcClientSecretName"]
        found["OIDC_CLIENT_SECRET"] = f"{{{{resolve:secretsmanager:{secret}:SecretString}}}}"
    return found


# Partitions of the table, by function and action: see shared/store/src/keys.rs.
PARTITIONS = {
    "ingest": {
        "GetItem": ["C#*", "F#*", "U#*"],
        "UpdateItem": ["D", "F#*", "R#*", "S#*", "U#*"],
        "PutItem": ["C#*", "META", "Q#*"],
    },
    "archive": {"Query": ["D", "U#*"], "UpdateItem": ["D"]},
    "query": {
        "GetItem": ["I#*", "META", "REQUESTS", "SCHEDULES"],
        "Query": ["D", "F#*", "R#*", "REQUESTS", "S#*", "SCHEDULES", "U#*"],
        "UpdateItem": ["I#*", "META", "REQUESTS", "SCHEDULES"],
        "PutItem": ["I#*", "META", "REQUESTS", "SCHEDULES"],
        "DeleteItem": ["SCHEDULES"],
    },
    "report": {
        "GetItem": ["META", "REQUESTS"],
        "Query": ["D", "SCHEDULES", "U#*"],
        "UpdateItem": ["META", "REQUESTS", "SCHEDULES"],
        "PutItem": ["META", "REQUESTS", "SCHEDULES"],
    },
}


def other_permissions(template, name):
    """What a function may do beside the table's items: pairs of action and resource."""
    ids, given = template.ids, template.parameters
    attribute = template.attributes
    logs, archives = f"{name.capitalize()}Logs", f"arn:aws:s3:::{ids['ArchiveBucket']}"
    log = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{ids[logs]}"
    may = {("logs:CreateLogStream", log), ("logs:PutLogEvents", log)}
    queue = {("sqs:SendMessage", attribute["DeadLetters.Arn"])}
    reads = {("s3:GetObject", f"{archives}/{folder}/*") for folder in ("usage", "senders")}
    match name:
        case "ingest":
            reading = "DescribeStream DescribeStreamSummary GetRecords GetShardIterator ListShards ListStreams"
            stream, failures = attribute["Stream.Arn"], f"arn:aws:s3:::{ids['FailuresBucket']}"
            may |= {(f"kinesis:{action}", stream) for action in reading.split()}
            may |= {("s3:PutObject", f"{failures}/*"), ("s3:ListBucket", failures)}
        case "archive":
            may |= reads | queue | {("s3:ListBucket", archives)}
            may |= {
                (f"s3:{action}", f"{archives}/{folder}/*")
                for action in ("PutObject", "DeleteObject")
                for folder in ("usage", "senders")
            }
        case "query":
            may |= reads
        case "report":
            may |= reads | queue
            stream = attribute["Table.StreamArn"]
            for action in ("DescribeStream", "GetRecords", "GetShardIterator"):
                may.add((f"dynamodb:{action}", stream))
            may.add(("dynamodb:ListStreams", f"{attribute['Table.Arn']}/stream/*"))
            identity = given["SesIdentity"] or given["MailFrom"].split("@")[1]
            ses = f"arn:aws:ses:{REGION}:{ACCOUNT}"
            senders = [f"{ses}:identity/{identity}"]
            if given["SesConfigurationSet"]:
                senders.append(f"{ses}:configuration-set/{given['SesConfigurationSet']}")
            may |= {(f"ses:{action}", one) for action in ("SendEmail", "SendRawEmail") for one in senders}
    return may


def listed(value):
    return value if isinstance(value, list) else [value]


def policies_of(role, clients):
    """The statements of a role that has nothing but policies of its own."""
    iam = clients("iam")
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    same(f"{role}'s managed policies", attached, [])
    statements = []
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        # moto's CloudFormation leaves it as Python writes it.
        document = ast.literal_eval(document) if isinstance(document, str) else document
        statements += listed(document["Statement"])
    for statement in statements:
        if isinstance(statement["Resource"], list):
            # moto leaves AWS::NoValue in lists.
            statement["Resource"] = [one for one in statement["Resource"] if one is not None]
    return statements


def check_permissions(template, name, statements):
    table, partitions, others = template.attributes["Table.Arn"], {}, set()
    for statement in statements:
        sid = f"{name}'s statement {statement.get('Sid')}"
        same(f"the effect of {sid}", statement["Effect"], "Allow")
        actions, resources = listed(statement["Action"]), listed(statement["Resource"])
        holds(f"{sid} has wildcards for actions", not any("*" in action for action in actions))
        holds(f"{sid} has every resource", "*" not in resources)
        condition = statement.get("Condition", {})
        if resources == [table]:
            keys = condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
            for action in actions:
                partitions.setdefault(action.removeprefix("dynamodb:"), []).extend(listed(keys))
            continue
        # moto ends the ARN of a log group with ":*", as AWS does.
        others |= {(action, one.removesuffix(":*")) for action in actions for one in resources}
        if "s3:ListBucket" in actions and name == "archive":
            expected = {"StringEquals": {"s3:prefix": ["usage/", "senders/"]}}
        elif "ses:SendRawEmail" in actions:
            expected = {"StringEquals": {"ses:FromAddress": template.parameters["MailFrom"]}}
        else:
            expected = {}
        same(f"the condition of {sid}", condition, expected)
    found = {action: sorted(keys) for action, keys in partitions.items()}
    same(f"{name}'s partitions of the table", found, PARTITIONS[name])
    same(f"{name}'s other permissions", sorted(others), sorted(other_permissions(template, name)))


# Properties that would name a resource for the whole account or region.
NAMES = {"BucketName", "DashboardName", "FunctionName", "Name", "QueueName", "RoleName", "TableName", "TopicName"}


def check_resources(template, clients):
    """Nothing keeps a second stack from the same account, and no permission comes in from elsewhere."""
    for name, resource in template.document["Resources"].items():
        kind, properties = resource["Type"], resource.get("Properties", {})
        holds(f"{name} is a policy beside the roles", kind not in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"))
        if kind == "AWS::IAM::Role":
            # moto drops managed policies that it does not know.
            same(f"{name}'s managed policies", properties.get("ManagedPolicyArns", []), [])
        if kind.split("::")[1] in ("DynamoDB", "IAM", "Kinesis", "S3", "SNS", "SQS") or kind == "AWS::Lambda::Function":
            same(f"the fixed names of {name}", sorted(NAMES & set(properties)), [])


def check_functions(template, clients):
    kinds = [one["Type"] for one in template.document["Resources"].values()]
    same("the number of functions", kinds.count("AWS::Lambda::Function"), len(FUNCTIONS))
    result = {}
    for name, (logical, memory, timeout) in FUNCTIONS.items():
        found = clients("lambda").get_function_configuration(FunctionName=template.ids[logical])
        same(f"{name}'s runtime", found["Runtime"], "provided.al2023")
        same(f"{name}'s handler", found["Handler"], "bootstrap")
        same(f"{name}'s memory", found["MemorySize"], memory)
        same(f"{name}'s timeout", found["Timeout"], timeout)
        # moto leaves numbers as they are; AWS makes them texts.
        variables = {key: str(one) for key, one in found["Environment"]["Variables"].items()}
        same(f"{name}'s environment", variables, environment(template, name))
        role = template.ids[f"{name.capitalize()}Role"]
        same(f"{name}'s role", found["Role"], clients("iam").get_role(RoleName=role)["Role"]["Arn"])
        trusted = clients("iam").get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"]
        takers = [one["Principal"] for one in trusted]
        same(f"who may take {name}'s role", takers, [{"Service": "lambda.amazonaws.com"}])
        statements = policies_of(role, clients)
        check_permissions(template, name, statements)
        # moto's CloudFormation drops Architectures, LoggingConfig and DeadLetterConfig.
        properties = template.properties(logical)
        same(f"{name}'s architectures", properties["Architectures"], ["arm64"])
        group = template.ids[f"{name.capitalize()}Logs"]
        same(f"{name}'s log group", properties["LoggingConfig"], {"LogGroup": group})
        dead = {"TargetArn": template.attributes["DeadLetters.Arn"]} if name in ("archive", "report") else None
        same(f"{name}'s dead letters", properties.get("DeadLetterConfig"), dead)
        groups = clients("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        days = [one.get("retentionInDays") for one in groups]
        same(f"the retention of {group}", days, [int(template.parameters["LogRetentionDays"])])
        result[name] = {
            "environment": variables,
            "memory": memory,
            "timeout": timeout,
            "architectures": properties["Architectures"],
            "policies": statements,
        }
    return result


def mapping(template, clients, source, function):
    mappings = clients("lambda").list_event_source_mappings(FunctionName=template.ids[function])
    same(f"the event sources of {function}", len(mappings["EventSourceMappings"]), 1)
    found = mappings["EventSourceMappings"][0]
    same(f"{source}'s id", found["UUID"], template.ids[source])
    return found, template.properties(source)


def check_event_sources(template, clients):
    """Event sources and ticks; gives the filter of the report function's."""
    given, attribute = template.parameters, template.attributes
    found, properties = mapping(template, clients, "IngestSource", "IngestFunction")
    same("what ingest reads", found["EventSourceArn"], attribute["Stream.Arn"])
    same("ingest's batch size", found["BatchSize"], 10000)
    # moto keeps none of these properties.
    expected = {
        "FunctionName": template.ids["IngestFunction"],
        "EventSourceArn": attribute["Stream.Arn"],
        "StartingPosition": "TRIM_HORIZON",
        "BatchSize": 10000,
        "MaximumBatchingWindowInSeconds": given["BatchingWindow"],
        "ParallelizationFactor": 1,
        "BisectBatchOnFunctionError": False,
        "MaximumRetryAttempts": -1,
        "MaximumRecordAgeInSeconds": given["MaximumRecordAge"],
        "DestinationConfig": {"OnFailure": {"Destination": attribute["FailuresBucket.Arn"]}},
        "MetricsConfig": {"Metrics": ["EventCount"]},
    }
    same("ingest's event source", properties, expected)
    kept = int(given["StreamRetentionHours"]) * 3600
    holds("records are put aside after the stream has lost them", int(given["MaximumRecordAge"]) < kept)
    found, properties = mapping(template, clients, "ReportSource", "ReportFunction")
    same("what report reads", found["EventSourceArn"], attribute["Table.StreamArn"])
    same("report's batch size", found["BatchSize"], 5)
    # moto's CloudFormation drops FilterCriteria and how failures are treated.
    filters = properties.pop("FilterCriteria")["Filters"]
    same("the number of report's filters", len(filters), 1)
    expected = {
        "FunctionName": template.ids["ReportFunction"],
        "EventSourceArn": attribute["Table.StreamArn"],
        "StartingPosition": "TRIM_HORIZON",
        "BatchSize": 5,
        "MaximumRetryAttempts": 3,
        "MaximumRecordAgeInSeconds": 3600,
        "BisectBatchOnFunctionError": True,
        "DestinationConfig": {"OnFailure": {"Destination": attribute["DeadLetters.Arn"]}},
    }
    same("report's event source", properties, expected)
    stream_filter = json.loads(filters[0]["Pattern"])
    requests = {"eventName": ["INSERT"], "dynamodb": {"Keys": {"pk": {"S": ["REQUESTS"]}}}}
    same("report's filter", stream_filter, requests)
    events, ticks = clients("events"), {}
    for rule in events.list_rules()["Rules"]:
        same(f"the state of rule {rule['Name']}", rule["State"], "ENABLED")
        for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
            ticks[target["Arn"]] = (rule["ScheduleExpression"], target.get("Input"), rule["Arn"])
    archive, report = (attribute[f"{name}Function.Arn"] for name in ("Archive", "Report"))
    same("what is invoked by rules", sorted(ticks), sorted([archive, report]))
    same("when archive runs", ticks[archive][:2], ("rate(1 hour)", None))
    same("when report looks after schedules", ticks[report][0], "rate(15 minutes)")
    # What functions/report/src/trigger.rs takes for a tick.
    same("the source of a tick", json.loads(ticks[report][1])["source"], "smtp-auth-report")
    for name, age, arn in (("Archive", 3600, archive), ("Report", 900, report)):
        function = template.ids[f"{name}Function"]
        invoked = clients("lambda").get_function_event_invoke_config(FunctionName=function, Qualifier="$LATEST")
        same(f"{name}'s retries", invoked["MaximumRetryAttempts"], 0)
        same(f"{name}'s oldest event", invoked["MaximumEventAgeInSeconds"], age)
        allowed = statements_of_function(clients, function)
        same(f"who may invoke {name}", [one["Principal"] for one in allowed], [{"Service": "events.amazonaws.com"}])
        sources = [one["Condition"]["ArnLike"]["AWS:SourceArn"] for one in allowed]
        same(f"from where {name} may be invoked", sources, [ticks[arn][2]])
    return stream_filter


def statements_of_function(clients, function):
    return json.loads(clients("lambda").get_policy(FunctionName=function)["Policy"])["Statement"]


def check_table(template, clients):
    dynamodb, name = clients("dynamodb"), template.ids["Table"]
    table = dynamodb.describe_table(TableName=name)["Table"]
    keys = [(one["AttributeName"], one["KeyType"]) for one in table["KeySchema"]]
    same("the table's keys", keys, [("pk", "HASH"), ("sk", "RANGE")])
    kinds = {one["AttributeName"]: one["AttributeType"] for one in table["AttributeDefinitions"]}
    same("the table's attributes", kinds, {"pk": "S", "sk": "S"})
    same("the table's billing", table["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST")
    stream = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    same("the table's stream", table["StreamSpecification"], stream)
    # moto's CloudFormation drops TimeToLiveSpecification, PointInTimeRecoverySpecification and, for SSESpecification
    # without a key, what comes of it.
    properties = template.properties("Table")
    expiry = properties.get("TimeToLiveSpecification")
    same("the table's time to live", expiry, {"AttributeName": "x", "Enabled": True})
    recovery = properties.get("PointInTimeRecoverySpecification")
    same("the table's point-in-time recovery", recovery, {"PointInTimeRecoveryEnabled": True})
    same("the table's encryption", properties.get("SSESpecification"), {"SSEEnabled": True})
    protected = template.parameters["DeletionProtection"] == "true"
    same("the table's deletion protection", str(table["DeletionProtectionEnabled"]).lower(), str(protected).lower())
    for logical in ("Table", "ArchiveBucket", "FailuresBucket"):
        for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
            same(f"{logical}.{policy}", template.document["Resources"][logical].get(policy), "Retain")


def check_buckets(template, clients):
    s3 = clients("s3")
    for logical, versions, days in (("ArchiveBucket", None, 95), ("FailuresBucket", "Enabled", 90)):
        name = template.ids[logical]
        rules = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
        same(f"{logical}'s encryption", rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"], "AES256")
        policy = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"][0]
        expected = {
            "Sid": "OnlyTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        same(f"{logical}'s policy", policy, expected)
        # moto's CloudFormation drops PublicAccessBlockConfiguration, VersioningConfiguration, LifecycleConfiguration
        # and OwnershipControls.
        properties = template.properties(logical)
        public = properties.get("PublicAccessBlockConfiguration", {})
        holds(f"{logical} is open to the public: {public}", len(public) == 4 and all(public.values()))
        same(f"{logical}'s versioning", properties.get("VersioningConfiguration", {}).get("Status"), versions)
        rules = properties["LifecycleConfiguration"]["Rules"]
        same(f"{logical}'s expiry", [one["ExpirationInDays"] for one in rules if "ExpirationInDays" in one], [days])
        ownership = properties["OwnershipControls"]["Rules"]
        same(f"{logical}'s ownership", ownership, [{"ObjectOwnership": "BucketOwnerEnforced"}])


def check_stream(template, clients):
    given, name = template.parameters, template.ids["Stream"]
    stream = clients("kinesis").describe_stream(StreamName=name)["StreamDescription"]
    on_demand = given["Shards"] == "0"
    if not on_demand:
        same("the stream's shards", len(stream["Shards"]), int(given["Shards"]))
    same("the stream's retention", stream["RetentionPeriodHours"], int(given["StreamRetentionHours"]))
    # moto's CloudFormation drops StreamEncryption and StreamModeDetails.
    properties = template.properties("Stream")
    encryption = {"EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"}
    same("the stream's encryption", properties["StreamEncryption"], encryption)
    mode = {"StreamMode": "ON_DEMAND" if on_demand else "PROVISIONED"}
    same("the stream's mode", properties["StreamModeDetails"], mode)
    same("whether the stream has a number of shards", "ShardCount" in properties, not on_demand)
    role = template.ids["SubscriptionRole"]
    statements = policies_of(role, clients)
    same("what subscriptions may do", [(one["Action"], one["Resource"]) for one in statements],
         [(["kinesis:PutRecord", "kinesis:PutRecords"], template.attributes["Stream.Arn"])])
    trust = clients("iam").get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    expected = {
        "Effect": "Allow",
        "Principal": {"Service": "logs.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
            "StringLike": {"aws:SourceArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:*"},
        },
    }
    same("who may take the subscriptions' role", trust, [expected])
    for number in range(1, 6):
        group = given[f"LogGroup{number}"]
        same(f"whether subscription {number} is there", template.exists(f"Subscription{number}"), bool(group))
        if not group:
            continue
        filters = clients("logs").describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
        same(f"subscriptions of {group}", len(filters), 1)
        found = filters[0]
        same(f"{group}'s destination", found["destinationArn"], template.attributes["Stream.Arn"])
        same(f"{group}'s role", found["roleArn"], template.attributes["SubscriptionRole.Arn"])
        same(f"{group}'s pattern", found["filterPattern"], "")
        # moto says ByLogStream whatever is asked, and does not keep it.
        same(f"{group}'s distribution", template.properties(f"Subscription{number}")["Distribution"], "ByLogStream")


def check_queue(template, clients):
    url = template.ids["DeadLetters"]
    found = clients("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    same("how long the queue keeps messages", found["MessageRetentionPeriod"], "1209600")
    # moto's CloudFormation drops SqsManagedSseEnabled.
    same("the queue's encryption", template.properties("DeadLetters")["SqsManagedSseEnabled"], True)


def check_api(template, clients):
    api, name = clients("apigatewayv2"), template.ids["HttpApi"]
    found = [one for one in api.get_apis()["Items"] if one["ApiId"] == name]
    same("the API's protocol", [one["ProtocolType"] for one in found], ["HTTP"])
    holds("the API lets other origins in", not found[0].get("CorsConfiguration"))
    routes = api.get_routes(ApiId=name)["Items"]
    same("the API's routes", [one["RouteKey"] for one in routes], ["$default"])
    # The function itself checks who asks.
    same("the route's authorization", routes[0].get("AuthorizationType"), "NONE")
    integration = api.get_integrations(ApiId=name)["Items"]
    same("the number of integrations", len(integration), 1)
    same("the route's target", routes[0]["Target"], f"integrations/{integration[0]['IntegrationId']}")
    same("what the API invokes", integration[0]["IntegrationUri"], template.attributes["QueryFunction.Arn"])
    same("how the API invokes", integration[0]["IntegrationType"], "AWS_PROXY")
    same("the API's payloads", integration[0]["PayloadFormatVersion"], "2.0")
    same("the API's patience", integration[0]["TimeoutInMillis"], 30000)
    stages = api.get_stages(ApiId=name)["Items"]
    same("the API's stages", [one["StageName"] for one in stages], ["$default"])
    same("whether the stage deploys itself", stages[0]["AutoDeploy"], True)
    throttling = stages[0]["DefaultRouteSettings"]
    same("the stage's throttling", (throttling["ThrottlingBurstLimit"], throttling["ThrottlingRateLimit"]), (50, 25))
    log = stages[0]["AccessLogSettings"]
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{template.ids['ApiLogs']}"
    same("where accesses are logged", log["DestinationArn"], group)
    logged = json.loads(log["Format"])
    same("what is logged", sorted(logged), ["ip", "latency", "method", "requestId", "route", "status", "time"])
    telling = re.search(r"path|query|header|authorizer", log["Format"], re.IGNORECASE)
    holds(f"the access log tells the {telling and telling[0]}", not telling)
    allowed = statements_of_function(clients, template.ids["QueryFunction"])
    same("who may invoke query", [one["Principal"] for one in allowed], [{"Service": "apigateway.amazonaws.com"}])
    sources = [one["Condition"]["ArnLike"]["AWS:SourceArn"] for one in allowed]
    same("from where query may be invoked", sources, [f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{name}/*/*"])


def check_sign_in(template, clients):
    given, ids = template.parameters, template.ids
    own = bool(given["OidcIssuer"])
    kinds = {
        resource["Type"]
        for name, resource in template.document["Resources"].items()
        if template.exists(name) and resource["Type"].startswith("AWS::Cognito::")
    }
    if own:
        return same("what Cognito does beside an own provider", sorted(kinds), [])
    cognito = clients("cognito-idp")
    pool = cognito.describe_user_pool(UserPoolId=ids["UserPool"])["UserPool"]
    same("who may make users", pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"], True)
    same("user names", pool["UsernameAttributes"], ["email"])
    same("the user pool's second factor", pool["MfaConfiguration"], "OPTIONAL")
    password = pool["Policies"]["PasswordPolicy"]
    holds(f"passwords may be weak: {password}", password["MinimumLength"] >= 12)
    for kind in ("Lowercase", "Uppercase", "Numbers", "Symbols"):
        same(f"whether passwords need {kind}", password[f"Require{kind}"], True)
    # moto does not keep UserPoolTier.
    same("the user pool's tier", template.properties("UserPool")["UserPoolTier"], "LITE")
    domain = cognito.describe_user_pool_domain(Domain=ids["SignInDomain"])["DomainDescription"]
    same("the sign-in page's pool", domain["UserPoolId"], ids["UserPool"])
    holds(f"{ids['SignInDomain']} is no prefix", re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", ids["SignInDomain"]))
    url = environment(template, "query")["DASHBOARD_URL"]

    def client(name):
        found = cognito.describe_user_pool_client(UserPoolId=ids["UserPool"], ClientId=ids[name])
        return found["UserPoolClient"]

    browser = client("BrowserClient")
    holds("the dashboard's client has a secret", not browser.get("ClientSecret"))
    same("the dashboard's flows", browser["AllowedOAuthFlows"], ["code"])
    same("the dashboard's scopes", browser["AllowedOAuthScopes"], ["openid", "email", "profile"])
    same("where people come back signed in", browser["CallbackURLs"], [f"{url}/signed-in"])
    same("where people come back signed out", browser["LogoutURLs"], [f"{url}/", f"{url}/signed-out"])
    validity = (browser["IdTokenValidity"], browser["TokenValidityUnits"]["IdToken"])
    same("how long an id token holds", validity, (1, "hours"))
    same("whether scripts have a client", "ScriptClient" in ids, given["ScriptAccess"] == "true")
    if "ScriptClient" in ids:
        script = client("ScriptClient")
        holds("the scripts' client has no secret", script.get("ClientSecret"))
        same("the scripts' flows", script["AllowedOAuthFlows"], ["client_credentials"])
        scopes = ["smtp-auth-report/read", "smtp-auth-report/manage"]
        same("the scripts' scopes", script["AllowedOAuthScopes"], scopes)
    server = cognito.describe_resource_server(UserPoolId=ids["UserPool"], Identifier="smtp-auth-report")
    scopes = [one["ScopeName"] for one in server["ResourceServer"]["Scopes"]]
    same("the resource server's scopes", sorted(scopes), ["manage", "read"])
    groups = [one["GroupName"] for one in cognito.list_groups(UserPoolId=ids["UserPool"])["Groups"]]
    same("the user pool's groups", sorted(groups), ["managers", "readers"])
    managers = cognito.list_users_in_group(UserPoolId=ids["UserPool"], GroupName="managers")["Users"]
    mails = [one["Value"] for user in managers for one in user["Attributes"] if one["Name"] == "email"]
    same("the managers", mails, [given["FirstManager"]] if given["FirstManager"] else [])


# Alarms, by the metrics that they look at. A stack's own metrics have its name as namespace.
ALARMS = {
    "IngestErrorsAlarm": {("AWS/Lambda", "Errors", "IngestFunction")},
    "IngestBehindAlarm": {("AWS/Lambda", "IteratorAge", "IngestFunction")},
    "IngestGivenUpAlarm": {
        ("AWS/Lambda", "OnFailureDestinationDeliveredEventCount", "IngestSource"),
        ("AWS/Lambda", "DroppedEventCount", "IngestSource"),
    },
    "IngestLostAlarm": {("AWS/Lambda", "DestinationDeliveryFailures", "IngestFunction")},
    "QuarantinedAlarm": {("", "quarantined", "ingest")},
    "StreamThrottledAlarm": {("AWS/Kinesis", "WriteProvisionedThroughputExceeded", "Stream")},
    "ArchiveErrorsAlarm": {("AWS/Lambda", "Errors", "ArchiveFunction")},
    "ArchiveFailedAlarm": {("", "failed", "archive")},
    "QueryFailedAlarm": {("AWS/ApiGateway", "5xx", "HttpApi")},
    "ReportErrorsAlarm": {("AWS/Lambda", "Errors", "ReportFunction")},
    "ReportFailedAlarm": {("", "failed", "report")},
    "GivenUpAlarm": {("AWS/SQS", "ApproximateNumberOfMessagesVisible", "DeadLetters.QueueName")},
    "FunctionsThrottledAlarm": {("AWS/Lambda", "Throttles", one) for _, (one, _, _) in FUNCTIONS.items()},
    "TableThrottledAlarm": {
        ("AWS/DynamoDB", "ReadThrottleEvents", "Table"),
        ("AWS/DynamoDB", "WriteThrottleEvents", "Table"),
    },
}
DIMENSIONS = {
    "AWS/ApiGateway": {"ApiId"},
    "AWS/DynamoDB": {"TableName"},
    "AWS/Kinesis": {"StreamName"},
    "AWS/Lambda": {"FunctionName", "EventSourceMappingUUID"},
    "AWS/SQS": {"QueueName"},
}


def own_metrics():
    """The metrics that each function's program sends, as its source names them."""
    found = {}
    for name in FUNCTIONS:
        sources = (ROOT / f"functions/{name}/src").rglob("*.rs")
        text = "".join(source.read_text() for source in sources)
        found[name] = set(re.findall(r'\("(\w+)", "(?:Count|Bytes|Milliseconds)"\)', text))
    return found


def check_operation(template, clients):
    cloudwatch, topic, own = clients("cloudwatch"), template.ids["AlarmTopic"], own_metrics()
    found = {one["AlarmName"]: one for one in cloudwatch.describe_alarms(MaxRecords=100)["MetricAlarms"]}
    same("the alarms", sorted(found), sorted(ALARMS))
    for name, alarm in found.items():
        holds(f"{name} does not tell what to do", len(alarm.get("AlarmDescription", "")) > 80)
        same(f"who is told by {name}", alarm["AlarmActions"], [topic])
        same(f"{name} without data", alarm["TreatMissingData"], "notBreaching")
        metrics = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", []) if "MetricStat" in one]
        looked_at = set()
        for metric in metrics or [alarm]:
            dimension = metric["Dimensions"][0]
            same(f"the number of {name}'s dimensions", len(metric["Dimensions"]), 1)
            space, value = metric["Namespace"], dimension["Value"]
            if space == template.stack:
                same(f"{name}'s dimension", dimension["Name"], "function")
                holds(f"{value} sends no metric {metric['MetricName']}", metric["MetricName"] in own[value])
                looked_at.add(("", metric["MetricName"], value))
                continue
            holds(f"{name} has dimension {dimension['Name']}", dimension["Name"] in DIMENSIONS[space])
            known = template.ids | {"DeadLetters.QueueName": template.attributes["DeadLetters.QueueName"]}
            names = {logical for logical, physical in known.items() if physical == value}
            holds(f"{name} looks at {value}, which is not of this stack", names)
            wanted = {one[2] for one in ALARMS[name]}
            looked_at.add((space, metric["MetricName"], next(iter(names & wanted), sorted(names)[0])))
        same(f"what {name} looks at", sorted(looked_at), sorted(ALARMS[name]))
    mails = clients("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    mail = template.parameters["AlarmEmail"]
    told = [(one["Protocol"], one["Endpoint"]) for one in mails]
    same("who is mailed alarms", told, [("email", mail)] if mail else [])
    # moto's CloudFormation makes the dashboard, and its expressions are too much for it: the body is resolved here.
    holds("there is no dashboard", cloudwatch.list_dashboards()["DashboardEntries"])
    body = json.loads(template.properties("OperationDashboard")["DashboardBody"])
    for widget in body["widgets"]:
        before = []
        for line in widget["properties"]["metrics"]:
            line = [one for one in line if isinstance(one, str)]
            if line[0] == "...":
                line = before[: len(before) - len(line) + 1] + line[1:]
            line = [before[place] if one == "." else one for place, one in enumerate(line)]
            same(f"the parts of a metric of {widget['properties']['title']}", len(line), 4)
            space, metric, dimension, value = before = line
            if space == template.stack:
                holds(f"the dashboard shows {metric} of {value}, which sends none", metric in own[value])
            else:
                holds(f"the dashboard has dimension {dimension}", dimension in DIMENSIONS[space])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--endpoint", required=True, help="URL of a running moto server")
    parser.add_argument("--packages", required=True, type=Path, help="folder with ingest/bootstrap and so on")
    parser.add_argument("--out", required=True, type=Path, help="where the result goes, as JSON")
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--stack", default="smtp-auth-report", help="the stack's name")
    given = parser.parse_args()
    parameters = dict(one.split("=", 1) for one in given.parameter)
    made = {}

    def clients(service):
        if service not in made:
            made[service] = boto3.client(service, region_name=REGION, endpoint_url=given.endpoint)
        return made[service]

    try:
        document = transformed(given.packages, parameters, clients("s3"), given.stack)
        template = Template(document, parameters, given.stack)
        check_parameters(template)
        check_resources(template, clients)
        outputs = deploy(template, clients)
        functions = check_functions(template, clients)
        stream_filter = check_event_sources(template, clients)
        for check in (check_table, check_buckets, check_stream, check_queue, check_api, check_sign_in, check_operation):
            check(template, clients)
    except (Wrong, BotoCoreError, ClientError, InvalidDocumentException, ResponseParserError) as error:
        print(f"deploy: {getattr(error, 'message', error)}", file=sys.stderr)
        sys.exit(1)
    result = {
        "functions": functions,
        "table": template.ids["Table"],
        "stream": template.ids["Stream"],
        "bucket": template.ids["ArchiveBucket"],
        "failures_bucket": template.ids["FailuresBucket"],
        "stream_filter": stream_filter,
        "outputs": outputs,
    }
    given.out.write_text(json.dumps(result, indent=2) + "\n")
    print(f"deploy: {len(functions)} functions, {len(template.ids)} resources, all as they should be")


if __name__ == "__main__":
    main()
