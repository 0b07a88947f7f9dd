"""Alarms and the dashboard look at metrics that somebody sends."""

import json
import re

from expect import has, holds, only, same
from template import FUNCTIONS, PROGRAMS, ROOT

# What AWS sends, by namespace and dimension.
SENT = {
    ("AWS/ApiGateway", "ApiId"): "4xx 5xx Count Latency",
    ("AWS/DynamoDB", "TableName"): (
        "ConsumedReadCapacityUnits ConsumedWriteCapacityUnits ReadThrottleEvents WriteThrottleEvents"
    ),
    ("AWS/Kinesis", "StreamName"): "WriteProvisionedThroughputExceeded",
    ("AWS/Lambda", "EventSourceMappingUUID"): "DroppedEventCount OnFailureDestinationDeliveredEventCount",
    ("AWS/Lambda", "FunctionName"): "DestinationDeliveryFailures Duration Errors IteratorAge Throttles",
    ("AWS/SQS", "QueueName"): "ApproximateNumberOfMessagesVisible",
}
# What somebody must be told of.
WATCHED = {
    "IngestFunction": "DestinationDeliveryFailures Errors IteratorAge Throttles",
    "IngestSource": "DroppedEventCount OnFailureDestinationDeliveredEventCount",
    "ArchiveFunction": "Errors Throttles",
    "DetectFunction": "Errors Throttles",
    "QueryFunction": "Throttles",
    "ReportFunction": "Errors Throttles",
    "HttpApi": "5xx",
    "Stream": "WriteProvisionedThroughputExceeded",
    "Table": "ReadThrottleEvents WriteThrottleEvents",
    "DeadLetters": "ApproximateNumberOfMessagesVisible",
    "ingest": "log_streams_not_understood quarantined repeats_forgotten",
    "archive": "failed",
    "detect": "failing_channels raised",
    "query": "archives_unusable",
    "report": "failed",
}
# What CloudWatch Logs sends of each subscription, and the one form of query that finds it: the values of DestinationType
# are not documented.
FORWARDING = "DeliveryErrors DeliveryThrottling"
FORWARDED = re.compile(
    r"""SELECT SUM\((\w+)\) FROM SCHEMA\("AWS/Logs", DestinationType, FilterName, LogGroupName\)"""
    r""" WHERE (FilterName = '[^']+'(?: OR FilterName = '[^']+')*)"""
)


class Metrics:
    def __init__(self, stack):
        self.stack, self.own = stack, {}
        for name in FUNCTIONS:
            sources = (ROOT / f"functions/{PROGRAMS.get(name, name)}/src").rglob("*.rs")
            text = "".join(source.read_text() for source in sources)
            self.own[name] = set(re.findall(r"(\w+): \w+ => \w+, (?:Count|Bytes|Milliseconds);", text))
        self.senders = {physical: logical for logical, physical in stack.ids.items()}
        self.senders[stack.attributes["DeadLetters.QueueName"]] = "DeadLetters"

    def sender(self, who, space, metric, dimension, value):
        """Who sends a metric."""
        looks = f"{who} looks at {space} {metric} of {dimension} {value}, which"
        if space == self.stack.name:
            holds(f"{looks} is not sent", dimension == "function" and metric in self.own.get(value, ()))
            return value
        holds(f"{looks} is not sent", metric in SENT.get((space, dimension), "").split())
        holds(f"{looks} is not of the stack", value in self.senders)
        return self.senders[value]

    def asked(self, who, query):
        """Each sender and metric that a query is about."""
        found = FORWARDED.fullmatch(query)
        holds(f"{who} asks {query}, which is no query that is known", found)
        holds(f"{who} looks at {found[1]}, which is not sent", found[1] in FORWARDING.split())
        for name in re.findall("'([^']+)'", found[2]):
            holds(f"{who} looks at the subscription {name}, which is not of the stack", name in self.senders)
            yield self.senders[name], found[1]


def check_alarms(stack):
    metrics, topic, watched = Metrics(stack), stack.ids["AlarmTopic"], {}
    for alarm in stack.client("cloudwatch").describe_alarms(MaxRecords=100)["MetricAlarms"]:
        name = alarm["AlarmName"]
        has(name, alarm, AlarmActions=[topic], TreatMissingData="notBreaching")
        holds(f"{name} does not tell what to do", len(alarm.get("AlarmDescription", "")) > 80)
        several = [one["MetricStat"]["Metric"] for one in alarm.get("Metrics", []) if "MetricStat" in one]
        queries = [one["Expression"] for one in alarm.get("Metrics", []) if one.get("Expression", "").startswith("SELECT")]
        for sender, metric in (found for query in queries for found in metrics.asked(name, query)):
            watched.setdefault(sender, set()).add(metric)
        for one in several or ([] if queries else [alarm]):
            dimension = only(f"dimensions of {name}", one["Dimensions"])
            parts = one["Namespace"], one["MetricName"], dimension["Name"], dimension["Value"]
            watched.setdefault(metrics.sender(name, *parts), set()).add(one["MetricName"])
    subscriptions = [name for name, kind in stack.existing() if kind == "AWS::Logs::SubscriptionFilter"]
    for name, wanted in (WATCHED | dict.fromkeys(subscriptions, FORWARDING)).items():
        missing = set(wanted.split()) - watched.get(name, set())
        holds(f"no alarm looks at {sorted(missing)} of {name}", not missing)
    for topic, parameter in (("AlarmTopic", "AlarmEmail"), ("AlertTopic", "AlertEmail")):
        listed = stack.client("sns").list_subscriptions_by_topic(TopicArn=stack.ids[topic])["Subscriptions"]
        mail = stack.parameters[parameter]
        told = [(one["Protocol"], one["Endpoint"]) for one in listed]
        same(f"who {topic} mails to", told, [("email", mail)] if mail else [])


def check_dashboard(stack):
    metrics = Metrics(stack)
    # moto makes the dashboard; the expressions in its body are too much for it.
    holds("there is no dashboard", stack.client("cloudwatch").list_dashboards()["DashboardEntries"])
    for widget in json.loads(stack.properties("OperationDashboard")["DashboardBody"])["widgets"]:
        title, before = widget["properties"]["title"], []
        for line in widget["properties"]["metrics"]:
            parts = [one for one in line if isinstance(one, str)]
            # "..." stands for all but the last parts of the line before, "." for one.
            if parts[0] == "...":
                parts = before[: len(before) - len(parts) + 1] + parts[1:]
            before = [before[place] if one == "." else one for place, one in enumerate(parts)]
            metrics.sender(f"the dashboard's {title}", *before)
