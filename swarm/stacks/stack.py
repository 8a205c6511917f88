"""stacks/<name> + Environment (+ Project) -> Stack: one Swarm stack, ready to be sent."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from swarm.errors import EnvironmentInvalid, StackInvalid
from swarm.settings import postgres, secrets, validation
from swarm.settings.environment import ROOT, Environment, relative
from swarm.stacks import images, rollout_options, templates, versions
from swarm.stacks import manifest as manifests
from swarm.stacks.manifest import Manifest
from swarm.stacks.rollout_options import Rollout
from swarm.stacks.selection import APP, Selection, Subject
from swarm.stacks.targets import Target
from swarm.stacks.versions import ConfigVersion, SecretVersion

NAME_LENGTH_LIMIT = 63


@dataclass(frozen=True)
class Stack:
    """A rendered stack: `document` is what Docker gets, `source` the text that it was read from.

    Of a `partial` one the services that were not selected are left out: they are to be left alone.
    """

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
        return validation.written(self.document)

    def subjects(self) -> dict[str, Subject]:
        """Services by short name, as a selection sees them."""
        return {
            name: Subject(_unescaped(service["deploy"]["labels"]), self.target, name)
            for name, service in self.services.items()
        }


def render(environment: Environment, target: Target) -> Stack:
    """Render one stack, writing nothing; raises TemplateInvalid or StackInvalid with file and line."""
    manifest = manifests.read()[target.template]
    directory = ROOT / "stacks" / target.template
    used: dict[str, images.Image] = {}
    variables = _variables(environment, target, manifest, used)
    place = relative(directory)
    source = templates.render(directory, "stack.yml.j2", variables, place)
    document = _parsed(source, place)
    document["services"], rollout = rollout_options.split(document["services"], place)
    configs = tuple(
        versions.config(target.name, key, _content(directory, str(given["file"]), variables, place))
        for key, given in _section(document, "configs")
        if "file" in given
    )
    known = manifests.declarations()
    sealed = tuple(
        versions.secret(secrets.file(environment.secrets, key), key, secrets.look(environment.secrets, key, known))
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


def secret_users(environment: Environment, target: Target) -> dict[str, list[str]]:
    """Secret of a stack -> short names of the services that refer to it; no secret is read, or made."""
    directory = ROOT / "stacks" / target.template
    variables = _variables(environment, target, manifests.read()[target.template], {})
    document = _parsed(templates.render(directory, "stack.yml.j2", variables, relative(directory)), relative(directory))
    return {
        key: [name for name, service in document["services"].items() if key in _sources(service, "secrets")]
        for key, _ in _section(document, "secrets")
    }


def narrow(stack: Stack, selection: Selection) -> Stack | None:
    """The part of a stack that is meant, with the configs, secrets and images that it uses; None when nothing is."""
    if not selection:
        return stack
    meant = {name for name, subject in stack.subjects().items() if selection.admits(subject)}
    if not meant:
        return None
    services = {name: service for name, service in stack.services.items() if name in meant}
    used = {kind: {key for one in services.values() for key in _sources(one, kind)} for kind in ("configs", "secrets")}
    sections = {
        kind: {key: given for key, given in _section(stack.document, kind) if key in keys}
        for kind, keys in used.items()
    }
    references = {service.get("image") for service in services.values()}
    return replace(
        stack,
        document={**stack.document, **sections, "services": services},
        configs=tuple(item for item in stack.configs if item.key in used["configs"]),
        secrets=tuple(item for item in stack.secrets if item.key in used["secrets"]),
        images=tuple(image for image in stack.images if image.reference in references),
        rollout={name: said for name, said in stack.rollout.items() if name in meant},
        partial=True,
    )


def chosen(rendered: Iterable[Stack], selection: Selection) -> list[Stack]:
    """The parts of stacks that are meant; raises UnknownName when nothing of any is."""
    whole = list(rendered)
    parts = [part for stack in whole if (part := narrow(stack, selection))]
    if not parts and whole:
        raise selection.nothing(subject for stack in whole for subject in stack.subjects().values())
    return parts


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
        place = relative(environment.directory / "env.yaml")
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
        "postgres": postgres.of(environment),
        "image": image,
        "stack": target.name,
    }
    return {**variables, "project": target.project} if target.project else variables


def _parsed(text: str, place: str) -> dict[str, Any]:
    try:
        document = validation.parse(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise StackInvalid(f"{place}/stack.yml.j2: rendered line {line}: {error.problem}.") from error
    except yaml.YAMLError as error:
        raise StackInvalid(f"{place}/stack.yml.j2: the rendered file is not YAML: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("services"), dict):
        raise StackInvalid(f"{place}/stack.yml.j2 has no services.")
    if shapeless := list(_shapeless(document)):
        raise StackInvalid("\n".join(f"{place}/stack.yml.j2: {path}: expected keys and values." for path in shapeless))
    return {key: value for key, value in document.items() if not str(key).startswith("x-")}


def _shapeless(document: Mapping[str, Any]) -> Iterator[str]:
    """Paths of what is looked into before Docker sees it, and is not a mapping; omitted values may be null."""
    for section in ("services", "networks", "configs", "secrets"):
        given = document.get(section) or {}
        if not isinstance(given, Mapping):
            yield section
            continue
        yield from (f"{section}.{key}" for key, one in given.items() if not isinstance(one or {}, Mapping))
    for name, service in document["services"].items():
        deploy = (service.get("deploy") or {}) if isinstance(service, Mapping) else {}
        if not isinstance(deploy, Mapping):
            yield f"services.{name}.deploy"
        elif not isinstance(deploy.get("labels") or {}, Mapping | list):
            yield f"services.{name}.deploy.labels"


def _section(document: Mapping[str, Any], name: str) -> list[tuple[str, Mapping[str, Any]]]:
    return [(key, given or {}) for key, given in (document.get(name) or {}).items()]


def _content(directory: Path, file: str, variables: Mapping[str, Any], place: str) -> str:
    if file.endswith(".j2"):
        return templates.render(directory, file, variables, place)
    try:
        return (directory / file).read_text()
    except OSError as error:
        raise StackInvalid(f"{place}/stack.yml.j2: configs: {file}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise StackInvalid(f"{place}/stack.yml.j2: configs: {file} is not UTF-8 text.") from error


def _external(name: str) -> dict[str, Any]:
    return {"external": True, "name": name}


def _services(environment: Environment, target: Target, given: Mapping[str, Any]) -> dict[str, Any]:
    _sizes_fit(environment, target, given)
    return {
        name: _labelled(_monitored(environment, _sized(environment, target, name, service)), target, name)
        for name, service in given.items()
        if _fits(f"{target.name}_{name}")
    }


def _fits(name: str) -> bool:
    if len(name) > NAME_LENGTH_LIMIT:
        raise StackInvalid(f"The service name {name} has {len(name)} characters; Swarm allows {NAME_LENGTH_LIMIT}.")
    return True


def _sizes_fit(environment: Environment, target: Target, services: Mapping[str, Any]) -> None:
    place = relative(environment.directory / "env.yaml")
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


def _monitored(environment: Environment, service: dict[str, Any]) -> dict[str, Any]:
    """Apply `rollout.monitor` of env.yaml to the updates and rollbacks that a service describes."""
    monitor = environment.rollout.monitor
    if monitor is None:
        return service
    deploy = dict(service["deploy"])
    for key in ("update_config", "rollback_config"):
        if key in deploy:
            deploy[key] = {**deploy[key], "monitor": monitor}
    return {**service, "deploy": deploy}


def _sources(service: Mapping[str, Any], kind: str) -> list[str]:
    """Keys of the configs or secrets (`kind`) that a service refers to, in short or long form."""
    return [str(item["source"]) if isinstance(item, Mapping) else str(item) for item in service.get(kind) or ()]


def _labelled(service: dict[str, Any], target: Target, name: str) -> dict[str, Any]:
    deploy = service["deploy"]
    labels = {APP: name, **_mapping(deploy.get("labels")), "swarmstats.template": target.template}
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


def _unescaped(labels: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value.replace("$$", "$") if isinstance(value, str) else value for key, value in labels.items()}
