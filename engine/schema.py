"""Describe orders, scenarios, rules and regimes as JSON Schema (2020-12), for clients and editors.

A schema says what the readers of this package accept, as far as JSON Schema can say it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.evaluate import uses
from engine.ir import CERTAINTIES, DUES, KINDS_OF_RULE, STATUSES, Expr, Pair, Regime
from engine.load import Rulebook
from engine.schema_values import Json, Writing, described, text_of
from engine.schema_values import value as value_schema
from engine.values import KINDS, Type, write
from engine.vocabulary import FactDefinition, Vocabulary
from engine.words import CERTAINTY, DUE, HELD_BY, KIND, STATUS
