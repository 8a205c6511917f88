"""stacks/<name> + Environment (+ Project) -> Stack: one Swarm stack, ready to be sent."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from swarm import documents, images, manifests, secrets, templates, versions
from swarm.environment import ROOT, Environment, shown
from swarm.errors import EnvironmentInvalid, StackInvalid
from swarm.manifests import Manifest
from swarm.targets import Target
from swarm.versions import DIGEST, ConfigVersion, SecretVersion

NAME_BUDGET = 63


@dataclass(frozen=True)
class Stack:
    """A rendered stack: `document` is what Docker gets, configs and secrets are made before it."""

    target: Target
    manifest: Manifest
    document: Mapping[str, Any]
    configs: tuple[ConfigVersion, ...]
    secrets: tuple[SecretVersion, ...]
    images: tuple[images.Image, ...]

    @property
    def name(self) -> str:
        """The name of the Swarm stack."""
        return self.target.name

    @property
    def services(self) -> Mapping[str, Mapping[str, Any]]:
        """Services of the document by short name."""
        found: Mapping[str, Mapping[str, Any]] = self.document["services"]
        return found

    @property
    def digests(self) -> dict[str, str]:
        """Full service name -> hash of what was rendered for it."""
        return {
            f"{self.name}_{name}": str(service["deploy"]["labels"][DIGEST]) for name, service in self.services.items()
        }

    def text(self) -> str:
        """The document as YAML, fit for `docker stack deploy -c -`."""
        return yaml.dump(dict(self.document), sort_keys=False, width=120, Dumper=yaml.CSafeDumper)


def render(environment: Environment, target: Target) -> Stack:
    """Render one stack; raises TemplateInvalid or StackInvalid with file and line."""
    manifest = manifests.read()[target.template]
    directory = ROOT / "stacks" / target.template
    used: dict[str, images.Image] = {}
    variables = _variables(environment, target, manifest, used)
    place = shown(directory)
    document = _parsed(templates.render(directory, "stack.yml.j2", variables, place), place)
    configs = tuple(
        versions.config(target.name, key, _content(directory, str(given["file"]), variables, place))
        for key, given in _section(document, "configs")
        if "file" in given
    )
    known = manifests.declarations()
    sealed = tuple(
        versions.secret(key, secrets.get(environment.secrets, key, known)) for key, _ in _section(document, "secrets")
    )
    document = {
        **document,
        "configs": {**(document.get("configs") or {}), **{item.key: _external(item.name) for item in configs}},
        "secrets": {item.key: _external(item.name) for item in sealed},
        "services": _services(environment, target, document, _names(configs, sealed)),
    }
    return Stack(target, manifest, _escaped(document), configs, sealed, tuple(used.values()))


def needed_images(environment: Environment, wanted: Iterable[Target]) -> list[images.Image]:
    """Every image that stacks refer to, once."""
    found = {image.reference: image for target in wanted for image in render(environment, target).images}
    return list(found.values())


def _variables(
    environment: Environment, target: Target, manifest: Manifest, used: dict[str, images.Image]
) -> dict[str, Any]:
    values = environment.file.stacks.get(target.template, {})
    if unknown := sorted(set(values) - set(manifest.values)):
        allowed = ", ".join(sorted(manifest.values)) or "none"
        place = shown(environment.directory / "env.yaml")
        raise EnvironmentInvalid(
            f"{place}: stacks.{target.template}.{key}: unknown key; allowed: {allowed}" for key in unknown
        )

    def image(name: str) -> str:
        found = images.image(environment, name)
        used[name] = found
        return found.reference

    variables = {
        "env": environment,
        "values": {**manifest.values, **values},
        "projects": environment.projects,
        "image": image,
        "stack": target.name,
    }
    return {**variables, "project": target.project} if target.project else variables


def _parsed(text: str, place: str) -> dict[str, Any]:
    try:
        document = documents.parse(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise StackInvalid(f"{place}/stack.yml.j2: line {line} of what it renders: {error.problem}.") from error
    if not isinstance(document, dict) or not isinstance(document.get("services"), dict):
        raise StackInvalid(f"{place}/stack.yml.j2 renders no services.")
    return {key: value for key, value in document.items() if not str(key).startswith("x-")}


def _section(document: Mapping[str, Any], name: str) -> list[tuple[str, Mapping[str, Any]]]:
    return [(key, given or {}) for key, given in (document.get(name) or {}).items()]


def _content(directory: Path, file: str, variables: Mapping[str, Any], place: str) -> str:
    if file.endswith(".j2"):
        return templates.render(directory, file, variables, place)
    try:
        return (directory / file).read_text()
    except OSError as error:
        raise StackInvalid(f"{place}/stack.yml.j2: configs: {file}: {error.strerror}.") from error


def _external(name: str) -> dict[str, Any]:
    return {"external": True, "name": name}


def _services(
    environment: Environment, target: Target, document: Mapping[str, Any], names: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    shared = {name: document.get(name) for name in ("networks", "volumes")}
    services: dict[str, Any] = {}
    _sizes_fit(environment, target, document["services"])
    for name, given in document["services"].items():
        full = f"{target.name}_{name}"
        if len(full) > NAME_BUDGET:
            raise StackInvalid(f"The service name {full} has {len(full)} characters; Swarm takes {NAME_BUDGET}.")
        services[name] = _labelled(
            _sized(environment, target, name, given), target, {**shared, "versions": _versions(given, names)}
        )
    return services


def _sizes_fit(environment: Environment, target: Target, services: Mapping[str, Any]) -> None:
    place = shown(environment.directory / "env.yaml")
    mistakes = [
        f"{place}: sizes.{key}: {stack} has no service {service!r}; allowed: {', '.join(sorted(services))}"
        for key in environment.file.sizes
        for stack, _, service in [key.partition(".")]
        if stack in (target.template, target.name) and service not in services
    ]
    if mistakes:
        raise EnvironmentInvalid(mistakes)


def _sized(environment: Environment, target: Target, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Apply `sizes` of env.yaml: first of the template's service, then of this stack's."""
    service = dict(given)
    deploy = dict(service.get("deploy") or {})
    for key in dict.fromkeys((f"{target.template}.{name}", f"{target.name}.{name}")):
        if size := environment.file.sizes.get(key):
            resources = dict(deploy.get("resources") or {})
            limits = {"memory": size.memory, "cpus": size.cpus}
            resources["limits"] = {**(resources.get("limits") or {}), **{k: v for k, v in limits.items() if v}}
            deploy["resources"] = resources
            if size.replicas is not None:
                deploy["replicas"] = size.replicas
    return {**service, "deploy": deploy}


