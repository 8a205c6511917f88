"""Completion of commands in a shell: `python -m verbs.completion TABLE WORD...` prints what the last word may become.

It must answer at once when the user presses Tab, so it imports next to nothing: verbs, flags and names come from
a table that the verb `completion` writes, and writes again when a file that it was made from has changed.
"""

import json
import os
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MADE_FROM = ("tasks.py", "verbs/*.py", "stacks/*/stack.yaml", "stacks/*/stack.yml.j2")
STALE = 3
SCRIPTS = {
    "bash": """\
_swarmstats() {
    local found root=@ROOT@ here
    if [[ $1 == */* ]]; then
        here=$(dirname -- "$(readlink -f -- "${1/#\\~/$HOME}")")
        [[ -f $here/verbs/completion.py ]] && root=$here
    fi
    _swarmstats_ask() { (cd -- "$root" && .venv/bin/python -E -S -m verbs.completion "${COMP_WORDS[@]:1:COMP_CWORD}"); }
    found=$(_swarmstats_ask 2>/dev/null)
    [[ $? == 3 ]] && found=$("$root/run" completion >/dev/null 2>&1; _swarmstats_ask 2>/dev/null)
    local IFS=$'\\n'
    COMPREPLY=($found)
}
complete -o default -F _swarmstats run invoke inv
""",
    "zsh": """\
_swarmstats() {
    local found root=@ROOT@ here=${words[1]:A:h}
    [[ ${words[1]} == */* && -f $here/verbs/completion.py ]] && root=$here
    _swarmstats_ask() { (cd -- $root && .venv/bin/python -E -S -m verbs.completion "${(@)words[2,CURRENT]}") }
    found=$(_swarmstats_ask 2>/dev/null)
    [[ $? == 3 ]] && found=$($root/run completion >/dev/null 2>&1; _swarmstats_ask 2>/dev/null)
    if [[ -n $found ]]; then compadd -- ${(f)found}; else _files; fi
}
compdef _swarmstats run invoke inv
""",
    "fish": """\
function __swarmstats_ask
    sh -c 'cd "$1" && shift && exec .venv/bin/python -E -S -m verbs.completion "$@" 2>/dev/null' sh $argv
end
function __swarmstats
    set -l root @ROOT@
    set -l given (commandline --tokenize --cut-at-cursor --current-process)
    set --append given (commandline --current-token --cut-at-cursor)
    set -l here (dirname (realpath -- $given[1] 2>/dev/null; or echo /))
    string match --quiet '*/*' -- $given[1]; and test -f $here/verbs/completion.py; and set root $here
    __swarmstats_ask $root $given[2..-1]
    if test $status = 3
        $root/run completion >/dev/null 2>&1
        __swarmstats_ask $root $given[2..-1]
    end
end
for program in run invoke inv
    complete --command $program --arguments '(__swarmstats)'
end
""",
}

Table = Mapping[str, Any]


def candidates(table: Table, words: Sequence[str]) -> list[str]:
    """What the last of the words (after the program's name) may become; empty where files are meant."""
    before, last = list(words[:-1]), words[-1] if words else ""
    verb = next((word for word in before if word in table["verbs"]), "")
    if "--" in before:
        return []
    if not verb:
        return _fitting(["--dry", "--help", "--list"] if last.startswith("-") else table["verbs"], last)
    known: Mapping[str, str] = table["verbs"][verb]
    names: Mapping[str, Sequence[str]] = table["names"]
    if last.startswith("-"):
        return _fitting([flag for flag in known if flag.startswith("--")], last)
    if values := known.get(before[-1]):
        return _listed(names.get(values, ()), last)
    after = before[before.index(verb) + 1 :]
    given = [word for flag, word in zip([verb, *after], after, strict=False) if not _explained(known, flag, word)]
    return [] if given else _listed(names.get(known[""], ()), last)


def stamps(root: Path, environment: Path) -> dict[str, int]:
    """When the files that a table is made from were changed last."""
    found = [path for pattern in MADE_FROM for path in root.glob(pattern)]
    found += [environment / "env.yaml", environment / "projects.yaml"]
    return {str(path): path.stat().st_mtime_ns for path in found if path.exists()}


def place(process: Mapping[str, str] = os.environ) -> tuple[Path, Path]:
    """The environment's folder and the file of its table."""
    name = process.get("SWARMSTATS_ENV") or "lab"
    folder = Path(process.get("SWARMSTATS_ENVS") or ROOT / "env").resolve() / name
    return folder, ROOT / ".swarmstats" / f"completion-{name}.json"


def script(shell: str) -> str:
    """What a shell reads to complete `./run`, `run`, `invoke` and `inv`; `shell` is one of SHELLS."""
    return SCRIPTS[shell].replace("@ROOT@", shlex.quote(str(ROOT)))


def main(words: Sequence[str]) -> int:
    """Print candidates, one a line; STALE when the table must be made first."""
    environment, file = place()
    try:
        table = json.loads(file.read_text())
    except (OSError, ValueError):
        return STALE
    if table["stamps"] != stamps(ROOT, environment):
        return STALE
    sys.stdout.write("".join(f"{found}\n" for found in candidates(table, words)))
    return 0


def _explained(known: Mapping[str, str], flag: str, word: str) -> bool:
    """Whether a word is a flag or the value of one."""
    return word.startswith("-") or bool(known.get(flag))


def _fitting(known: Iterable[str], last: str) -> list[str]:
    return sorted(word for word in known if word.startswith(last))


def _listed(known: Iterable[str], last: str) -> list[str]:
    """The last one of a comma list is completed."""
    head, comma, tail = last.rpartition(",")
    return [f"{head}{comma}{word}" for word in _fitting(known, tail)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
