"""The stack as moto makes it. What moto's CloudFormation does not know is made through the API of its service."""

import copy
import io
import json
import re
import zipfile

import boto3

from template import FUNCTIONS, PROGRAMS, REGION, Template, Wrong, transformed

# Type of a resource, the call that makes it, and where its answer or the request has the id. Others refer to the first
# ones; the last ones refer to others, alarms to subscriptions.
BEFORE = [
    ("AWS::ApiGatewayV2::Api", "apigatewayv2", "create_api", "ApiId"),
    ("AWS::Cognito::UserPool", "cognito-idp", "create_user_pool", "UserPool.Id"),
    ("AWS::Cognito::UserPoolDomain", "cognito-idp", "create_user_pool_domain", "Domain"),
    ("AWS::Cognito::UserPoolResourceServer", "cognito-idp", "create_resource_server", "Identifier"),
    ("AWS::Cognito::UserPoolClient", "cognito-idp", "create_user_pool_client", "UserPoolClient.ClientId"),
    ("AWS::Cognito::UserPoolGroup", "cognito-idp", "create_group", "GroupName"),
    ("AWS::Cognito::UserPoolUser", "cognito-idp", "admin_create_user", "User.Username"),
    ("AWS::Cognito::UserPoolUserToGroupAttachment", "cognito-idp", "admin_add_user_to_group", "Username"),
]
AFTER = [
    ("AWS::ApiGatewayV2::Integration", "apigatewayv2", "create_integration", "IntegrationId"),
    ("AWS::ApiGatewayV2::Route", "apigatewayv2", "create_route", "RouteId"),
    ("AWS::ApiGatewayV2::Stage", "apigatewayv2", "create_stage", "StageName"),
    ("AWS::Logs::SubscriptionFilter", "logs", "put_subscription_filter", "filterName"),
    ("AWS::CloudWatch::Alarm", "cloudwatch", "put_metric_alarm", "AlarmName"),
    ("AWS::Lambda::EventInvokeConfig", "lambda", "put_function_event_invoke_config", "FunctionArn"),
    ("AWS::S3::BucketPolicy", "s3", "put_bucket_policy", "Bucket"),
    ("AWS::SNS::Subscription", "sns", "subscribe", "SubscriptionArn"),
]


def request(kind, name, properties):
    """What the API wants to hear, where it is not what CloudFormation does."""
    match kind:
        case "AWS::Cognito::UserPool":
            # It is set by a call of its own, which nothing here depends on.
            del properties["EnabledMfas"]
            return {"PoolName": properties.pop("UserPoolName")} | properties
        case "AWS::CloudWatch::Alarm":
            return {"AlarmName": name} | properties
        case "AWS::Logs::SubscriptionFilter":
            return {"filterName": name} | {key[0].lower() + key[1:]: one for key, one in properties.items()}
        case "AWS::S3::BucketPolicy":
            return {"Bucket": properties["Bucket"], "Policy": json.dumps(properties["PolicyDocument"])}
    return properties


class Stack(Template):
    """The template, deployed."""

    def __init__(self, name, endpoint, parameters):
        super().__init__(name, transformed(parameters, f"{name}-packages"), parameters)
        self.endpoint, self.clients, self.outputs = endpoint, {}, {}

    def client(self, service):
        if service not in self.clients:
            self.clients[service] = boto3.client(
                service,
                region_name=REGION,
                endpoint_url=self.endpoint,
                aws_access_key_id="none",
                aws_secret_access_key="none",
            )
        return self.clients[service]

    def make(self, packages):
        self.upload(packages)
        for name, value in self.parameters.items():
            if name.startswith("LogGroup") and value:
                self.client("logs").create_log_group(logGroupName=value)
        self.make_by_hand(BEFORE)
        self.make_with_cloudformation()
        self.make_by_hand(AFTER)

    def upload(self, packages):
        s3, bucket = self.client("s3"), f"{self.name}-packages"
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        for name in FUNCTIONS:
            program = packages / PROGRAMS.get(name, name) / "bootstrap"
            if not program.is_file():
                raise Wrong(f"{program} is not there")
            archive = io.BytesIO()
            with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as zipped:
                zipped.write(program, "bootstrap")
            s3.put_object(Bucket=bucket, Key=f"{name}.zip", Body=archive.getvalue())

    def make_by_hand(self, calls):
        existing = list(self.existing())
        for kind, service, call, place in calls:
            for name in (name for name, its_kind in existing if its_kind == kind):
                asked = request(kind, name, self.properties(name))
                found = asked | getattr(self.client(service), call)(**asked)
                for step in place.split("."):
                    found = found[step]
                self.ids[name] = found

    def make_with_cloudformation(self):
        document, kinds = copy.deepcopy(self.document), {kind for kind, *_ in BEFORE + AFTER}
        by_hand = [name for name, resource in document["Resources"].items() if resource["Type"] in kinds]
        for name in by_hand:
            # Whoever refers to it finds a parameter in its place.
            del document["Resources"][name]
            document["Parameters"][name] = {"Type": "String", "Default": self.ids.get(name, "")}
        # moto evaluates no rules.
        document.pop("Rules", None)
        # Outputs tell the attributes that are needed here.
        text = json.dumps(self.document)
        wanted = re.findall(r'"Fn::GetAtt": \["(\w+)", "([\w.]+)"\]', text) + re.findall(r"\$\{(\w+)\.(\w+)\}", text)
        wanted = sorted(one for one in set(wanted) if one[0] in document["Resources"])
        for number, attribute in enumerate(wanted):
            document["Outputs"][f"Attribute{number}"] = {"Value": {"Fn::GetAtt": list(attribute)}}
        cloudformation = self.client("cloudformation")
        cloudformation.create_stack(
            StackName=self.name,
            TemplateBody=json.dumps(document),
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[{"ParameterKey": name, "ParameterValue": one} for name, one in self.parameters.items()],
        )
        made = cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
        if made["StackStatus"] != "CREATE_COMPLETE":
            raise Wrong(f"the stack is {made['StackStatus']}")
        for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=self.name):
            for one in page["StackResourceSummaries"]:
                self.ids[one["LogicalResourceId"]] = one["PhysicalResourceId"]
        missing = sorted(name for name, _ in self.existing() if name in document["Resources"] and name not in self.ids)
        if missing:
            raise Wrong(f"moto did not make {missing}")
        self.outputs = {one["OutputKey"]: one["OutputValue"] for one in made["Outputs"]}
        for number, attribute in enumerate(wanted):
            self.attributes[".".join(attribute)] = self.outputs.pop(f"Attribute{number}")
