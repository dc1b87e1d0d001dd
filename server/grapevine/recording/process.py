"""The recording process: ``python -m grapevine.recording.process TURN PATH``, started by ``workers.serve`` alone.

TURN is the descriptor of the file whose lock says whose turn it is to write, PATH the Unix socket at which serving
processes find this one. When it is not wanted any more it goes as soon as nobody is connected. Signals mean nothing to
it: who ends a service sends them to all of its processes, and the serving ones have batches to store yet.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import signal
import sys
import traceback
from asyncio import StreamReader, StreamWriter
from pathlib import Path
from typing import Final

from grapevine.config.settings import Settings
from grapevine.errors import GrapevineError, StoreError
from grapevine.recording.messages import BUFFER, Failed, Forget, Record, Recorded, read_order, received, written
from grapevine.recording.recorder import Inside
from grapevine.serving.loops import loop_factory
from grapevine.serving.runtime import tune
from grapevine.serving.supervised import say_ready, settings_told, unwanted
from grapevine.store.base import Store
from grapevine.store.factory import make_store
from grapevine.writer.bursts import VisitorDay
from grapevine.writer.nonces import Nonces
from grapevine.writer.recorder import Ledger

log = logging.getLogger("grapevine.recording")

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


def main(turn: str, path: str) -> int:
    """Records until it is not wanted any more; 1 when there was nothing to record into."""
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    settings = settings_told()
    if settings is None:
        return 0
    Path(path).unlink(missing_ok=True)  # of one that died
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(_record(settings, int(turn), path))
    except GrapevineError as error:
        log.error("%s", error)
        return 1
    Path(path).unlink(missing_ok=True)
    return 0


async def _record(settings: Settings, turn: int, path: str) -> None:
    store = make_store(settings, turn, alone=True)
    await store.open()
    try:
        nonce_key = bytes.fromhex(await store.registry.salt("nonce", 0, secrets.token_hex(32)))
        recording = _Recording(store, Ledger(Nonces(nonce_key)))
        server = await asyncio.start_unix_server(recording.serve, path, limit=BUFFER)
        tune()
        say_ready()
        await unwanted()
        server.close()
        await recording.over.wait()
    finally:
        await store.close()


class _Recording:
    """Batches as they come from everybody who is connected, each answered when it is durable.

    ``over`` is set whenever nobody is.
    """

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self.over = asyncio.Event()
        self.over.set()
        self._lanes = store.max_concurrent_batches
        self._ledger = ledger
        self._inside = Inside(store, ledger)
        self._connected = 0

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """One serving process, until it is gone."""
        self._connected += 1
        self.over.clear()
        try:
            async with asyncio.TaskGroup() as on_their_way:
                while content := await received(reader):
                    match read_order(content):
                        case Record() as order:
                            on_their_way.create_task(self._record(order, writer))
                        case Forget() as machine:
                            self._ledger.forget(VisitorDay(machine.site_id, machine.day, machine.visitor))
        finally:
            writer.close()
            self._connected -= 1
            if not self._connected:
                self.over.set()

    async def _record(self, order: Record, writer: StreamWriter) -> None:
        answer: Recorded | Failed
        drops = {(site_id, hour, reason): number for site_id, hour, reason, number in order.drops}
        self._ledger.set_slot(order.slot)
        try:
            answer = Recorded(order.number, await self._inside.record(order.events, drops, order.lane % self._lanes))
        except StoreError as error:
            answer = Failed.by(order.number, error)
        except Exception as error:
            answer = Failed.by(order.number, RuntimeError("".join(traceback.format_exception(error))))
        if not writer.is_closing():
            writer.write(written(answer))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
