"""Print the page of the documentation: `python -m muspy_core.datasets.catalogue > docs/muspy-core/catalogue.md`."""

from __future__ import annotations

import sys

from muspy_core.datasets.catalogue.table import markdown

sys.stdout.write(markdown())
