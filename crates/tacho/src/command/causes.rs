//! `tacho causes`: what led to an event, and what it led to.

use crate::failure::Ending;
use crate::log::Log;
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Output, escape, glyph, graph_lines, kind_style};
use anstyle::Style;
use anyhow::{Context, Result};
use clap::{Args, value_parser};
use jiff::tz::TimeZone;
use serde_json::Value;
use std::collections::HashMap;
use tacho_engine::{CausesQuery, MAX_CAUSES_DEPTH};

/// Show what led to an event, and what it led to
///
/// An event says itself what caused it; where it says nothing, its trace may: a tool's end its beginning, a call its
/// prompt, a subagent the call that sent it out, a span its parent.
#[derive(Debug, Args)]
pub struct Causes {
    /// The event's id, as `tacho events --json` prints it
    #[arg(value_name = "EVENT_ID")]
    id: String,
    /// Most steps either way
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = value_parser!(u16).range(1..=MAX_CAUSES_DEPTH as i64))]
    depth: u16,
    /// Its source, where events of several have the id
    #[arg(long, value_name = "URI")]
    source: Option<String>,
    /// Events that only share its correlation too
    #[arg(long)]
    correlated: bool,
    /// Print the graph as one JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

impl Causes {
    pub fn run(self) -> Result<Ending> {
        let query = CausesQuery {
            id: self.id,
            source: self.source,
            depth: usize::from(self.depth),
            correlated: self.correlated,
        };
        let answer = Log::open(&Place::find(&self.place)?)?.causes(query)?;
        let mut output = Output::stdout();
        if self.json {
            output.json(&answer)?;
        } else {
            print(&serde_json::from_slice(&answer).context("the answer cannot be read")?, &mut output)?;
        }
        output.flush()?;
        Ok(Ending::Done)
    }
}

fn print(answer: &Value, output: &mut Output) -> Result<()> {
    let nodes = answer["nodes"].as_array().context("the answer has no `nodes`")?;
    let edges = answer["edges"].as_array().context("the answer has no `edges`")?;
    let place: HashMap<u64, usize> = nodes
        .iter()
        .enumerate()
        .filter_map(|(index, node)| Some((node["position"].as_u64()?, index)))
        .collect();
    let mut causes: Vec<Option<usize>> = vec![None; nodes.len()];
    for edge in edges.iter().filter(|edge| edge["kind"] != "correlation") {
        let end = |name: &str| edge[name].as_u64().and_then(|position| place.get(&position).copied());
        if let (Some(from), Some(to)) = (end("from_position"), end("to_position")) {
            causes[to].get_or_insert(from);
        }
    }
    let text = |node: &Value, name: &str| escape(node[name].as_str().unwrap_or_default()).into_owned();
    let glyphs: Vec<char> = nodes.iter().map(|node| glyph(&text(node, "type"))).collect();
    let lines = graph_lines(&causes, &glyphs);
    let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    for (line, node) in lines.iter().zip(nodes) {
        let palette = output.palette;
        let is_asked = node["relation"] == "self";
        let kind = text(node, "type");
        let style = if is_asked { kind_style(&kind).bold() } else { kind_style(&kind) };
        let style = if node["relation"] == "correlated" { Style::new().dimmed() } else { style };
        let graph = palette.paint(kind_style(&kind), format!("{line:<width$}"));
        let mark = if is_asked { palette.bold("  ← asked") } else { String::new() };
        let actor = node["actor"].as_str().map(|actor| format!("  {}", escape(actor)));
        let lead = format!("{graph}  {}  {}", palette.dim(time(node)), palette.paint(style, &kind));
        output.line(&format!("{lead}{}{mark}", palette.dim(actor.unwrap_or_default())))?;
        let below = vec![' '; width].into_iter().collect::<String>();
        let summary = text(node, "summary");
        let id = palette.dim(format!("{}  {}", text(node, "id"), text(node, "stream")));
        output.line(&format!("{below}  {summary}{}{id}", if summary.is_empty() { "" } else { "  " }))?;
    }
    if nodes.len() == 1 {
        output.line("nothing is known that led to it or followed from it")?;
    }
    if answer["truncated"] == true {
        output.line(&output.palette.dim("there is more: a limit ended the search"))?;
    }
    Ok(())
}

fn time(node: &Value) -> String {
    let at = node["at"].as_str().unwrap_or_default();
    match at.parse::<jiff::Timestamp>() {
        Ok(at) => at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S%.3f").to_string(),
        Err(_) => escape(at).into_owned(),
    }
}