def _names(configs: Iterable[ConfigVersion], sealed: Iterable[SecretVersion]) -> dict[str, dict[str, str]]:
    """Section of a stack file -> key -> name of the version."""
    return {"configs": {item.key: item.name for item in configs}, "secrets": {item.key: item.name for item in sealed}}


def _versions(service: Mapping[str, Any], names: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Names of the configs and secrets that a service refers to, in short or long form: their contents are in them."""
    given = ((kind, item) for kind in names for item in service.get(kind) or ())
    keys = ((kind, str(item["source"]) if isinstance(item, Mapping) else str(item)) for kind, item in given)
    return [names[kind].get(key, key) for kind, key in keys]


def _labelled(service: dict[str, Any], target: Target, around: Mapping[str, Any]) -> dict[str, Any]:
    deploy = service["deploy"]
    labels = {**_mapping(deploy.get("labels")), "swarmstats.template": target.template}
    rendered = json.dumps([{**service, "deploy": {**deploy, "labels": labels}}, around], sort_keys=True, default=str)
    labels[DIGEST] = hashlib.sha256(rendered.encode()).hexdigest()[:16]
    return {**service, "deploy": {**deploy, "labels": labels}}


def _mapping(labels: Any) -> dict[str, Any]:
    if isinstance(labels, list):
        return {str(key): value for key, _, value in (str(label).partition("=") for label in labels)}
    return dict(labels or {})


def _escaped(value: Any) -> Any:
    """Double every `$`: variables are Jinja2's business, Docker's interpolation must find none."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, Mapping):
        return {key: _escaped(item) for key, item in value.items()}
    if isinstance(value, Iterable):
        return [_escaped(item) for item in value]
    return value
