"""One connection: what a caller may cost who sends slowly, sends too much, or never reads."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.settings import Serving

LARGEST_HEAD = 65_536
"""Bytes of a request line with its headers."""
MOST_AHEAD = 16
"""Requests that a caller may send before the first is answered."""
SLOWEST = 1024
"""Bytes per second that a caller reads at least."""


def protocol(serving: Serving) -> type[asyncio.Protocol]:
    """HTTP as uvicorn speaks it, within the limits of a service."""
    most, patience = serving.connections, serving.head_seconds
    heard: dict[Protocol, None] = {}

    class Protocol(HttpToolsProtocol):
        """A connection; `heard` has them all, the one that has been silent longest first."""

        _late: asyncio.TimerHandle | None = None
        _stuck: asyncio.TimerHandle | None = None
        _unsent = 0
        _head = 0
        _in_head = False

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if len(heard) >= most:
                # Who keeps us waiting gives way; if all are served at the moment, nobody does.
                silent = next((other for other in heard if other._keeps_waiting()), self)
                heard.pop(silent, None)
                silent.transport.abort()
            if not transport.is_closing():
                heard[self] = None
                self._expect()

        def connection_lost(self, exc: Exception | None) -> None:
            heard.pop(self, None)
            self._disarm()
            if self._stuck is not None:
                self._stuck.cancel()
            super().connection_lost(exc)

        # What a caller sends.

        def data_received(self, data: bytes) -> None:
            if self in heard:
                del heard[self]
                heard[self] = None
            if self.timeout_keep_alive_task is not None:
                self._expect()
            self._head += len(data)
            super().data_received(data)
            if self._in_head and self._head > LARGEST_HEAD:
                self.send_400_response("The head of the request is too large.")

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._in_head, self._head = True, 0
            self._expect()

        def on_headers_complete(self) -> None:
            self._in_head = False
            self._disarm()
            if len(self.pipeline) >= MOST_AHEAD:
                raise ValueError("too many requests at once")
            super().on_headers_complete()

        def send_400_response(self, msg: str) -> None:
            self._in_head = False
            if not self.transport.is_closing():
                super().send_400_response(msg)

        # What a caller reads.

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if self.cycle.response_complete and self.cycle.more_body:
                self._expect()
            self._watch()

        def pause_writing(self) -> None:
            super().pause_writing()
            self._watch()

        def resume_writing(self) -> None:
            super().resume_writing()
            self._watch()

        def _watch(self) -> None:
            if self._stuck is not None:
                self._stuck.cancel()
            self._stuck = None
            self._unsent = self.transport.get_write_buffer_size()
            if self._unsent:
                self._stuck = self.loop.call_later(patience, self._look)

        def _look(self) -> None:
            flows = not self.flow.write_paused and not self.cycle.response_complete
            left = self.transport.get_write_buffer_size()
            if not flows and left > max(0, self._unsent - SLOWEST * patience):
                # What the system still holds for this caller goes too.
                line = self.transport.get_extra_info("socket")
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.transport.abort()
            else:
                self._watch()

        # How long we wait.

        def _keeps_waiting(self) -> bool:
            cycle = self.cycle
            return cycle is None or cycle.response_complete or cycle.more_body

        def _expect(self) -> None:
            self._disarm()
            self._late = self.loop.call_later(patience, self._give_up)

        def _disarm(self) -> None:
            if self._late is not None:
                self._late.cancel()
                self._late = None

        def _give_up(self) -> None:
            if not self.transport.is_closing():
                self.transport.close()

    return Protocol
