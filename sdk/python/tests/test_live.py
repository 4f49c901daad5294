from __future__ import annotations

import asyncio
import unittest
from typing import Any

from recorder import Recorder

from tachograph import StreamRefused, stream


class Live(unittest.TestCase):
    def setUp(self) -> None:
        self.recorder = Recorder()
        self.addCleanup(self.recorder.close)
        self.emitter = self.recorder.emitter()
        self.addCleanup(self.emitter.close, 0.1)

    def emit(self, numbers: range) -> None:
        for number in numbers:
            self.emitter.emit("live.number", {"number": number})
        self.assertTrue(self.emitter.flush(30))

    def test_history_then_the_end(self) -> None:
        self.emit(range(1500))
        self.emitter.emit("live.other")
        self.emitter.flush()

        async def read() -> list[dict[str, Any]]:
            events = stream(type="live.num*", from_="start", follow=False, server=self.recorder.url)
            return [event async for event in events]

        events = asyncio.run(read())
        self.assertEqual([event["data"]["number"] for event in events], list(range(1500)))
        self.assertEqual(events[0]["specversion"], "1.0")

    def test_it_goes_on_where_it_was_when_the_server_is_back(self) -> None:
        self.emit(range(5))

        async def read() -> list[int]:
            numbers = []
            async for event in stream(type=["live.*"], from_="start", server=self.recorder.url):
                numbers.append(event["data"]["number"])
                if numbers == list(range(5)):
                    self.recorder.kill()
                    self.recorder.start()
                    self.emit(range(5, 10))
                if len(numbers) == 10:
                    break
            return numbers

        self.assertEqual(asyncio.run(asyncio.wait_for(read(), 60)), list(range(10)))

    def test_events_arrive_while_it_follows(self) -> None:
        async def read() -> dict[str, Any]:
            following = stream(from_="end", server=self.recorder.url, type="live.*")
            first = asyncio.ensure_future(following.__anext__())
            # Its start is the head at the time of the request: what comes before is not for it.
            while not first.done():
                await asyncio.get_running_loop().run_in_executor(None, self.emit, range(1))
            return await first

        self.assertEqual(asyncio.run(asyncio.wait_for(read(), 60))["type"], "live.number")

    def test_a_wrong_request_is_told(self) -> None:
        async def read() -> None:
            async for _ in stream(server=self.recorder.url, nonsense="1"):
                self.fail("there is no event")

        with self.assertRaisesRegex(StreamRefused, "400.*nonsense"):
            asyncio.run(read())


if __name__ == "__main__":
    unittest.main()
