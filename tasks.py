"""The verbs: `invoke VERB` in the environment, or `./run VERB` from anywhere."""

import gc
import sys

from invoke import Collection

# Invoke keeps no byte code unless it is told to: each verb would compile all modules of this project once more.
sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)
# A verb lives for seconds and drops little; looking for garbage a hundred times while modules load is a sixth of that.
gc.set_threshold(100_000)

from verbs import (  # noqa: E402
    backups,
    bench,
    database,
    inspection,
    local,
    lock,
    nodes,
    program,
    projects,
    releases,
    secrets,
    services,
    stacks,
)

namespace = Collection(
    local.demo,
    stacks.build,
    stacks.push,
    stacks.plan,
    stacks.deploy,
    stacks.deliver,
    releases.releases,
    releases.rollback,
    releases.drift,
    stacks.clean,
    inspection.show,
    stacks.render,
    inspection.status,
    inspection.logs,
    services.execute,
    services.scale,
    services.restart,
    inspection.browse,
    services.check,
    services.job,
    local.doctor,
    local.test,
    Collection("swarm", nodes.init, nodes.start, nodes.stop, nodes.clean, nodes.remount, nodes.status, nodes.label),
    Collection(
        "secret",
        secrets.show,
        secrets.generate,
        secrets.encrypt,
        secrets.fetch,
        secrets.import_,
        secrets.list_,
        secrets.rotate,
    ),
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
namespace.add_task(local.completion_of(namespace))
verb_program = program.VerbProgram(namespace)

if __name__ == "__main__" or program.loaded_by_invoke():
    program.main(verb_program)
