"""The verbs: `invoke VERB` in the environment, or `./run VERB` from anywhere."""

import sys

from invoke import Collection

# Invoke keeps no byte code unless it is told to: each verb would compile all modules of this project once more.
sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)

from swarm import words  # noqa: E402
from verbs import (  # noqa: E402
    backups,
    bench,
    database,
    lock,
    look,
    machine,
    nodes,
    projects,
    releases,
    secrets,
    services,
    stacks,
)

namespace = Collection(
    machine.demo,
    stacks.build,
    stacks.push,
    stacks.plan,
    stacks.deploy,
    stacks.deliver,
    releases.releases,
    releases.rollback,
    releases.drift,
    stacks.clean,
    look.show,
    stacks.render,
    look.status,
    look.logs,
    services.execute,
    services.scale,
    services.restart,
    look.browse,
    services.check,
    services.job,
    machine.doctor,
    machine.completion,
    machine.test,
    Collection("swarm", nodes.init, nodes.start, nodes.stop, nodes.clean, nodes.remount, nodes.status, nodes.label),
    Collection("secret", secrets.show, secrets.generate, secrets.import_, secrets.list_, secrets.rotate),
    Collection("lock", lock.status, lock.break_),
    Collection("release", releases.show),
    Collection("project", projects.add, projects.remove, projects.backfill, projects.status),
    Collection("bench", bench.manager, bench.ingest),
    Collection(
        "db",
        database.status,
        database.psql,
        database.switchover,
        database.reinit,
        database.config,
        backups.backup,
        backups.backups,
        backups.dump,
        backups.restore,
        backups.vacuum,
        backups.verify,
    ),
)
words.prepare(namespace)
