"""What the service lets in and what it does not: hosts, origins, keys, roles, rates; and its log."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from api.app import deciding, guard, sessions
from api.app.build import make
from api.app.sessions import Sessions
from api.keys import Key, read_keys
from api.settings import Serving
from tests.serving import SHIPPED, service
