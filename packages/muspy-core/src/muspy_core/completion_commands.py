"""`muspy-core completion bash|zsh|fish`: a script that lets the shell complete commands, options and files.

It is made of the parser itself, by walking its sub-commands, so that it knows what the program knows. The scripts need
nothing installed but the shell.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, Literal

Shell = Literal["bash", "zsh", "fish"]
SHELLS: tuple[Shell, ...] = ("bash", "zsh", "fish")
_WHERE = {
    "bash": "~/.local/share/bash-completion/completions/{program}",
    "zsh": "a folder of your $fpath, as _{program}",
    "fish": "~/.config/fish/completions/{program}.fish",
}


def add_completion_command(commands: Any, parser: Callable[[], argparse.ArgumentParser]) -> None:
    """Add `completion` to the sub-parsers of a program; parser: makes the whole parser of the program."""
    completion = commands.add_parser(
        "completion",
        help="print a script that completes commands in a shell",
        description="Print a script that completes commands in a shell.\n\n"
        '  eval "$(muspy-core completion bash)"                  in this shell\n'
        "  muspy-core completion fish > ~/.config/fish/completions/muspy-core.fish\n",
    )
    completion.add_argument("shell", choices=SHELLS, help="bash, zsh or fish")
    completion.add_argument("--debug", action="store_true", help=argparse.SUPPRESS)
    completion.set_defaults(command=lambda options: print(completion_script(parser(), options.shell)))


def completion_script(parser: argparse.ArgumentParser, shell: Shell) -> str:
    """Return the script for a shell, for the program that a parser is of."""
    table = {" ".join(path): _words(found) for path, found in _commands(parser, ())}
    where = _WHERE[shell].format(program=parser.prog)
    head = f"# Completion of {parser.prog} for {shell}; to keep it, save this as {where}.\n"
    body = {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](parser.prog, table)
    return head + body


# --- what there is to complete ---------------------------------------------------------------------------------------

# path of sub-commands → (sub-commands, options, option → its choices)
Words = tuple[dict[str, str], dict[str, str], dict[str, list[str]]]


def _commands(
    parser: argparse.ArgumentParser, path: tuple[str, ...]
) -> list[tuple[tuple[str, ...], argparse.ArgumentParser]]:
    found = [(path, parser)]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, sub_parser in action.choices.items():
                found += _commands(sub_parser, (*path, name))
    return found


def _words(parser: argparse.ArgumentParser) -> Words:
    commands: dict[str, str] = {}
    options: dict[str, str] = {}
    choices: dict[str, list[str]] = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            commands = {entry.dest: entry.help or "" for entry in action._choices_actions}
        elif action.option_strings and action.help != argparse.SUPPRESS:
            for option in action.option_strings:
                options[option] = (action.help or "").split(" (default")[0].replace("%(default)s", "")
                if action.choices is not None:
                    choices[option] = [str(choice) for choice in action.choices]
        elif action.choices is not None:
            commands.update({str(choice): "" for choice in action.choices})
    return commands, options, choices


# --- shells ----------------------------------------------------------------------------------------------------------


def _bash(program: str, table: dict[str, Words]) -> str:
    name = f"_{program.replace('-', '_')}"
    words = [
        f'        "{path}") commands="{" ".join(commands)}"; options="{" ".join(options)}" ;;'
        for path, (commands, options, _) in table.items()
    ]
    values = [
        f'        "{path}:{option}") COMPREPLY=($(compgen -W "{" ".join(given)}" -- "$current")); return ;;'
        for path, (_, _, choices) in table.items()
        for option, given in choices.items()
    ]
    paths = " ".join(f'"{path}"' for path in table if path)
    return "\n".join(
        [
            f"{name}() {{",
            '    local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}"',
            '    local path="" word known commands="" options=""',
            '    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
            f"        for known in {paths}; do",
            '            if [ "${path:+$path }$word" = "$known" ]; then path="$known"; break; fi',
            "        done",
            "    done",
            '    case "$path:$previous" in',
            *values,
            "    esac",
            '    case "$path" in',
            *words,
            "    esac",
            '    if [[ "$current" == -* ]]; then',
            '        COMPREPLY=($(compgen -W "$options" -- "$current"))',
            "    else",
            '        COMPREPLY=($(compgen -W "$commands" -- "$current"))',
            "    fi",
            "}",
            f"complete -o default -o bashdefault -F {name} {program}",
        ]
    )


def _zsh(program: str, table: dict[str, Words]) -> str:
    # zsh runs completions of bash, with the files of its own where these have none.
    bash = _bash(program, table)
    load = ("compinit && compinit -u", "bashcompinit && bashcompinit")
    return "\n".join([f"#compdef {program}", *(f"autoload -U +X {step}" for step in load), bash])


def _fish(program: str, table: dict[str, Words]) -> str:
    lines = []
    for path, (commands, options, choices) in table.items():
        inside = path.split()
        seen = [f"__fish_seen_subcommand_from {name}" for name in inside]
        when = "; and ".join(seen) or "__fish_use_subcommand"
        if commands and inside:
            when_new = f"{when}; and not __fish_seen_subcommand_from {' '.join(commands)}"
        else:
            when_new = when
        for name, purpose in commands.items():
            lines.append(f"complete -c {program} -n '{when_new}' -a '{name}' -d '{_fish_text(purpose)}'")
        for option, purpose in options.items():
            kind = f"-l {option[2:]}" if option.startswith("--") else f"-s {option[1:]}"
            given = f" -x -a '{' '.join(choices[option])}'" if option in choices else ""
            lines.append(f"complete -c {program} -n '{when}' {kind}{given} -d '{_fish_text(purpose)}'")
    return "\n".join(lines)


def _fish_text(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
