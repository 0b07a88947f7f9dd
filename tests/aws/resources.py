"""Parameters, and what keeps data, brings it in and lets people at it."""

import json
import re

from expect import has, holds, listed, only, same
from functions import check_invokers, check_retention, role
from template import ACCOUNT, REGION

# Properties that would name a resource for the whole account or region.
NAMES = {"BucketName", "DashboardName", "FunctionName", "Name", "QueueName", "RoleName", "TableName", "TopicName"}


def check_parameters(stack):
    """The console and `sam deploy --guided` show every parameter, in a group and with a label."""
    interface, names = stack.document["Metadata"]["AWS::CloudFormation::Interface"], sorted(stack.parameters)
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    same("grouped parameters", sorted(grouped), names)
    same("labelled parameters", sorted(interface["ParameterLabels"]), names)
    for name, parameter in stack.document["Parameters"].items():
        holds(f"parameter {name} has no description", parameter.get("Description"))
        told = "AllowedPattern" not in parameter or parameter.get("ConstraintDescription")
        holds(f"parameter {name} does not tell what it must be", told)


def check_resources(stack):
    """Nothing keeps a second stack from the same account, and no permission comes in from elsewhere."""
    for name, resource in stack.document["Resources"].items():
        kind, properties = resource["Type"], resource.get("Properties", {})
        holds(f"{name} is a policy beside the roles", not re.fullmatch("AWS::IAM::.*Policy", kind))
        # moto drops managed policies that it does not know.
        has(name, properties, ManagedPolicyArns=None)
        if kind == "AWS::Lambda::Function" or kind.split("::")[1] in ("DynamoDB", "IAM", "Kinesis", "S3", "SNS", "SQS"):
            same(f"fixed names of {name}", sorted(NAMES & set(properties)), [])
    for name in ("Table", "ArchiveBucket", "FailuresBucket"):
        # A bucket that a failed first deployment made is empty; the protected table cannot be removed by it.
        policy = "Retain" if name == "Table" else "RetainExceptOnCreate"
        has(name, stack.document["Resources"][name], DeletionPolicy=policy, UpdateReplacePolicy="Retain")


