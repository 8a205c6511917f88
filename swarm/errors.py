"""Errors that a user may see, each with its own exit code.

SwarmstatsError                 1
├── UnknownName                64   an unknown stack, project, service or environment
├── EnvironmentInvalid         65   env.yaml or projects.yaml is invalid (all mistakes are listed)
├── TemplateInvalid            66   a template cannot be rendered
├── StackInvalid               67   a rendered stack does not match Docker's schema
├── SecretMissing              68   a secret has no file and no generator
├── EngineUnavailable          69   no Docker engine answers
├── PortTaken                  70   a port of this machine is in use
├── ToolMissing                71   a program is not installed
├── ImageFailed                72   an image could not be built or pushed
├── ImageMissing               73   a stack needs an image that the registry does not have
├── NodeFailed                 74   a node could not be created, joined or reached
├── CommandFailed              75   a process failed
├── NotConfirmed               76   destroying data was not confirmed
├── RegistryUnreachable        83   the registry does not answer
├── SecretFileMissing          91   a secret of the swarm has no local file
├── SecretNotDecrypted         92   an encrypted secret cannot be decrypted
├── SecretNotFetched           93   a secret could not be read completely from the swarm
├── SecretRefused              81   a secret cannot be written this way
├── SelectionInvalid           82   an invalid selection of services
├── ProjectExists              87   a project of this name exists with other settings
├── ProjectsUneditable         88   projects.yaml has a layout that cannot be edited
├── ArgumentInvalid            79   an invalid argument
├── BackupFailed               84   a backup, dump or verification failed
├── RestoreFailed              85   a restore failed
├── BackupRunning              86   another backup, dump or restore is running
├── StackFailed                10   a deploy did not converge
├── DeadlinePassed              5   ... because it timed out
├── RolledBack                  3   a deploy failed and was rolled back
├── RollbackFailed              4   a deploy and its rollback failed
├── CheckFailed                15   a stack test failed
├── JobFailed                  19   a job could not be run
├── DatabaseUnhealthy          89   the database does not answer, has no leader or refuses
├── StackOrphaned              90   a running stack is no longer defined
├── Locked                      6   another client holds the deploy lock
├── LockLost                    7   the deploy lock was lost during a change
├── CleanIncomplete            11   parts of a cleaned stack still exist
├── StackNeeded                14   other stacks use the networks of a stack to be cleaned
├── ChangedMeanwhile           16   another client changed the same object
├── ReleaseGone                17   an object of a release is no longer in the swarm
├── NoRelease                  18   no release to roll back to or compare with
├── DemoFailed                 12   the demo received no data
└── TestsFailed                13   a test tier failed or could not run
"""

from collections.abc import Iterable
from difflib import get_close_matches


class SwarmstatsError(Exception):
    """Base of all errors that a user may see: a message, and a hint what to do."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UnknownName(SwarmstatsError):
    """An unknown name; the message suggests similar ones."""

    exit_code = 64

    def __init__(self, kind: str, name: str, known: Iterable[str], plural: str = "") -> None:
        names = sorted(known)
        near = get_close_matches(name, names, n=2, cutoff=0.6)
        meant = f" Did you mean {' or '.join(near)}?" if near else ""
        title = plural or f"{kind.capitalize()}s"
        super().__init__(f'No {kind} "{name}".{meant}', hint=f"{title}: {', '.join(names) or 'none'}.")


class EnvironmentInvalid(SwarmstatsError):
    """Invalid files of an environment, one line per mistake with file and path."""

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
    """A rendered stack does not match Docker's schema."""

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
    """A program is missing and cannot be installed automatically."""

    exit_code = 71


class ImageFailed(SwarmstatsError):
    """An image could not be built or pushed."""

    exit_code = 72


class ImageMissing(SwarmstatsError):
    """A stack refers to an image that its registry does not hold."""

    exit_code = 73


class RegistryUnreachable(SwarmstatsError):
    """The registry does not answer, so it is unknown which images exist."""

    exit_code = 83


