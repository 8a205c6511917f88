import pytest

from swarm.dev import deploy_bench
from swarm.dev.deploy_bench import Bench, Figure
from swarm.errors import CommandFailed
from swarm.report import Report
from swarm.shell import RecordingShell, Result
from swarm.stacks.targets import PROJECT
from tests.unit.swarm.conftest import Make

RUN = str(deploy_bench.ROOT / "run")
DOCKER = ("docker", "--host", "unix:///some.sock")
SIX = "projects:\n" + "".join(f"  p{number}: {{organisations: [p{number}]}}\n" for number in range(6))
FEW = "admin,app,db,metrics,archive,p0,p1,p2"


def at_rest() -> None:
    """Nothing goes on."""


def made(make: Make, shell: RecordingShell, runs: int = 2) -> Bench:
    return Bench(make(deploy_bench.ENV.format(registry=5005, http=8005), SIX), runs, shell, Report())


def test_the_benchmarks_environment_has_every_stack_and_no_tasks_of_projects(make: Make) -> None:
    found = made(make, RecordingShell())
    assert {target.name for target in found.targets} >= {"admin", "db", "archive", "metrics", "app", "p0", "p5"}
    assert [target.name for target in found.few if target.project] == ["p0", "p1", "p2"]
    assert found.environment.file.sizes["project.sync"].replicas == 0
    assert found.environment.file.driver == "lab"


def test_ours_and_dockers_deploy_take_turns_once_neither_finds_a_change(make: Make) -> None:
    shell = RecordingShell()
    found, rests = made(make, shell), []
    found.figures(DOCKER, lambda: rests.append(shell.ran[-1][-1]))
    few, every = (str(found.environment.directory / "stacks" / f"{number}.sh") for number in (8, 11))
    verbs = [argv[1:] if argv[0] == RUN else argv for argv in shell.ran]
    rendering = next(argv for argv in shell.ran if "bench.rendered()" in argv[-1])
    exec(rendering[-1].removesuffix("()"))
    assert verbs == [
        ("sh", "-e", every), ("deploy", "all", "--no-tests"), ("plan", "all"),
        rendering, rendering, ("plan", "project"), ("plan", "project"),
        ("deploy", FEW), ("sh", "-e", few), ("deploy", FEW), ("sh", "-e", few),
        ("deploy", "all"), ("sh", "-e", every), ("deploy", "all"), ("sh", "-e", every),
        ("plan", "all"),
    ]  # fmt: skip
    assert rests == [PROJECT, few, few, every], "ours does not wait for what Docker's client has begun"


def test_dockers_client_gets_every_stack_file_one_after_the_other_with_its_defaults(make: Make) -> None:
    found = made(make, RecordingShell())
    found.figures(DOCKER, at_rest)
    folder = found.environment.directory / "stacks"
    lines = (folder / "11.sh").read_text().splitlines()
    assert lines == [
        f"docker --host unix:///some.sock stack deploy --compose-file {folder}/{target.name}.yml {target.name}"
        for target in found.targets
    ]
    assert "image:" in (folder / "p5.yml").read_text()


def test_a_deploy_that_is_no_no_op_is_not_measured(make: Make) -> None:
    shell = RecordingShell({(RUN, "plan"): Result((RUN, "plan"), 2, "admin 1 change")})
    with pytest.raises(CommandFailed, match="admin 1 change"):
        made(make, shell).figures(DOCKER, at_rest)


def test_a_goal_is_met_by_the_median() -> None:
    assert not Figure("plan", (1.0, 2.0, 9.0), 5.0).missed
    assert Figure("plan", (1.0, 6.0, 9.0), 5.0).missed
    assert not Figure("plan", (1.0, 6.0, 9.0)).missed


def test_figures_are_a_table_as_the_docs_hold_it() -> None:
    figures = (Figure("plan", (1.0, 2.0, 9.0), 5.0), Figure("both", (0.1, 0.25, 0.3), 0.2, deploy_bench.SHARE))
    assert deploy_bench.table(figures).splitlines() == [
        "| What | Runs | Min | Median | Max | Goal | Verdict |",
        "|---|---|---|---|---|---|---|",
        "| plan | 3 | 1.00 s | 2.00 s | 9.00 s | ≤ 5.00 s | met |",
        "| both | 3 | 10% | 25% | 30% | ≤ 20% | missed |",
    ]
