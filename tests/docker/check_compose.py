"""compose.yaml says what it must: confined, on loopback, with the health check of the Dockerfile."""

import json
import re
import sys

import yaml


def dockerfile_health_check(path):
    with open(path, encoding="utf-8") as file:
        line = re.search(r"^HEALTHCHECK (.*)$", file.read(), re.M).group(1)
    options = dict(re.findall(r"--([a-z-]+)=(\S+)", line))
    return ["CMD"] + json.loads(line[line.index("["):]), options


def faults(service, volumes, health, options):
    check = service["healthcheck"]
    yield "read_only is not set", service.get("read_only") is not True
    yield "capabilities are left", service.get("cap_drop") != ["ALL"] or "cap_add" in service
    yield "new privileges can be had", "no-new-privileges:true" not in service.get("security_opt", [])
    yield "privileged", service.get("privileged", False)
    yield "not the image's user", service.get("user") != "65532:65532"
    yield "published beyond loopback", not all(port.startswith("127.0.0.1:") for port in service["ports"])
    yield "no volume for the root directory", service["volumes"] != ["data:/var/lib/tallyd"] or "data" not in volumes
    yield "another health check than the image's", check["test"] != health
    yield "another timing than the image's", {
        "interval": check["interval"], "timeout": check["timeout"],
        "start-period": check["start_period"], "retries": str(check["retries"]),
    } != options


def main(compose, dockerfile):
    with open(compose, encoding="utf-8") as file:
        doc = yaml.safe_load(file)
    health, options = dockerfile_health_check(dockerfile)
    found = [what for what, wrong in faults(doc["services"]["tallyd"], doc["volumes"], health, options) if wrong]
    for what in found:
        print(what)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
