"""openapi.yaml against the tables in the code, both ways round: what one has, the other has.

- api/routes.c: method, path, operationId, query parameters, media types sent and taken;
- api/problem.h: slug, status and title of every problem, in the same order.

Read as text: the rows are made to be read.  Prints each difference; exits 1 if there was one.
"""

import pathlib
import re
import sys

import yaml

MEDIA = {
    "MEDIA_JSON": "application/json",
    "MEDIA_NDJSON": "application/x-ndjson",
    "MEDIA_TEXT": "text/plain",
    "MEDIA_METRICS": "text/plain",
    "MEDIA_YAML": "application/yaml",
    "CONSUMES_JSON": "application/json",
    "CONSUMES_MERGE_PATCH": "application/merge-patch+json",
}
ROW = re.compile(
    r"\{\s*METHOD_(?P<method>\w+),\s*\"(?P<path>[^\"]+)\",\s*\"(?P<operation>\w+)\",\s*(?P<handler>\w+),\s*\w+,"
    r"\s*(?P<sends>[\w| ]+),\s*(?P<takes>[\w| ]+),\s*\w+,\s*(?P<parameters>LIST_PARAMETERS|PARAMETERS\([^)]*\))\s*\}"
)
PROBLEM = re.compile(r"X\(\w+,\s*(\d+),\s*\"([a-z-]+)\",\s*\"([^\"]+)\"")


def words(text):
    return tuple(re.findall(r'"(\w+)"', text))


def media(text, names):
    for name, value in names.items():
        text = re.sub(rf"\b{name}\b", value, text)
    return frozenset(MEDIA[m] for m in re.findall(r"\b(?:MEDIA|CONSUMES)_\w+", text))


def routes_of_code(text):
    names = dict(re.findall(r"\b(\w+) = ((?:MEDIA|CONSUMES)_[\w| ]+)", text))
    lists = re.search(r"#define LIST_PARAMETERS(?:[^\n]*\\\n)*[^\n]*", text).group(0)
    rows = list(ROW.finditer(text))
    # A row that the pattern does not know would be a row not compared.
    if len(rows) != len(re.findall(r"\{ *METHOD_", text)):
        sys.exit("check_code.py: api/routes.c has rows that this does not understand")
    for row in rows:
        if row["operation"] != row["handler"]:
            sys.exit(f"check_code.py: {row['operation']} is handled by {row['handler']}")
        given = words(lists) if row["parameters"] == "LIST_PARAMETERS" else words(row["parameters"])
        yield (row["method"], row["path"]), {
            "operationId": row["operation"],
            "parameters": given,
            "sends": media(row["sends"], names),
            "takes": media(row["takes"], names),
        }


def resolve(doc, node):
    while "$ref" in node:
        target = doc
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def routes_of_contract(doc):
    for path, item in doc["paths"].items():
        for method, operation in item.items():
            parameters = [resolve(doc, p) for p in operation["parameters"]]
            responses = {status: resolve(doc, r) for status, r in operation["responses"].items()}
            # A deletion has no body to send, the rest send what 200 or 201 shows.
            shown = [set(r["content"]) for s, r in responses.items() if s in ("200", "201")]
            yield (method.upper(), re.sub(r"\{\w+\}", "*", path)), {
                "operationId": operation["operationId"],
                "parameters": tuple(p["name"] for p in parameters if p["in"] == "query"),
                "sends": frozenset(set().union(*shown)) if shown else None,
                "takes": frozenset(operation.get("requestBody", {}).get("content", {})),
            }


def differences(code, contract):
    for route in sorted(code.keys() | contract.keys()):
        name = " ".join(route)
        if route not in contract:
            yield f"{name} is in the code alone"
        elif route not in code:
            yield f"{name} is in the contract alone"
        else:
            for key, value in code[route].items():
                other = contract[route][key]
                if key == "parameters":
                    value, other = sorted(value), sorted(other)
                if other is not None and value != other:
                    yield f"{name}: {key}: the code has {value}, the contract {other}"


def main(top, spec):
    with open(spec, encoding="utf-8") as file:
        doc = yaml.safe_load(file)
    found = list(differences(dict(routes_of_code((top / "api/routes.c").read_text())), dict(routes_of_contract(doc))))
    code = [(int(status), slug, title) for status, slug, title in PROBLEM.findall((top / "api/problem.h").read_text())]
    contract = [(p["status"], p["slug"], p["title"]) for p in doc["x-problems"]]
    found += [f"the problem {p} is in the code alone" for p in code if p not in contract]
    found += [f"the problem {p} is in the contract alone" for p in contract if p not in code]
    for line in found:
        print(line)
    print(f"code and contract: {len(code)} problems, {len(found)} differences")
    return 1 if found or not code else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), sys.argv[2]))
