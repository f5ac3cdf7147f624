"""Listening tests: a static, blind, randomised page, and the means of its answers with confidence intervals.

`build_test` makes a folder that any web server (or a file system) can serve and a key that stays with the experimenter;
`summarize` joins the key with the answers that listeners sent back.
"""

from __future__ import annotations

from muspy_core.listening.build import ListeningTest, Question, build_test, load_questions
from muspy_core.listening.report import Summary, load_answers, summarize

__all__ = ["ListeningTest", "Question", "Summary", "build_test", "load_answers", "load_questions", "summarize"]
