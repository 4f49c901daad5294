//! The shapes of who is there to do something.

use super::{maybe, moment, number, object, reference, text};
use serde_json::{Value, json};

pub(super) fn schemas() -> Value {
    let texts = || json!({"type": "array", "items": text()});
    json!({
        "RegistryEntry": entry(),
        "RegistryEntries": object(&["entries"], json!({
            "entries": {"type": "array", "items": reference("RegistryEntry")}
        })),
        "RegistryRequest": object(&["id", "kind", "url"], json!({
            "id": text(),
            "kind": {"enum": ["http", "mcp"]},
            "url": {"type": "string", "description": "https, or http of this machine; no user, no query"},
            "capabilities": texts(),
            "version": maybe(),
            "on": {"description": "Which events it gets of its own accord: a pattern of types, a list of them, or conditions"},
            "tool": {"type": "string", "description": "Of an MCP server: what gets those events"},
            "reason": text()
        })),
        "Reloaded": object(&["changed"], json!({"changed": texts()}))
    })
}

fn entry() -> Value {
    object(
        &["id", "kind", "state", "attempts", "updatedAt", "capabilities", "health", "origin", "run"],
        json!({
            "id": text(),
            "kind": {"enum": ["handler", "server"]},
            "state": {"enum": ["running", "paused", "draining", "removed", "failed"]},
            "lockedBy": {"type": ["string", "null"], "description": "Who had it pause or drain"},
            "attempts": number(),
            "context_id": maybe(),
            "updatedAt": moment(),
            "capabilities": {"type": "array", "items": text(), "description": "Of a server: its tools"},
            "version": maybe(),
            "health": object(&["ok", "reason", "checked_at"], json!({
                "ok": {"type": "boolean"}, "reason": maybe(), "checked_at": moment()
            })),
            "origin": {"enum": ["configuration", "directory", "mcp", "http"]},
            "run": {"type": "string", "description": "Its kind, or the host that it is at"},
            "registration": {"type": "object", "description": "What it said of itself"}
        }),
    )
}
