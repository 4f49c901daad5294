//! `POST /hooks/claude-code`: Claude Code's `http` hooks. The answer is empty whatever happens, for JSON in it
//! would be a decision.

use crate::body;
use crate::doors::SharedDoors;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use tacho_engine::HookFrame;

pub(crate) async fn claude_code(State(doors): State<SharedDoors>, request: Request) -> StatusCode {
    let most = doors.config.limits.hook_bytes;
    let Ok(payload) = body::read(request.into_body(), most, &doors).await else {
        doors.hooks.count_refused();
        return StatusCode::OK;
    };
    let engine = &doors.engine;
    let frame = HookFrame {
        id: engine.new_id(),
        time: engine.now(),
        agent: "claude-code".to_owned(),
        payload: payload.to_vec(),
        ..HookFrame::default()
    };
    doors.hooks.accept_or_spool(frame).await;
    StatusCode::OK
}
