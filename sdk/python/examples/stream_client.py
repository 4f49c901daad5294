"""Prints events as they are recorded."""

import argparse
import asyncio

from tachograph import stream


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pattern", nargs="?", default="*")
    parser.add_argument("--from", dest="start", default="end", help="start, end or a position")
    parser.add_argument("--no-follow", action="store_true", help="end with what is there")
    wanted = parser.parse_args()
    async for event in stream(type=wanted.pattern, from_=wanted.start, follow=not wanted.no_follow):
        print(event["position"], event["type"], event.get("data", {}), flush=True)


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        pass
