"""MusPy's `muspy.outputs.event`: music → event codes, and the sequences with names that they come from."""

from __future__ import annotations

from muspy_core.representations import (
    DefaultEventSequence,
    EventSequence,
    PerformanceEventSequence,
    REMIEventSequence,
    get_indexer,
    to_default_event_representation,
    to_default_event_sequence,
    to_event_representation,
    to_performance_event_representation,
    to_performance_event_sequence,
    to_remi_event_representation,
    to_remi_event_sequence,
)
from muspy_core.representations.performance import get_default_indexer, get_performance_indexer
from muspy_core.representations.remi import get_remi_indexer

__all__ = [
    "DefaultEventSequence",
    "EventSequence",
    "PerformanceEventSequence",
    "REMIEventSequence",
    "get_default_indexer",
    "get_indexer",
    "get_performance_indexer",
    "get_remi_indexer",
    "to_default_event_representation",
    "to_default_event_sequence",
    "to_event_representation",
    "to_performance_event_representation",
    "to_performance_event_sequence",
    "to_remi_event_representation",
    "to_remi_event_sequence",
]
