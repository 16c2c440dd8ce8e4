#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A wss:// peer that is not of this project: tls_peer.py CERTIFICATE KEY.

Prints its port, sends "hello" to each client, then closes with code 1000.
"""
import asyncio
import ssl
import sys

import websockets


async def greet(socket, _path=None):
    await socket.send(b"hello")
    await socket.close(1000)


async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    async with websockets.serve(greet, "127.0.0.1", 0, ssl=context) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


asyncio.run(main())