def check_table(stack):
    found = stack.client("dynamodb").describe_table(TableName=stack.ids["Table"])["Table"]
    keys = [(one["AttributeName"], one["KeyType"]) for one in found["KeySchema"]]
    same("keys of the table", keys, [("pk", "HASH"), ("sk", "RANGE")])
    same("billing of the table", found["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST")
    has("the table", found, StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
    # moto's CloudFormation drops these, or keeps them in another form.
    has(
        "the table",
        stack.properties("Table"),
        TimeToLiveSpecification={"AttributeName": "x", "Enabled": True},
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        SSESpecification={"SSEEnabled": True},
        DeletionProtectionEnabled=stack.parameters["DeletionProtection"],
    )


def check_buckets(stack):
    s3 = stack.client("s3")
    for name, versioning, days in (("ArchiveBucket", None, 95), ("FailuresBucket", {"Status": "Enabled"}, 90)):
        bucket = stack.ids[name]
        rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        rule = only(f"encryptions of {name}", rules)
        same(f"encryption of {name}", rule["ApplyServerSideEncryptionByDefault"], {"SSEAlgorithm": "AES256"})
        policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
        has(
            f"the policy of {name}",
            only(f"statements about {name}", policy["Statement"]),
            Effect="Deny",
            Principal="*",
            Action="s3:*",
            Resource=[f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
            Condition={"Bool": {"aws:SecureTransport": "false"}},
        )
        # moto's CloudFormation drops these.
        properties = stack.properties(name)
        ways = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
        has(
            name,
            properties,
            PublicAccessBlockConfiguration=dict.fromkeys(ways, True),
            OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            VersioningConfiguration=versioning,
        )
        rules = properties.get("LifecycleConfiguration", {}).get("Rules", [])
        expiry = [one["ExpirationInDays"] for one in rules if "ExpirationInDays" in one and one["Status"] == "Enabled"]
        same(f"days that {name} keeps objects", expiry, [days])


def check_stream(stack):
    shards, arn = int(stack.parameters["Shards"]), stack.attributes["Stream.Arn"]
    found = stack.client("kinesis").describe_stream(StreamName=stack.ids["Stream"])["StreamDescription"]
    has("the stream", found, RetentionPeriodHours=int(stack.parameters["StreamRetentionHours"]))
    # moto's CloudFormation drops encryption and mode.
    has(
        "the stream",
        stack.properties("Stream"),
        StreamEncryption={"EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"},
        StreamModeDetails={"StreamMode": "PROVISIONED" if shards else "ON_DEMAND"},
        ShardCount=str(shards) if shards else None,
    )
    takers, statements = role(stack, "SubscriptionRole")
    has(
        "who may take the role of subscriptions",
        only("statements of who may take the role of subscriptions", takers),
        Principal={"Service": "logs.amazonaws.com"},
        Condition={
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
            "StringLike": {"aws:SourceArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:*"},
        },
    )
    statement = only("statements about subscriptions", statements)
    has("subscriptions", statement, Action=["kinesis:PutRecord", "kinesis:PutRecords"], Resource=arn)
    # A subscription is tested as it is made, and a role that has only just been made is not known everywhere yet. The event
    # source refers to the function.
    for name, before in ("IngestFunction", "SubscriptionRole"), *((f"Subscription{n}", "IngestSource") for n in range(1, 6)):
        awaited = listed(stack.document["Resources"][name].get("DependsOn", []))
        holds(f"{name} does not wait for {before}", before in awaited)
    for number in range(1, 6):
        group = stack.parameters[f"LogGroup{number}"]
        if not group:
            continue
        filters = stack.client("logs").describe_subscription_filters(logGroupName=group)["subscriptionFilters"]
        found, role_arn = only(f"subscriptions of {group}", filters), stack.attributes["SubscriptionRole.Arn"]
        has(f"the subscription of {group}", found, destinationArn=arn, roleArn=role_arn, filterPattern="")
        # It keeps lines in order. moto says so whatever is asked.
        has(f"the subscription of {group}", stack.properties(f"Subscription{number}"), Distribution="ByLogStream")


def check_queue(stack):
    url, days = stack.ids["DeadLetters"], 14
    found = stack.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    has("the queue", found, MessageRetentionPeriod=str(days * 86400))
    # moto's CloudFormation drops it.
    has("the queue", stack.properties("DeadLetters"), SqsManagedSseEnabled=True)


def check_api(stack):
    api, name = stack.client("apigatewayv2"), stack.ids["HttpApi"]
    has("the API", api.get_api(ApiId=name), ProtocolType="HTTP", CorsConfiguration=None)
    integration = only("integrations", api.get_integrations(ApiId=name)["Items"])
    has(
        "the integration",
        integration,
        IntegrationType="AWS_PROXY",
        IntegrationUri=stack.attributes["QueryFunction.Arn"],
        PayloadFormatVersion="2.0",
    )
    query = stack.properties("QueryFunction")
    holds("the API gives up before query does", query["Timeout"] * 1000 < integration["TimeoutInMillis"])
    route = only("routes", api.get_routes(ApiId=name)["Items"])
    # The function itself checks who asks.
    target = f"integrations/{integration['IntegrationId']}"
    has("the route", route, RouteKey="$default", AuthorizationType="NONE", Target=target)
    stage = only("stages", api.get_stages(ApiId=name)["Items"])
    has("the stage", stage, StageName="$default", AutoDeploy=True)
    throttling = {"ThrottlingBurstLimit": 50, "ThrottlingRateLimit": 25}
    has("throttling", stage.get("DefaultRouteSettings", {}), **throttling)
    log, group = stage.get("AccessLogSettings", {}), stack.ids["ApiLogs"]
    has("the access log", log, DestinationArn=f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}")
    # Paths and queries name senders, headers hold tokens.
    logged = sorted(json.loads(log["Format"]).values())
    parts = "httpMethod identity.sourceIp requestId requestTime responseLatency routeKey status"
    same("what the access log tells", logged, [f"$context.{part}" for part in parts.split()])
    check_retention(stack, group)
    check_invokers(stack, "Query", "apigateway.amazonaws.com", f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{name}/*/*")


def check_sign_in(stack):
    given, ids = stack.parameters, stack.ids
    kinds = sorted({kind for _, kind in stack.existing() if kind.startswith("AWS::Cognito::")})
    environment = stack.properties("QueryFunction")["Environment"]["Variables"]
    if given["OidcIssuer"]:
        same("what Cognito does beside an own provider", kinds, [])
        own = {"OIDC_ISSUER": given["OidcIssuer"], "OIDC_CLIENT_ID": given["OidcClientId"]}
        return has("the environment of query", environment, **own)
    issuer = f"https://cognito-idp.{REGION}.amazonaws.com/{ids['UserPool']}"
    has("the environment of query", environment, OIDC_ISSUER=issuer, OIDC_CLIENT_ID=ids["BrowserClient"])
    cognito, pool = stack.client("cognito-idp"), {"UserPoolId": ids["UserPool"]}
    found = cognito.describe_user_pool(**pool)["UserPool"]
    # Nobody is asked to set up what is optional, and no page lets anybody do it.
    required = given["RequireMfa"] == "true"
    has("the user pool", found, MfaConfiguration="ON" if required else "OPTIONAL", UsernameAttributes=["email"])
    # moto has a call of its own for it.
    has("the user pool", stack.properties("UserPool"), EnabledMfas=["SOFTWARE_TOKEN_MFA"])
    has("the user pool", found["AdminCreateUserConfig"], AllowAdminCreateUserOnly=True)
    holds("passwords may be short", found["Policies"]["PasswordPolicy"]["MinimumLength"] >= 12)

    def client(name, **expected):
        found = cognito.describe_user_pool_client(**pool, ClientId=ids[name])["UserPoolClient"]
        has(name, found, **expected)
        return found

    url = environment["DASHBOARD_URL"]
    browser = client(
        "BrowserClient",
        AllowedOAuthFlows=["code"],
        CallbackURLs=[f"{url}/signed-in"],
        LogoutURLs=[f"{url}/", f"{url}/signed-out"],
    )
    holds("the client of browsers has a secret", not browser.get("ClientSecret"))
    same("whether scripts have a client", "ScriptClient" in ids, given["ScriptAccess"] == "true")
    if "ScriptClient" in ids:
        scopes = ["smtp-auth-report/read", "smtp-auth-report/manage"]
        script = client("ScriptClient", AllowedOAuthFlows=["client_credentials"], AllowedOAuthScopes=scopes)
        holds("the client of scripts has no secret", script.get("ClientSecret"))
    managers = cognito.list_users_in_group(**pool, GroupName="managers")["Users"]
    mails = [one["Value"] for user in managers for one in user["Attributes"] if one["Name"] == "email"]
    same("managers", mails, [given["FirstManager"]] if given["FirstManager"] else [])
