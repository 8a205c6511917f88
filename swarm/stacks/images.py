"""images/<name>: one folder, one image, tagged by what is in it; built and pushed only when that changed."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from swarm.engine.client import Engine
from swarm.engine.refusals import REFUSALS, reason
from swarm.errors import ImageFailed, RegistryUnreachable, UnknownName
from swarm.host import prerequisites
from swarm.report import Report, Step
from swarm.settings.environment import ROOT, Environment
from swarm.shell import Shell

BASE = "base"
DEBIAN = "trixie"
UPSTREAM = f"debian:{DEBIAN}-slim"
LOCAL_DEBIAN = f"swarmstats/debian:{DEBIAN}"
LEFT_OUT = ("__pycache__", "*.pyc", ".mypy_cache", ".ruff_cache", ".pytest_cache", "*.egg-info", ".hypothesis")
PARALLEL_BUILDS = 3
# An engine says nothing while it reads or sends a large layer.
PUSH_TIMEOUT_SECONDS = 900
ARGUMENT = re.compile(r"^ARG ([A-Z][A-Z0-9_]*)$", re.MULTILINE)


@dataclass(frozen=True)
class Image:
    """An image of ours (`directory` set) or one from upstream that the environment names instead."""

    name: str
    reference: str
    directory: Path | None


def image(environment: Environment, name: str) -> Image:
    """The image that stands behind a name, tagged by content; raises UnknownName."""
    if override := environment.file.images.get(name):
        return Image(name, override, None)
    directory = ROOT / "images" / name
    if not (directory / "Dockerfile").exists():
        raise UnknownName("image", name, (path.parent.name for path in (ROOT / "images").glob("*/Dockerfile")))
    return Image(name, f"{environment.registry}/{name}:{tag(directory)}", directory)


@lru_cache
def tag(directory: Path) -> str:
    """The hash of a build context, of the base under it and of the images it is made of: 12 hex digits."""
    digest = hashlib.sha256()
    if directory.name != BASE:
        digest.update(tag(directory.parent / BASE).encode())
    for part in parts(directory):
        digest.update(tag(directory.parent / part).encode())
    for path in sorted(_files(directory)):
        executable = bool(path.stat().st_mode & 0o100)
        digest.update(f"{path.relative_to(directory)} {executable}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


@lru_cache
def parts(directory: Path) -> tuple[str, ...]:
    """The other images of ours that an image is made of: arguments of its Dockerfile that are called as they are."""
    dockerfile = directory / "Dockerfile"
    words = ARGUMENT.findall(dockerfile.read_text()) if dockerfile.exists() else []
    names = (word.lower() for word in words)
    return tuple(name for name in names if name != BASE and (directory.parent / name / "Dockerfile").exists())


def _files(directory: Path) -> Iterable[Path]:
    for path in directory.rglob("*"):
        parts = path.relative_to(directory).parts
        if path.is_file() and not any(fnmatch(part, pattern) for part in parts for pattern in LEFT_OUT):
            yield path


def build(
    environment: Environment, wanted: Sequence[Image], shell: Shell, report: Report, *, dry: bool = False
) -> None:
    """Build what is not on this machine yet, and not in the registry either."""
    engine = Engine()
    lacking = [
        item for item in wanted if item.directory and not exists_locally(engine, item) and not is_pushed(engine, item)
    ]
    missing = _with_parts(environment, lacking, engine)
    if dry:
        report.would(_deeds("build", _with_base(missing, engine)), "nothing to build")
        return
    with report.step("images built") as step:
        _build_all(environment, missing, shell, step)
        step.detail = _counts(missing, wanted, "built")
        step.skipped = not missing


def push(wanted: Sequence[Image], report: Report, *, dry: bool = False) -> None:
    """Push what the registry does not have yet."""
    engine = Engine()
    missing = [item for item in wanted if item.directory and not is_pushed(engine, item)]
    if dry:
        report.would(_deeds("push", missing), "nothing to push")
        return
    patient = Engine(timeout=PUSH_TIMEOUT_SECONDS)
    with report.step("images pushed") as step:
        step.note(", ".join(item.name for item in missing))
        with ThreadPoolExecutor(PARALLEL_BUILDS) as pool:
            list(pool.map(lambda item: _push(patient, item), missing))
        step.detail = _counts(missing, wanted, "pushed")
        step.skipped = not missing


def ensure_local(
    environment: Environment, names: Sequence[str], shell: Shell, report: Report, *, dry: bool = False
) -> dict[str, str]:
    """Make images of ours exist on this machine's own engine; returns name -> reference."""
    engine = Engine()
    wanted = [image(environment, name) for name in names]
    lacking = [item for item in wanted if item.directory and not exists_locally(engine, item)]
    missing = _with_parts(environment, lacking, engine)
    if missing and dry:
        report.would(_deeds("build", _with_base(missing, engine)), "nothing to build")
    elif missing:
        with report.step("lab images") as step:
            _build_all(environment, missing, shell, step)
            step.detail = ", ".join(item.name for item in missing)
    return {item.name: item.reference for item in wanted}


def exists_locally(engine: Engine, item: Image) -> bool:
    """Whether this machine's engine has the image."""
    return engine.images.exists(item.reference)


