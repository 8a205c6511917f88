"""A service spec as flat fields, named as in stack files, so that two specs can be compared.

A spec sent by Docker's client and the one that the managers return have the same fields: defaults that the managers
add are omitted or added here too, and references by ID are replaced by names.
"""

import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Spec = Mapping[str, Any]
Fields = dict[str, str]

# Groups of fields that no task feels: everything else restarts the tasks of a service.
LABELS = "labels."
IN_PLACE = ("replicas", "completions", "max_concurrent", "update_config.", "rollback_config.")
PLACEMENT = "placement."
NANO = 1_000_000_000
MEBI = 1 << 20
NAMES = {
    "StopGracePeriod": "stop_grace_period",
    "StopSignal": "stop_signal",
    "CapabilityAdd": "cap_add",
    "CapabilityDrop": "cap_drop",
    "ReadOnly": "read_only",
    "DNSConfig": "dns",
    "TTY": "tty",
    "OpenStdin": "stdin_open",
    "Dir": "working_dir",
}
# What the managers write where a client says nothing.
DEFAULTS = {
    "Isolation": "default",
    "Runtime": "container",
}


# Maps of stack files that become lists on their way, in no order; and where nothing is not the same as zero.
UNORDERED = ("hosts", "ulimits", "sysctls")
EXACT = ("init", "stop_grace_period", "restart_policy.delay")


def flat(spec: Spec, networks: Mapping[str, str]) -> Fields:
    """Path in the words of a stack file -> value as text; `networks` gives the names of network ids."""
    template = spec.get("TaskTemplate") or {}
    found: Fields = {}
    found.update(_mode(spec.get("Mode") or {}))
    found.update(_labels("labels.", spec.get("Labels")))
    found.update(_container(template.get("ContainerSpec") or {}))
    found.update(_tree("resources", template.get("Resources")))
    found.update(_restart(template.get("RestartPolicy")))
    found.update(_placement(template.get("Placement") or {}))
    found.update(_tree("logging", template.get("LogDriver")))
    found.update(_networks([*(template.get("Networks") or ()), *(spec.get("Networks") or ())], networks))
    found.update(_update("update_config", spec.get("UpdateConfig")))
    found.update(_update("rollback_config", spec.get("RollbackConfig")))
    found.update(_endpoint(spec.get("EndpointSpec") or {}))
    known = ("ContainerSpec", "Resources", "RestartPolicy", "Placement", "LogDriver", "Networks", "ForceUpdate")
    found.update(_tree("", {key: value for key, value in template.items() if key not in known}))
    return found


def _mode(mode: Spec) -> Fields:
    kind = next(iter(mode), "Replicated")
    said: Spec = mode.get(kind) or {}
    if kind == "Replicated":
        return {"mode": "replicated", "replicas": str(said.get("Replicas", 1))}
    if kind == "ReplicatedJob":
        total = said.get("TotalCompletions", said.get("MaxConcurrent", 1))
        return {
            "mode": "replicated-job",
            "completions": str(total),
            "max_concurrent": str(said.get("MaxConcurrent", 1)),
        }
    return {"mode": "global-job" if kind == "GlobalJob" else "global"}


def _labels(prefix: str, labels: Mapping[str, str] | None) -> Fields:
    return {f"{prefix}{key}": str(value) for key, value in (labels or {}).items()}


def _container(container: Spec) -> Fields:
    found: Fields = {"image": str(container.get("Image", ""))}
    found.update(_labels("container_labels.", container.get("Labels")))
    for item in container.get("Env") or ():
        key, given, value = str(item).partition("=")
        found[f"environment.{key}"] = value if given else "(unset)"
    for key, word in (("Args", "command"), ("Command", "entrypoint")):
        if container.get(key):
            found[word] = shlex.join(str(part) for part in container[key])
    for item in container.get("Mounts") or ():
        found.update(_tree(f"volumes.{item.get('Target')}", {k: v for k, v in item.items() if k != "Target"}))
    for kind in ("Configs", "Secrets"):
        found.update(_files(kind, container.get(kind) or ()))
    found.update(_tree("healthcheck", container.get("Healthcheck")))
    known = ("Image", "Labels", "Env", "Args", "Command", "Mounts", "Configs", "Secrets", "Healthcheck")
    rest = {NAMES.get(key, key): value for key, value in container.items() if key not in known}
    found.update(_tree("", rest))
    return found


