"""What two services cannot both have: a name or a rule in Traefik, a name in the DNS of a shared network."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from swarm.engine.wire import NAMESPACE
from swarm.lints import traefik
from swarm.lints.finding import Finding, Lint, listed, pairs, placed, plain
from swarm.live.services import Snapshot
from swarm.settings.yaml_lines import Location
from swarm.stacks.stack import Stack

# Words of a variable whose value is a host, and nothing but a host.
HOSTS = {"HOST", "HOSTS", "HOSTNAME", "SERVER", "SERVERS", "ADDRESS", "ADDR", "ENDPOINT", "UPSTREAM"}


@dataclass(frozen=True)
class _Member:
    """One service, of a rendered stack or (without one) of the swarm."""

    stack: Stack | None
    name: str
    full: str
    labels: Mapping[str, str]
    networks: Mapping[str, frozenset[str]]

    @property
    def namespace(self) -> str:
        return self.stack.name if self.stack else self.labels.get(NAMESPACE, self.full)


@dataclass(frozen=True)
class _Routed:
    """An object of Traefik and the service that makes it."""

    member: _Member
    item: traefik.Object


def collisions(stacks: Sequence[Stack], running: Snapshot | None = None) -> list[Lint]:
    """What collides between the services of stacks, and with running services that these stacks do not replace."""
    members = [_rendered(stack, name, service) for stack in stacks for name, service in stack.services.items()]
    if running:
        members += _running(running, {stack.name for stack in stacks})
    return [*_routing(members), *_aliases(members, stacks)]


def _rendered(stack: Stack, name: str, service: Mapping[str, Any]) -> _Member:
    known = stack.document.get("networks") or {}
    given = service.get("networks") or ["default"]
    joined = given if isinstance(given, Mapping) else dict.fromkeys(given)
    networks = {
        str((known.get(key) or {}).get("name") or f"{stack.name}_{key}"): frozenset(
            (options or {}).get("aliases") or ()
        )
        for key, options in joined.items()
    }
    labels = pairs((service.get("deploy") or {}).get("labels"))
    return _Member(stack, name, f"{stack.name}_{name}", labels, networks)


def _running(snapshot: Snapshot, replaced: set[str]) -> Iterator[_Member]:
    """Services that run in addition to the given stacks; the short name is one of their aliases like all others."""
    names = {str(item["Id"]): str(item["Name"]) for item in snapshot.networks}
    for raw in snapshot.services:
        spec = raw["Spec"]
        labels = spec.get("Labels") or {}
        if labels.get(NAMESPACE) not in replaced:
            full = str(spec["Name"])
            short = full.removeprefix(f"{labels.get(NAMESPACE, '')}_")
            joined = spec["TaskTemplate"].get("Networks") or ()
            networks = {
                names.get(str(item["Target"]), str(item["Target"])): frozenset(item.get("Aliases") or ()) - {short}
                for item in joined
            }
            yield _Member(None, short, full, labels, networks)


def _routing(members: Sequence[_Member]) -> Iterator[Lint]:
    named: dict[tuple[str, str, str], list[_Routed]] = defaultdict(list)
    ruled: dict[tuple[str, ...], list[_Routed]] = defaultdict(list)
    for member in members:
        for item in traefik.objects(member.labels):
            named[(item.protocol, item.kind, item.name.lower())].append(_Routed(member, item))
            if item.kind == "routers" and (rule := item.options.get("rule")):
                ruled[_claim(item, rule)].append(_Routed(member, item))
    for (_, kind, _), routed in named.items():
        for one, other in _rivals(routed):
            if kind == "services" or one.item.options != other.item.options or "service" not in one.item.options:
                yield from _clash(
                    one, f"{kind[:-1]} {one.item.name} is also defined by {other.member.full}", _instead(kind)
                )
    for claim, routed in ruled.items():
        for one, other in _rivals(routed):
            if one.item.name.lower() != other.item.name.lower():
                message = f"{other.member.full} has a router with the same rule: {claim[1]}"
                yield from _clash(one, message, "Use another host or path, or set a priority.")


def _claim(item: traefik.Object, rule: str) -> tuple[str, ...]:
    """What a router asks for: two that ask for the same share it by chance."""
    entrances = ",".join(sorted(item.options.get("entrypoints", "").replace(" ", "").split(",")))
    return item.protocol, " ".join(rule.split()), entrances, item.options.get("priority", "")


def _rivals(routed: Sequence[_Routed]) -> Iterator[tuple[_Routed, _Routed]]:
    """Each but the first owner with that one; running services come first."""
    owners = sorted(routed, key=lambda item: item.member.stack is not None)
    for one in owners[1:]:
        if one.member.full != owners[0].member.full:
            yield one, owners[0]


def _instead(kind: str) -> str:
    if kind == "services":
        return "Name it after its stack; otherwise Traefik distributes requests over the tasks of both."
    return "Name it after its stack; Traefik ignores both if they differ."


def _clash(routed: _Routed, message: str, hint: str) -> Iterator[Lint]:
    if stack := routed.member.stack:
        path = ("services", routed.member.name, "deploy", "labels", routed.item.label)
        yield placed(stack, routed.member.name, Finding(path, message, hint))


def _aliases(members: Sequence[_Member], stacks: Sequence[Stack]) -> Iterator[Lint]:
    """Names that resolve to services of two stacks: explicit aliases always, others only where they are used."""
    answering: dict[tuple[str, str], dict[str, _Member]] = defaultdict(dict)
    for member in members:
        for network, aliases in member.networks.items():
            for alias in (member.name, *aliases):
                answering[(network, alias)][member.full] = member
    shared = {key: list(found.values()) for key, found in answering.items() if len(_namespaces(found.values())) > 1}
    for (network, alias), owners in shared.items():
        yield from _chosen(network, alias, owners)
    yield from _used(shared, members, stacks)


def _namespaces(members: Iterable[_Member]) -> set[str]:
    return {member.namespace for member in members}


def _chosen(network: str, alias: str, owners: Sequence[_Member]) -> Iterator[Lint]:
    for owner in owners:
        if owner.stack and alias in owner.networks[network] and alias != owner.name:
            other = next(item for item in owners if item.namespace != owner.namespace)
            path = ("services", owner.name, "networks", _key(owner.stack, network), "aliases")
            message = f"alias {alias} also resolves to {other.full} on network {network}"
            yield placed(
                owner.stack, owner.name, Finding(path, message, "Use another alias or the full name, STACK_SERVICE.")
            )


def _key(stack: Stack, network: str) -> str:
    known = stack.document.get("networks") or {}
    named = (str(key) for key, given in known.items() if (given or {}).get("name") == network)
    return next(named, network.removeprefix(f"{stack.name}_"))


def _used(
    shared: Mapping[tuple[str, str], Sequence[_Member]], members: Sequence[_Member], stacks: Sequence[Stack]
) -> Iterator[Lint]:
    """Services that reach others by a name that is ambiguous on a network of theirs."""
    names = {alias for _, alias in shared}
    if not names:
        return
    hosts = _Hosts(names)
    contents = {config.name: config.content for stack in stacks for config in stack.configs}
    for member in members:
        ambiguous = {
            alias: (network, owners) for (network, alias), owners in shared.items() if network in member.networks
        }
        if member.stack and ambiguous:
            for path, alias in _references(member, member.stack, hosts, contents):
                if alias in ambiguous:
                    network, owners = ambiguous[alias]
                    others = " and ".join(sorted(owner.full for owner in owners)[:2])
                    more = f" and {len(owners) - 2} more" if len(owners) > 2 else ""
                    message = f"{alias} resolves to {others}{more} on network {network}"
                    hint = "Use the full name, STACK_SERVICE."
                    yield placed(member.stack, member.name, Finding(path, message, hint))


class _Hosts:
    """Finds names that a text uses as a host: `//name`, `user@name:5432`, `name:8080`."""

    def __init__(self, names: set[str]) -> None:
        self.names = names
        either = "|".join(sorted(map(re.escape, names)))
        after_slashes = rf"(?://|@)(?:tasks\.)?({either})(?![\w.-])"
        with_port = rf"(?<![\w./@-])(?:tasks\.)?({either}):\d{{2,5}}(?!\w)"
        self.pattern = re.compile(f"{after_slashes}|{with_port}")
        self.known: dict[str | bytes, frozenset[str]] = {}

    def of(self, text: str | bytes) -> frozenset[str]:
        """The names in a text; each text is read once, however many services have it."""
        if text not in self.known:
            readable = text if isinstance(text, str) else text.decode(errors="replace")
            near = readable if any(name in readable for name in self.names) else ""
            self.known[text] = frozenset(found[1] or found[2] for found in self.pattern.finditer(near))
        return self.known[text]


def _references(
    member: _Member, stack: Stack, hosts: _Hosts, contents: Mapping[str, bytes]
) -> Iterator[tuple[Location, str]]:
    """Path of the reference and the name that is referred to."""
    service = stack.services[member.name]
    for key, value in pairs(service.get("environment")).items():
        exact = {value} & hosts.names if HOSTS.intersection(key.upper().split("_")) else set()
        for alias in sorted(hosts.of(value) | exact):
            yield ("services", member.name, "environment", key), alias
    for section in ("command", "entrypoint"):
        for word in listed(service.get(section)):
            for alias in sorted(hosts.of(word)):
                yield ("services", member.name, section), alias
    for index, given in enumerate(service.get("configs") or ()):
        source = plain(given["source"] if isinstance(given, Mapping) else given)
        name = str(((stack.document.get("configs") or {}).get(source) or {}).get("name", ""))
        for alias in sorted(hosts.of(contents.get(name, b""))):
            yield ("services", member.name, "configs", index), alias
