"""What no linter knows of openapi.yaml: that it agrees with itself.

- every row of x-problems is shown by at least one example, with its own status and title, and no example shows another;
- a problem stands in a response of its own status only;
- x-problems is in the order of the statuses, without doubles;
- every operation has an operationId, says what 400 is, and every body, either way, has an example;
- statuses are text, and nothing in the document is a date: the YAML of the contract must survive being made JSON.

Prints each fault with the place where it is; exits 1 if there was one.
"""

import json
import sys

import yaml

METHODS = {"get", "put", "post", "patch", "delete", "head", "options"}


def nodes(node, path="#"):
    """Every node of the document with its JSON pointer."""
    yield path, node
    if isinstance(node, dict):
        for key, value in node.items():
            yield from nodes(value, f"{path}/{str(key).replace('~', '~0').replace('/', '~1')}")
    elif isinstance(node, list):
        for i, value in enumerate(node):
            yield from nodes(value, f"{path}/{i}")


class Contract:
    def __init__(self, doc):
        self.doc = doc
        self.faults = []

    def fault(self, where, what):
        self.faults.append(f"{where}: {what}")

    def resolve(self, node):
        while isinstance(node, dict) and "$ref" in node:
            target = self.doc
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def operations(self):
        for path, item in self.doc["paths"].items():
            for method, operation in item.items():
                if method in METHODS:
                    yield f"{method.upper()} {path}", operation

    def responses(self):
        """(where, status, response) of every operation, and those that any request may get."""
        for where, operation in self.operations():
            for status, response in operation["responses"].items():
                yield f"{where} {status}", status, self.resolve(response)
        for status, response in self.doc["x-general-responses"].items():
            yield f"x-general-responses {status}", status, self.resolve(response)

    def examples(self, media):
        if "example" in media:
            yield "example", media["example"]
        for name, example in media.get("examples", {}).items():
            yield name, self.resolve(example)["value"]

    # --- the checks ---

    def check_json(self):
        for where, node in nodes(self.doc):
            if isinstance(node, dict) and any(not isinstance(key, str) for key in node):
                self.fault(where, f"keys that are not text: {[k for k in node if not isinstance(k, str)]}")
            elif not isinstance(node, (dict, list, str, int, float, bool, type(None))):
                self.fault(where, f"{type(node).__name__} has no counterpart in JSON; quote it")
        if not self.faults:
            json.dumps(self.doc, allow_nan=False)

    def check_operations(self):
        for where, operation in self.operations():
            if "operationId" not in operation:
                self.fault(where, "no operationId")
            if "400" not in operation["responses"]:
                self.fault(where, "no 400, but any operation refuses unknown parameters")
            for kind, media in operation.get("requestBody", {}).get("content", {}).items():
                if not list(self.examples(media)):
                    self.fault(where, f"no example of a request as {kind}")
        for where, _, response in self.responses():
            for kind, media in response.get("content", {}).items():
                if not list(self.examples(media)):
                    self.fault(where, f"no example of an answer as {kind}")

    def check_problems(self):
        rows = self.doc["x-problems"]
        known = {row["slug"]: row for row in rows}
        seen = set()
        if len(known) != len(rows):
            self.fault("x-problems", "a slug stands there twice")
        if [row["status"] for row in rows] != sorted(row["status"] for row in rows):
            self.fault("x-problems", "not in the order of the statuses")
        for where, status, response in self.responses():
            media = response.get("content", {}).get("application/problem+json", {})
            for name, example in self.examples(media):
                slug = example["type"].rsplit("/", 1)[-1]
                seen.add(slug)
                row = known.get(slug)
                if row is None:
                    self.fault(f"{where} {name}", f"{slug} is not in x-problems")
                elif (example["status"], example["title"]) != (row["status"], row["title"]):
                    self.fault(f"{where} {name}", f"{slug} has another status or title in x-problems")
                if status != str(example["status"]):
                    self.fault(f"{where} {name}", f"a problem of {example['status']} in a response of {status}")
        for slug in sorted(known.keys() - seen):
            self.fault("x-problems", f"no example shows {slug}")
        for where, status, response in self.responses():
            if status >= "400" and not response.get("content"):
                self.fault(where, "a refusal without a body")


def main(path):
    with open(path, encoding="utf-8") as file:
        contract = Contract(yaml.safe_load(file))
    contract.check_json()
    contract.check_operations()
    contract.check_problems()
    for fault in contract.faults:
        print(fault)
    operations = len(list(contract.operations()))
    print(f"{operations} operations, {len(contract.doc['x-problems'])} problems, {len(contract.faults)} faults")
    return 1 if contract.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
