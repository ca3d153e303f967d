#!/usr/bin/python3
"""Passes SSH on to servers with a delay: delayed_ssh.py FOLDER MILLISECONDS ADDRESS...

For each address there is a socket FOLDER/ADDRESS; what comes in on it, either way, arrives half of the milliseconds
later. Prints a line when all of them listen.
"""

import asyncio
import sys


async def pass_on(reader, writer, seconds):
    loop = asyncio.get_running_loop()
    arrived = asyncio.Queue()

    async def deliver():
        while True:
            when, data = await arrived.get()
            await asyncio.sleep(max(0, when - loop.time()))
            if not data:
                writer.close()
                return
            writer.write(data)
            await writer.drain()

    delivery = asyncio.ensure_future(deliver())
    data = b"begin"
    try:
        while data:
            data = await reader.read(65536)
            arrived.put_nowait((loop.time() + seconds, data))
        await delivery
    except ConnectionError:
        delivery.cancel()
        writer.close()


async def listen(folder, address, seconds):
    async def handle(reader, writer):
        # Half of a handshake's round trip; the other half is the answer's.
        await asyncio.sleep(2 * seconds)
        there, back = await asyncio.open_connection(address, 22)
        await asyncio.gather(pass_on(reader, back, seconds), pass_on(there, writer, seconds))

    return await asyncio.start_unix_server(handle, f"{folder}/{address}")


async def main(folder, milliseconds, addresses):
    seconds = float(milliseconds) / 2000
    servers = [await listen(folder, address, seconds) for address in addresses]
    print("ready", flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
