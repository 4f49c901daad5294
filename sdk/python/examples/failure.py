"""A task that keeps failing: the medic gives up after three attempts, and a person is asked."""

from tachograph import agent, emit_event, get_emitter, tool

ATTEMPTS_MAX = 3


def attempt(task_id: str) -> None:
    with agent("medic", task_id=task_id, model="sonnet") as medic:
        medic.cost_usd += 0.08
        with tool("Bash", command="npx playwright test"):
            raise TimeoutError("the element #pay did not appear within 30 s")


def main() -> None:
    with get_emitter() as emitter:
        task_id = "t_payment"
        emit_event("task_queued", {"task_id": task_id, "feature": "payment", "est_cost": 0.30})
        last_error = ""
        for _ in range(ATTEMPTS_MAX):
            try:
                attempt(task_id)
                break
            except TimeoutError as error:
                last_error = str(error)
        else:
            escalation = {"attempts": ATTEMPTS_MAX, "last_error": last_error, "priority": "high"}
            emit_event("hitl_escalated", {"task_id": task_id, **escalation}, priority="high")
        emitter.flush()
        print(f"{task_id}: {ATTEMPTS_MAX} attempts failed: {last_error}")


if __name__ == "__main__":
    main()
