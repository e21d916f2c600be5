# SPDX-License-Identifier: MIT
"""An echo server of Python's event loops: serve.py LOOP [streams] echo

LOOP is asyncio or uvloop. By a protocol, which is what is fast, or by streams, which is what reads
well. Prints its port and serves until killed.
"""

import asyncio
import socket
import sys

BUFFER_SIZE = 16384
BACKLOG = 1024


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data):
        self.transport.write(data)


async def echo_stream(reader, writer):
    writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        while data := await reader.read(BUFFER_SIZE):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    writer.close()


async def serve(streams):
    if streams:
        server = await asyncio.start_server(echo_stream, "127.0.0.1", 0, backlog=BACKLOG)
    else:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Echo, "127.0.0.1", 0, backlog=BACKLOG)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main(args):
    if len(args) < 2 or args[0] not in ("asyncio", "uvloop") or args[-1] != "echo":
        sys.exit("usage: serve.py asyncio|uvloop [streams] echo")
    if args[0] == "uvloop":
        import uvloop  # not wanted by the other

        uvloop.install()
    asyncio.run(serve("streams" in args))


if __name__ == "__main__":
    main(sys.argv[1:])
