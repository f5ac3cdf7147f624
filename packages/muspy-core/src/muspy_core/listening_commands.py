"""`muspy-core listening build|report`: listening tests at the console (parse, call, report)."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
from pathlib import Path
from typing import Any

from muspy_core.console import EXIT_OK, Parser, add_debug_option, step

DESCRIPTION = """\
Blind, randomised listening tests: a page for listeners, and the means of what they answered.

  muspy-core listening build ours baseline -o test       a page in the folder test, the key in test-key.json
  muspy-core listening report test-key.json answers      means with 95 % confidence intervals
"""


def add_listening_commands(commands: Any) -> None:
    """Add `listening` with its verbs to the sub-parsers of a program."""
    listening = commands.add_parser("listening", help="make and evaluate listening tests", description=DESCRIPTION)
    verbs = listening.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)

    build = verbs.add_parser(
        "build",
        help="make a test of folders of sounds, one a system",
        description="Make a test of folders of sounds, one a system.\n\n"
        "  muspy-core listening build ours baseline -o test --questions test.yaml\n\n"
        "Sounds of the same name in several folders are versions of one item.\n",
    )
    build.set_defaults(command=_build)
    build.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="sounds of one system")
    build.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="folder to write")
    build.add_argument("--questions", type=Path, metavar="FILE", help="YAML file with title, questions and scales")
    build.add_argument("--seed", type=int, default=0, metavar="N", help="seed of names and order (default: 0)")
    build.add_argument("--overwrite", action="store_true", help="replace a test that exists")
    build.add_argument("--json", action="store_true", help="print JSON instead of lines")
    add_debug_option(build)

    report = verbs.add_parser(
        "report",
        help="summarise what listeners answered",
        description="Summarise what listeners answered.\n\n"
        "  muspy-core listening report test-key.json answers/*.json\n\n"
        "Means with 95 % confidence intervals of a bootstrap over listeners.\n",
    )
    report.set_defaults(command=_report)
    report.add_argument("key", type=Path, metavar="KEY", help="what `build` wrote beside the test (…-key.json)")
    report.add_argument(
        "answers", nargs="+", type=Path, metavar="ANSWERS", help="JSON or CSV files of listeners, or folders of them"
    )
    report.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the bootstrap (default: 0)")
    report.add_argument("--json", action="store_true", help="print JSON instead of a table")
    add_debug_option(report)


def _build(options: argparse.Namespace) -> int:
    from muspy_core.listening import build_test, load_questions

    test = load_questions(options.questions) if options.questions else None
    with step(f"made a listening test in {options.output}", quiet=options.json):
        key = build_test(options.folders, options.output, test, seed=options.seed, overwrite=options.overwrite)
    if options.json:
        print(json.dumps({"page": str(options.output / "index.html"), "key": str(key)}, indent=2))
        return EXIT_OK
    print(f"the key, to be kept from listeners: {key}")
    print(f"next: open {options.output / 'index.html'} in a browser, or put the folder on a web server")
    return EXIT_OK


def _report(options: argparse.Namespace) -> int:
    from muspy_core.console import expand_inputs
    from muspy_core.listening import load_answers, summarize

    answers = load_answers(expand_inputs(options.answers, (".json", ".csv")))
    summaries = summarize(answers, options.key, seed=options.seed)
    if options.json:
        # JSON knows no NaN, which stands for an interval that one listener cannot give.
        rows = [dataclasses.asdict(summary) for summary in summaries]
        clean = [{name: None if value != value else value for name, value in row.items()} for row in rows]
        print(json.dumps(clean, indent=2, ensure_ascii=False))
        return EXIT_OK
    width = max([len(summary.system) for summary in summaries], default=0)
    question = None
    for summary in summaries:
        if summary.question != question:
            question = summary.question
            print(question)
        interval = "" if math.isnan(summary.low) else f"[{summary.low:.2f}, {summary.high:.2f}]"
        count = f"{summary.n} answers of {summary.listeners} listeners"
        print(f"  {summary.system:<{width}}  {summary.mean:.2f}  {interval:<14}  {count}".rstrip())
    return EXIT_OK
