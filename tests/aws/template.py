"""The template as CloudFormation gets it from SAM, and what its expressions come to."""

import json
import re
from pathlib import Path

from samcli.yamlhelper import yaml_parse
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.translator.transform import transform

REGION, ACCOUNT = "eu-west-1", "123456789012"
ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = ("ingest", "archive", "detect", "query", "report")
# Those whose program, and whose folder, is called otherwise: crates have these names already.
PROGRAMS = {"detect": "detector", "report": "reporter"}


class Wrong(Exception):
    """What is wrong, in words."""


class NoManagedPolicies:
    def load(self):
        return {}


def transformed(parameters, packages):
    """SAM's transform, offline; the functions' packages lie in that bucket."""
    source = yaml_parse((ROOT / "infra/aws/template.yaml").read_text())
    for name in FUNCTIONS:
        function = source["Resources"][f"{name.capitalize()}Function"]
        function["Properties"]["CodeUri"] = f"s3://{packages}/{name}.zip"
    try:
        return json.loads(json.dumps(transform(source, dict(parameters), NoManagedPolicies())))
    except InvalidDocumentException as error:
        raise Wrong(error.message) from error


def chosen(document, given):
    """The value of each parameter."""
    known = document["Parameters"]
    needed = {name for name, parameter in known.items() if "Default" not in parameter}
    if not needed <= set(given) <= set(known):
        raise Wrong(f"the parameters {sorted(given)} must hold {sorted(needed)} and be of {sorted(known)}")
    return {name: str(given.get(name, parameter.get("Default"))) for name, parameter in known.items()}


class Template:
    """The transformed template with its parameters, and with ids and attributes of what was made so far."""

    def __init__(self, name, document, given):
        self.name, self.document, self.parameters = name, document, chosen(document, given)
        self.ids, self.attributes = {}, {}

    def existing(self):
        """Name and type of each resource whose condition holds."""
        for name, resource in self.document["Resources"].items():
            if "Condition" not in resource or self.condition(resource["Condition"]):
                yield name, resource["Type"]

    def properties(self, name):
        return self.value(self.document["Resources"][name].get("Properties", {}))

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
                return all(map(self.condition, operands))
            case "Fn::Or":
                return any(map(self.condition, operands))
            case "Fn::Equals":
                first, second = (str(self.value(one)) for one in operands)
                return first == second
        raise Wrong(f"unknown condition {kind}")

    def reference(self, name):
        pseudo = {
            "AWS::Region": REGION,
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": self.name,
            # The real one comes too late for what is made before the stack.
            "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{self.name}/"
            "0f1e2d3c-0000-4000-8000-0123456789ab",
        }
        for known in (pseudo, self.parameters, self.ids, self.attributes):
            if name in known:
                return known[name]
        raise Wrong(f"{name} is referred to and is not there")

    def value(self, expression):
        if isinstance(expression, list):
            return [found for found in map(self.value, expression) if found is not None]
        if not isinstance(expression, dict):
            return expression
        match list(expression.items()):
            case [("Ref", "AWS::NoValue")]:
                return None
            case [("Ref", name)]:
                return self.reference(name)
            case [("Fn::GetAtt", operand)]:
                return self.reference(operand if isinstance(operand, str) else ".".join(operand))
            case [("Fn::If", [condition, holds, otherwise])]:
                return self.value(holds if self.condition(condition) else otherwise)
            case [("Fn::Select", [place, values])]:
                return self.value(values)[int(place)]
            case [("Fn::Join", [separator, texts])]:
                return separator.join(map(str, self.value(texts)))
            case [("Fn::Split", [separator, text])]:
                return self.value(text).split(separator)
            case [("Fn::Sub", operand)]:
                text, own = (operand, {}) if isinstance(operand, str) else operand
                own = self.value(own)

                def put(match):
                    return str(own[match[1]] if match[1] in own else self.reference(match[1]))

                return re.sub(r"\$\{([^!}]+)\}", put, text)
            case [(name, _)] if name.startswith("Fn::"):
                raise Wrong(f"unknown function {name}")
        found = {key: self.value(one) for key, one in expression.items()}
        return {key: one for key, one in found.items() if one is not None}
