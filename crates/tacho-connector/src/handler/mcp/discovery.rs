//! Which tools an MCP server has.

use super::place;
use super::server::Server;
use crate::handler::json_rpc::{self, Answer};
use crate::handler::{HandlerSettings, HandlerSurroundings};
use std::time::Duration;
use tacho_engine::delivery::Failure;
use tacho_event::json;

/// Most pages that are asked for.
const PAGES_MAX: usize = 100;

/// A tool, as its server describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    pub name: String,
    pub description: Option<String>,
    /// The JSON Schema of its arguments, minified JSON.
    pub input_schema: Option<Vec<u8>>,
}

/// Asks the server that `mcp` or `url` name for its tools; each question may take `time`.
pub fn list_tools(
    settings: &HandlerSettings,
    surroundings: &HandlerSurroundings,
    time: Duration,
) -> Result<Vec<Tool>, Failure> {
    let place =
        place(settings, surroundings).map_err(|error| Failure::reject("bad_settings", error.to_string()))?;
    let mut server = Server::start(&place, settings.output_bytes(), &surroundings.now, time)?;
    let (mut tools, mut params) = (Vec::new(), b"{}".to_vec());
    for _ in 0..PAGES_MAX {
        let page = match server.call("tools/list", &params, time)? {
            Answer::Result(page) => page,
            Answer::Error(error) => return Err(json_rpc::failure(&error)),
        };
        tools.extend(json::elements(json::member(&page, "tools").unwrap_or(b"[]")).filter_map(tool));
        match json::member(&page, "nextCursor") {
            Some(cursor) if cursor != b"null" => params = [b"{\"cursor\":", cursor, b"}"].concat(),
            _ => return Ok(tools),
        }
    }
    Err(Failure::reject("bad_answer", format!("{} lists tools without an end", server.name())))
}

fn tool(tool: &[u8]) -> Option<Tool> {
    Some(Tool {
        name: json::text(json::member(tool, "name")?).into_owned(),
        description: json::member(tool, "description").map(|text| json::text(text).into_owned()),
        input_schema: json::member(tool, "inputSchema").map(<[u8]>::to_vec),
    })
}
