"""What can go wrong, each with an exit code of its own and a next step.

SwarmstatsError                 1
├── UnknownName                64   a stack, project, service or environment that is not there
├── EnvironmentInvalid         65   env.yaml or projects.yaml has mistakes (all of them listed)
├── TemplateInvalid            66   a template uses what it does not have
├── StackInvalid               67   a rendered stack is refused by Docker's stack schema
├── SecretMissing              68   a secret that nobody gave and nobody can generate
├── EngineUnavailable          69   no Docker engine answers
├── PortTaken                  70   a port of this machine is in use
├── ToolMissing                71   this machine lacks a program
├── ImageFailed                72   an image could not be made or pushed
├── ImageMissing               73   a stack needs an image that the registry does not have
├── NodeFailed                 74   a node could not be made, joined or reached
├── CommandFailed              75   a process ended with an error
├── NotConfirmed               76   something that destroys data was not confirmed
├── RegistryUnreachable        83   the registry does not answer, and what it holds must be known
├── SecretFileMissing          91   the swarm has a secret whose file is missing here
├── SecretNotFetched           93   a secret could not be read from the swarm, or not whole
├── SecretRefused              81   a secret that cannot come to be in this way
├── SelectionInvalid           82   a selection of services that cannot be read
├── ProjectExists              87   a project is there already as something else
├── ProjectsUneditable         88   projects.yaml is laid out so that it cannot be edited line by line
├── ArgumentInvalid            79   a word of a command means nothing there
├── BackupFailed               84   a backup, a dump or a check of one did not succeed
├── RestoreFailed              85   a restore did not succeed
├── BackupRunning              86   another backup, dump or restore of the same is under way
├── StackFailed                10   a deploy did not converge
├── DeadlinePassed              5   ... because time ran out
├── RolledBack                  3   a deploy failed, the last release serves again
├── RollbackFailed              4   a deploy failed, and so did going back
├── CheckFailed                15   a stack test failed
├── JobFailed                  19   a job could not be run at all
├── DatabaseUnhealthy          89   no server of the database answers, nobody leads, or it refuses what was asked
├── StackOrphaned              90   a stack runs that no project and no folder of stacks/ has any more
├── Locked                      6   another change of stacks is under way
├── LockLost                    7   the lock was broken or taken over while its holder changed stacks
├── CleanIncomplete            11   something of a cleaned stack is still there
├── StackNeeded                14   a stack cannot be cleaned while others use its networks
├── ChangedMeanwhile           16   somebody else changed the same thing at the same time
├── ReleaseGone                17   what a release refers to is not in the swarm any more
├── NoRelease                  18   no release to go back to, or to compare with
├── DemoFailed                 12   the demo's data did not arrive
└── TestsFailed                13   a tier of tests failed or could not run
"""

from collections.abc import Iterable
from difflib import get_close_matches


