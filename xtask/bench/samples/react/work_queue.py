"""A worker of a JetStream work queue: `work_queue.py ADDRESS SUBJECT MOST_A_FETCH STAMPS`."""

import asyncio
import json
import os
import sys
import time

import nats
from nats.errors import TimeoutError

address, subject, most, path = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
stamps = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)


async def main():
    connection = await nats.connect(f"nats://{address}")
    queue = await connection.jetstream().pull_subscribe(subject, durable="bench")
    while True:
        try:
            messages = await queue.fetch(most, timeout=5)
        except TimeoutError:
            continue
        for message in messages:
            event = json.loads(message.data)
            now = time.monotonic_ns()
            os.write(stamps, b"%d %d\n" % (event.get("sent", 0), now))
            await message.ack()


asyncio.run(main())