def _files(kind: str, items: Iterable[Spec]) -> Iterator[tuple[str, str]]:
    """References to configs and secrets: the version's name, and whom the file in the container belongs to."""
    key = f"{kind[:-1]}Name"
    for item in items:
        file = item.get("File") or {}
        rights = f"{file.get('UID', '0')}:{file.get('GID', '0')} {int(file.get('Mode', 0o444)):o}"
        path = f"{kind.lower()}.{file.get('Name') or item.get(key)}"
        yield path, str(item.get(key))
        if rights != "0:0 444":
            yield f"{path}.rights", rights


def _restart(policy: Spec | None) -> Fields:
    said = {**(policy or {})}
    if said.get("Condition", "any") == "any":
        said.pop("Condition", None)
    return _tree("restart_policy", said)


def _placement(placement: Spec) -> Fields:
    return _tree("placement", {key: value for key, value in placement.items() if key != "Platforms"})


def _networks(items: Iterable[Spec], names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for item in items:
        target = str(item.get("Target"))
        name = names.get(target, target)
        yield f"networks.{name}", ", ".join(sorted(item.get("Aliases") or ())) or "attached"
        yield from _tree(f"networks.{name}.options", item.get("DriverOpts")).items()


def _update(word: str, said: Spec | None) -> Fields:
    """Defaults of the managers are left out; no section at all means their defaults too."""
    given = {**(said or {})}
    for key, default in (("FailureAction", "pause"), ("Order", "stop-first"), ("Parallelism", 1)):
        if given.get(key, default) == default:
            given.pop(key, None)
    if said and said.get("Parallelism") == 0:
        given["Parallelism"] = "all at once"
    return _tree(word, given)


def _endpoint(endpoint: Spec) -> Iterator[tuple[str, str]]:
    yield "endpoint_mode", str(endpoint.get("Mode") or "vip")
    for port in endpoint.get("Ports") or ():
        where = f"{port.get('TargetPort')}/{port.get('Protocol') or 'tcp'}"
        yield f"ports.{port.get('PublishedPort') or 'any'}:{where}", str(port.get("PublishMode") or "ingress")


def _tree(path: str, value: Any) -> Fields:
    """Whatever else there is, by its path; empty values say nothing and are left out."""
    found: Fields = {}
    if isinstance(value, Mapping):
        for key, item in value.items():
            if DEFAULTS.get(key) != item:
                found.update(_tree(f"{path}.{_word(key)}" if path else _word(key), item))
    elif isinstance(value, list | tuple):
        if value:
            texts = [_text(path, item) for item in value]
            found[path] = ", ".join(sorted(texts) if path in UNORDERED else texts)
    elif value not in (None, "", 0, False) or (value is not None and path in EXACT):
        found[path] = _text(path, value)
    return found


def _word(key: str) -> str:
    """`NanoCPUs` -> `cpus`, `MemoryBytes` -> `memory`, `StartPeriod` -> `start_period`."""
    known = {"NanoCPUs": "cpus", "MemoryBytes": "memory", "MaxReplicas": "max_replicas_per_node"}
    if key in known:
        return known[key]
    if not key[:1].isupper() or key.isupper():
        return key
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key).removeprefix("_")


def _text(path: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{key}={_text(key, item)}" for key, item in sorted(value.items()) if item not in (None, ""))
    if isinstance(value, int) and not isinstance(value, bool):
        last = path.rpartition(".")[2]
        if last == "cpus":
            return f"{value / NANO:g}"
        if last in ("memory", "size_bytes"):
            return f"{value // MEBI}M" if value % MEBI == 0 else str(value)
        if last in ("delay", "interval", "timeout", "monitor", "window") or last.endswith("_period"):
            return f"{value / NANO:g}s"
        if last == "start_interval":
            return f"{value / NANO:g}s"
    return str(value)