class SwarmstatsError(Exception):
    """Base of all errors that a user may see: a message, and what to do next."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UnknownName(SwarmstatsError):
    """A name that is not there; the message gives the nearest ones."""

    exit_code = 64

    def __init__(self, kind: str, name: str, known: Iterable[str], plural: str = "") -> None:
        names = sorted(known)
        near = get_close_matches(name, names, n=2, cutoff=0.6)
        meant = f" Did you mean {' or '.join(near)}?" if near else ""
        title = plural or f"{kind.capitalize()}s"
        super().__init__(f'No {kind} "{name}".{meant}', hint=f"{title}: {', '.join(names) or 'none'}.")


class EnvironmentInvalid(SwarmstatsError):
    """Mistakes in the files of an environment, one line each with file and path."""

    exit_code = 65

    def __init__(self, mistakes: Iterable[str]) -> None:
        self.mistakes = tuple(mistakes)
        count = f"{len(self.mistakes)} mistake{'s' if len(self.mistakes) != 1 else ''}"
        super().__init__(
            "\n".join((f"The environment has {count}:", *(f"  {line}" for line in self.mistakes))),
            hint="env/production/env.yaml is the commented example of every key.",
        )


class TemplateInvalid(SwarmstatsError):
    """A template could not be rendered; the message names stack, file, line and variable."""

    exit_code = 66


class StackInvalid(SwarmstatsError):
    """A rendered stack is not what Docker accepts."""

    exit_code = 67


class SecretMissing(SwarmstatsError):
    """A secret has no file and no generator."""

    exit_code = 68


class EngineUnavailable(SwarmstatsError):
    """No Docker engine answers where one was expected."""

    exit_code = 69


class PortTaken(SwarmstatsError):
    """A port that must be published is in use by something else."""

    exit_code = 70


class ToolMissing(SwarmstatsError):
    """A program is missing and may not be installed from here."""

    exit_code = 71


class ImageFailed(SwarmstatsError):
    """An image could not be built, made or pushed."""

    exit_code = 72


class ImageMissing(SwarmstatsError):
    """A stack refers to an image that its registry does not hold."""

    exit_code = 73


class RegistryUnreachable(SwarmstatsError):
    """The registry does not answer, so that nobody knows which images it holds."""

    exit_code = 83


class NodeFailed(SwarmstatsError):
    """A node could not be created, joined or reached."""

    exit_code = 74


class CommandFailed(SwarmstatsError):
    """A process ended with an error code; the message has its last lines."""

    exit_code = 75


class NotConfirmed(SwarmstatsError):
    """Data would be destroyed and nobody agreed."""

    exit_code = 76


class SecretFileMissing(SwarmstatsError):
    """The swarm has versions of generated secrets whose files are missing here; new ones would replace live ones."""

    exit_code = 91


class SecretNotFetched(SwarmstatsError):
    """A secret could not be read from the swarm, or what was read is not what its name says."""

    exit_code = 93


class SecretRefused(SwarmstatsError):
    """A secret cannot be written in the way that was asked for."""

    exit_code = 81


class SelectionInvalid(SwarmstatsError):
    """A selection of services is not made of key=value."""

    exit_code = 82


class ProjectExists(SwarmstatsError):
    """A project of this name is there, and is not what was asked for."""

    exit_code = 87


class ProjectsUneditable(SwarmstatsError):
    """projects.yaml has a layout in which one project cannot be told from the others line by line."""

    exit_code = 88


class ArgumentInvalid(SwarmstatsError):
    """A word of a command means nothing there: no duration, no number, no regular expression."""

    exit_code = 79


class BackupFailed(SwarmstatsError):
    """A backup, a dump or a check of one did not succeed; the message has the reason."""

    exit_code = 84


class RestoreFailed(SwarmstatsError):
    """A restore did not succeed; the message says what stands now."""

    exit_code = 85


class BackupRunning(SwarmstatsError):
    """Another backup, dump or restore of the same thing is under way."""

    exit_code = 86


class StackFailed(SwarmstatsError):
    """A deployed stack did not become healthy."""

    exit_code = 10


class DeadlinePassed(StackFailed):
    """A deployed stack was not healthy when its time was up."""

    exit_code = 5


class CheckFailed(StackFailed):
    """A stack runs, but not everything that its tests.yaml says of it holds."""

    exit_code = 15


class JobFailed(SwarmstatsError):
    """A job could not be run: it is none, no node takes it, or it could not start."""

    exit_code = 19


class Locked(SwarmstatsError):
    """Another change of stacks holds the lock."""

    exit_code = 6


class LockLost(SwarmstatsError):
    """The lock was broken or taken over, so that its holder had to stop where it was."""

    exit_code = 7


class DatabaseUnhealthy(SwarmstatsError):
    """The database does not answer, nobody leads it, or it refuses what was asked of it."""

    exit_code = 89


class StackOrphaned(SwarmstatsError):
    """A stack that runs and that nothing in the environment has any more, so that all it can be is removed."""

    exit_code = 90


class CleanIncomplete(SwarmstatsError):
    """Something of a removed stack is still there."""

    exit_code = 11


class StackNeeded(SwarmstatsError):
    """A stack whose networks other stacks use, so that it could only be removed by half."""

    exit_code = 14


class RolledBack(SwarmstatsError):
    """A deploy failed, and the last release serves again."""

    exit_code = 3


class RollbackFailed(SwarmstatsError):
    """A deploy failed, and going back to the last release failed too."""

    exit_code = 4


class ChangedMeanwhile(SwarmstatsError):
    """Something was changed by somebody else between reading and writing."""

    exit_code = 16


class ReleaseGone(SwarmstatsError):
    """What a release refers to is no longer in the swarm."""

    exit_code = 17


class NoRelease(SwarmstatsError):
    """There is no release to go back to or to compare with."""

    exit_code = 18


class DemoFailed(SwarmstatsError):
    """The demo runs but its data did not arrive."""

    exit_code = 12


class TestsFailed(SwarmstatsError):
    """A tier of tests failed, or a demanded tier could not run."""

    __test__ = False
    exit_code = 13
