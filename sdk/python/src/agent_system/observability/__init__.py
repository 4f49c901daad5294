"""The import path of Tachograph's predecessor: `from agent_system.observability import emit_event, get_emitter`."""

from tachograph import Emitter, emit_event, get_emitter

EventEmitter = Emitter

__all__ = ["Emitter", "EventEmitter", "emit_event", "get_emitter"]
