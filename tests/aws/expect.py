"""How checks tell what is wrong."""

import json

from template import Wrong


def holds(what, condition):
    """`what` is told if the condition does not hold."""
    if not condition:
        raise Wrong(what)


def same(what, found, expected):
    if found != expected:
        raise Wrong(f"{what}: {json.dumps(found, default=str)}, not {json.dumps(expected, default=str)}")


def has(what, properties, **expected):
    """Some properties are these, whatever the others are."""
    for name, value in expected.items():
        same(f"{name} of {what}", properties.get(name), value)


def only(what, found):
    """The one that there is."""
    same(f"number of {what}", len(found), 1)
    return found[0]


def listed(value):
    return value if isinstance(value, list) else [value]