class NodeFailed(SwarmstatsError):
    """A node could not be created, joined or reached."""

    exit_code = 74


class CommandFailed(SwarmstatsError):
    """A process failed; the message has its last lines."""

    exit_code = 75


class NotConfirmed(SwarmstatsError):
    """Destroying data was not confirmed."""

    exit_code = 76


class SecretFileMissing(SwarmstatsError):
    """The swarm has versions of generated secrets whose files are missing here; new ones would replace live ones."""

    exit_code = 91


class SecretNotFetched(SwarmstatsError):
    """A secret could not be read from the swarm, or its content does not match its name."""

    exit_code = 93


class SecretNotDecrypted(SwarmstatsError):
    """An encrypted secret cannot be decrypted: no age identity, none that fits, or a damaged file."""

    exit_code = 92


class SecretRefused(SwarmstatsError):
    """A secret cannot be written in the requested way."""

    exit_code = 81


class SelectionInvalid(SwarmstatsError):
    """A selection of services is not made of key=value."""

    exit_code = 82


class ProjectExists(SwarmstatsError):
    """A project of this name exists with other settings."""

    exit_code = 87


class ProjectsUneditable(SwarmstatsError):
    """projects.yaml has a layout in which projects are not on separate lines."""

    exit_code = 88


class ArgumentInvalid(SwarmstatsError):
    """An argument is invalid, e.g. not a duration, number or regular expression."""

    exit_code = 79


class BackupFailed(SwarmstatsError):
    """A backup, dump or verification failed; the message has the reason."""

    exit_code = 84


class RestoreFailed(SwarmstatsError):
    """A restore failed; the message describes the present state."""

    exit_code = 85


class BackupRunning(SwarmstatsError):
    """Another backup, dump or restore of the same database is running."""

    exit_code = 86


class StackFailed(SwarmstatsError):
    """A deployed stack did not become healthy."""

    exit_code = 10


class DeadlinePassed(StackFailed):
    """A deployed stack did not become healthy in time."""

    exit_code = 5


class CheckFailed(StackFailed):
    """A stack runs, but tests of its tests.yaml fail."""

    exit_code = 15


class JobFailed(SwarmstatsError):
    """A job could not be run: it is not a job, no node accepts it, or it failed to start."""

    exit_code = 19


class Locked(SwarmstatsError):
    """Another client holds the deploy lock."""

    exit_code = 6


class LockLost(SwarmstatsError):
    """The deploy lock was broken or taken over; its former holder must stop."""

    exit_code = 7


class DatabaseUnhealthy(SwarmstatsError):
    """The database does not answer, has no leader, or refuses the request."""

    exit_code = 89


class StackOrphaned(SwarmstatsError):
    """A running stack that is no longer defined, and can only be removed."""

    exit_code = 90


class CleanIncomplete(SwarmstatsError):
    """Parts of a removed stack still exist."""

    exit_code = 11


class StackNeeded(SwarmstatsError):
    """Other stacks use the networks of a stack, so it cannot be removed completely."""

    exit_code = 14


class RolledBack(SwarmstatsError):
    """A deploy failed and was rolled back to the last release."""

    exit_code = 3


class RollbackFailed(SwarmstatsError):
    """A deploy failed, and so did the rollback to the last release."""

    exit_code = 4


class ChangedMeanwhile(SwarmstatsError):
    """Another client changed an object between our read and write."""

    exit_code = 16


class ReleaseGone(SwarmstatsError):
    """What a release refers to is no longer in the swarm."""

    exit_code = 17


class NoRelease(SwarmstatsError):
    """There is no release to roll back to or compare with."""

    exit_code = 18


class DemoFailed(SwarmstatsError):
    """The demo runs but received no data."""

    exit_code = 12


class TestsFailed(SwarmstatsError):
    """A test tier failed, or a requested tier could not run."""

    __test__ = False
    exit_code = 13
