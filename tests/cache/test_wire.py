"""The proxy of the stress: whom it accepted it lets go, however late."""

import asyncio
import gc
import socket

import pytest

from gateway.postgres.embedded import HOST
from tests.changes.arena import Dice
from tests.stress.answers.wire import Wire


@pytest.mark.parametrize("turns", range(8))
async def test_whoever_is_accepted_as_it_ends_is_let_go(turns: int) -> None:
    wire = Wire(Dice(1))
    with socket.create_server((HOST, 0)) as server:
        async with wire.to(server.getsockname()[1]):
            client = socket.create_connection((HOST, wire.port), timeout=5)
            for _ in range(turns):
                await asyncio.sleep(0)
        with client:
            assert await asyncio.to_thread(is_over, client)
    # What was left unclosed would be a warning here, which is an error.
    gc.collect()


def is_over(client: socket.socket) -> bool:
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True
