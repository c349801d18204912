#!/usr/bin/env python3
"""yaml2json.py IN OUT - the contract as JSON, members in their order.  Dates stay the text they are."""
import json
import sys

import yaml


class Loader(yaml.SafeLoader):
    """YAML 1.2 as OpenAPI means it: times are text."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rows if tag != "tag:yaml.org,2002:timestamp"]
    for first, rows in yaml.SafeLoader.yaml_implicit_resolvers.items()
}

with open(sys.argv[1], encoding="utf-8") as source:
    document = yaml.load(source, Loader)
with open(sys.argv[2], "w", encoding="utf-8") as target:
    json.dump(document, target, ensure_ascii=False, separators=(",", ":"))
    target.write("\n")
