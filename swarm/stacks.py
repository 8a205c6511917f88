"""stacks/<name> + Environment (+ Project) -> Stack: one Swarm stack, ready to be sent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from swarm import documents, images, manifests, rollouts, secrets, templates, versions
from swarm.environment import ROOT, Environment, shown
from swarm.errors import EnvironmentInvalid, StackInvalid
from swarm.manifests import Manifest
from swarm.rollouts import Rollout
from swarm.targets import Target
from swarm.versions import ConfigVersion, SecretVersion

NAME_BUDGET = 63


@dataclass(frozen=True)
class Stack:
    """A rendered stack: `document` is what Docker gets, `source` the text that it was read from."""

    target: Target
    manifest: Manifest
    document: Mapping[str, Any]
    configs: tuple[ConfigVersion, ...]
    secrets: tuple[SecretVersion, ...]
    images: tuple[images.Image, ...]
    rollout: Mapping[str, Rollout] = field(default_factory=dict)
    partial: bool = False
    source: str = ""

    @property
    def name(self) -> str:
        """The name of the Swarm stack."""
        return self.target.name

    @property
    def services(self) -> Mapping[str, Mapping[str, Any]]:
        """Services of the document by short name."""
        found: Mapping[str, Mapping[str, Any]] = self.document["services"]
        return found

    def text(self) -> str:
        """The document as YAML, fit for `docker stack deploy -c -`."""
        return documents.written(self.document)


def render(environment: Environment, target: Target) -> Stack:
    """Render one stack; raises TemplateInvalid or StackInvalid with file and line."""
    manifest = manifests.read()[target.template]
    directory = ROOT / "stacks" / target.template
    used: dict[str, images.Image] = {}
    variables = _variables(environment, target, manifest, used)
    place = shown(directory)
    source = templates.render(directory, "stack.yml.j2", variables, place)
    document = _parsed(source, place)
    document["services"], rollout = rollouts.split(document["services"], place)
    configs = tuple(
        versions.config(target.name, key, _content(directory, str(given["file"]), variables, place))
        for key, given in _section(document, "configs")
        if "file" in given
    )
    known = manifests.declarations()
    sealed = tuple(
        versions.secret(environment.secrets / f"{key}.secret", key, secrets.get(environment.secrets, key, known))
        for key, _ in _section(document, "secrets")
    )
    document = {
        **document,
        "configs": {**(document.get("configs") or {}), **{item.key: _external(item.name) for item in configs}},
        "secrets": {item.key: _external(item.name) for item in sealed},
        "services": _services(environment, target, document["services"]),
    }
    used_images = tuple(used.values())
    return Stack(target, manifest, _escaped(document), configs, sealed, used_images, rollout, source=source)


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


def _services(environment: Environment, target: Target, given: Mapping[str, Any]) -> dict[str, Any]:
    _sizes_fit(environment, target, given)
    return {
        name: _labelled(_sized(environment, target, name, service), target)
        for name, service in given.items()
        if _fits(f"{target.name}_{name}")
    }


def _fits(name: str) -> bool:
    if len(name) > NAME_BUDGET:
        raise StackInvalid(f"The service name {name} has {len(name)} characters; Swarm takes {NAME_BUDGET}.")
    return True


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


def _labelled(service: dict[str, Any], target: Target) -> dict[str, Any]:
    deploy = service["deploy"]
    labels = {**_mapping(deploy.get("labels")), "swarmstats.template": target.template}
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
