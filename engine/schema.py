"""Describe orders, scenarios, rules and regimes as JSON Schema (2020-12), for clients and editors.

A schema says what the readers of this package accept, as far as JSON Schema can say it.
"""

from __future__ import annotations
