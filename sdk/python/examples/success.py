"""A task that goes well: queued, written, reviewed, validated."""

import asyncio

from tachograph import agent, emit_event, get_emitter, tool
from tachograph.catalogue import TaskQueued


async def main() -> None:
    async with get_emitter() as emitter:
        task_id = "t_checkout"
        queued: TaskQueued = {"task_id": task_id, "feature": "checkout", "est_cost": 0.45}
        emit_event("task_queued", queued)

        async with agent("scribe", task_id=task_id, model="sonnet", tools=["Read", "Write"]) as scribe:
            async with tool("Write", path="tests/checkout.spec.ts"):
                await asyncio.sleep(0)  # the tool's work
            scribe.cost_usd += 0.12

        async with agent("critic", task_id=task_id, model="haiku") as critic:
            critic.cost_usd += 0.02
            critic.approve()

        validation = {"result": {"passed": True}, "cost": 0.03, "duration_ms": 5000, "screenshots": 2}
        emit_event("validation_complete", {"task_id": task_id, **validation})

        await asyncio.to_thread(emitter.flush)
        metrics = await asyncio.to_thread(emitter.get_metrics)
        print(f"pass rate {metrics['validation_pass_rate']:.0%}, rejected {metrics['critic_rejection_rate']:.0%}")


if __name__ == "__main__":
    asyncio.run(main())
