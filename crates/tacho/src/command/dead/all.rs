//! Many dead letters: tried once more, or given up, some at a time.

use super::Choice;
use crate::failure::Ending;
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Output, Progress, counted};
use anyhow::{Context, Result, bail};
use serde_json::{Map, json};

pub fn act(
    place: &PlaceArguments,
    action: &'static str,
    choice: &Choice,
    reason: Option<&str>,
    as_json: bool,
) -> Result<Ending> {
    let server = Place::find(place)?.controlled()?;
    let given = choice.pairs().chain(reason.map(|reason| ("reason", reason)));
    let body = given.map(|(name, value)| (name.to_owned(), value.into())).collect::<Map<_, _>>().into();
    let (doing, done) = if action == "retry" { ("retrying", "retried") } else { ("discarding", "discarded") };
    let mut progress = Progress::items(doing);
    let (mut total, mut whole) = (0, None);
    loop {
        let answer = server.post_value(&format!("/api/dead-letters/{action}"), &body)?;
        let count = answer["count"].as_u64().context("the answer has no `count`")?;
        let left = answer["left"].as_u64().context("the answer has no `left`")?;
        // As many as there were: what dies again meanwhile is not tried for ever.
        let whole = *whole.get_or_insert(count + left);
        total += count;
        progress.set_total(whole);
        progress.advance(count);
        if left == 0 || total >= whole {
            break;
        }
        if count == 0 {
            bail!("{} {done}, but {left} cannot be now: see `tacho dead list`", were(total));
        }
    }
    drop(progress);
    let mut output = Output::stdout();
    if as_json {
        output.json(&serde_json::to_vec(&json!({"count": total}))?)?;
    } else {
        output.line(&format!("{} {done}", were(total)))?;
    }
    output.flush()?;
    Ok(Ending::Done)
}

fn were(count: u64) -> String {
    format!("{} {}", counted(count, "dead letter"), if count == 1 { "was" } else { "were" })
}