def is_pushed(engine: Engine, item: Image) -> bool:
    """Whether the registry has the image; a registry that does not answer has none."""
    return engine.images.was_pushed(item.reference)


def missing(wanted: Iterable[Image]) -> list[Image]:
    """Those of our images that the registry does not have; raises RegistryUnreachable where it does not answer."""
    engine = Engine()
    return [item for item in wanted if item.directory and not _answered(engine, item)]


def _answered(engine: Engine, item: Image) -> bool:
    try:
        return engine.images.in_registry(item.reference)
    except REFUSALS as error:
        registry = item.reference.partition("/")[0]
        raise RegistryUnreachable(
            f"The registry {registry} does not answer: {reason(error)}",
            hint="Start the registry (for the lab: ./run swarm.start), then try again.",
        ) from error


def _with_parts(environment: Environment, lacking: Sequence[Image], engine: Engine) -> list[Image]:
    """Images that are to be built, each after those that it is made of and that are nowhere yet."""
    found: dict[str, Image] = {}
    for item in lacking:
        for name in parts(item.directory) if item.directory else ():
            part = image(environment, name)
            if part.directory and not exists_locally(engine, part) and not is_pushed(engine, part):
                found[name] = part
        found[item.name] = found.get(item.name, item)
    return sorted(found.values(), key=lambda item: bool(item.directory and parts(item.directory)))


def _with_base(missing: Sequence[Image], engine: Engine) -> list[Image]:
    """Everything that is built when these are."""
    return [_base(), *missing] if missing and not exists_locally(engine, _base()) else list(missing)


def _deeds(verb: str, missing: Iterable[Image]) -> list[str]:
    return [f"{verb} {item.reference}" for item in missing]


def _counts(missing: Sequence[Image], wanted: Sequence[Image], verb: str) -> str:
    left = len(wanted) - len(missing)
    return f"{len(missing)} {verb}, {left} unchanged" if missing else f"{left} unchanged"


def _build_all(environment: Environment, missing: Sequence[Image], shell: Shell, step: Step) -> None:
    if not missing:
        return
    base = _base()
    # Two that make a base each get two that differ, and every layer on them is built twice.
    with prerequisites.taking_turns(step.note):
        client = prerequisites.ensure_builder(shell, lambda: debian(environment, shell, step), step.note)
        if not exists_locally(Engine(), base):
            step.note("base")
            _build(environment, base, {"DEBIAN": debian(environment, shell, step)}, client)
    done: list[str] = []

    def one(item: Image) -> None:
        made_of = {part.upper(): image(environment, part).reference for part in parts(ROOT / "images" / item.name)}
        _build(environment, item, {"BASE": base.reference, **made_of}, client)
        done.append(item.name)
        step.note(f"{len(done)} of {len(missing)}: built {item.name}")

    step.note(", ".join(item.name for item in missing))
    made_of_others = [item for item in missing if parts(ROOT / "images" / item.name)]
    for wave in ([item for item in missing if item not in made_of_others], made_of_others):
        with ThreadPoolExecutor(PARALLEL_BUILDS) as pool:
            list(pool.map(one, wave))


def _base() -> Image:
    """What all images of ours are built on; it stays on this machine."""
    return Image(BASE, f"swarmstats/{BASE}:{tag(ROOT / 'images' / BASE)}", ROOT / "images" / BASE)


def _build(environment: Environment, item: Image, arguments: dict[str, str], client: tuple[str, ...]) -> None:
    bundle = environment.file.build.ca_bundle or prerequisites.ca_bundle()
    engine = Engine(client=client)
    engine.build(ROOT / "images" / item.name, item.reference, arguments, [f"id=ca,src={bundle}"] if bundle else [])


def _push(engine: Engine, item: Image) -> None:
    try:
        for line in engine.images.push(item.reference):
            if problem := line.get("error"):
                raise ImageFailed(
                    f"{item.reference} could not be pushed: {problem}",
                    hint="Check that the registry runs (for the lab: ./run swarm.init).",
                )
    except REFUSALS as error:
        raise ImageFailed(
            f"{item.reference} could not be pushed: {error}", hint=f"Build it first: ./run build {item.name}"
        ) from error


def debian(environment: Environment, shell: Shell, step: Step) -> str:
    """The bare Debian under our base: what the environment names, else pulled, else made by mmdebstrap."""
    engine = Engine()
    given = environment.file.build.debian
    if given != "auto":
        return given
    for known in (LOCAL_DEBIAN, UPSTREAM):
        if exists_locally(engine, Image("debian", known, None)):
            return known
    try:
        step.note(f"pulling {UPSTREAM}")
        engine.images.pull(UPSTREAM)
        return UPSTREAM
    except REFUSALS:
        step.note("no image registry reachable: building Debian with mmdebstrap")
        return _bootstrapped(engine, shell)


def _bootstrapped(engine: Engine, shell: Shell) -> str:
    prerequisites.ensure_mmdebstrap(shell)
    repository, _, version = LOCAL_DEBIAN.partition(":")
    with TemporaryDirectory(prefix="swarmstats-") as directory:
        archive = Path(directory) / "debian.tar"
        shell.run(("mmdebstrap", "--quiet", "--variant=minbase", DEBIAN, str(archive)))
        engine.images.import_archive(archive, repository, version)
    return LOCAL_DEBIAN
