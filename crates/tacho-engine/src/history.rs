//! A stream's events, from the first on, for what is folded from them when it is asked for.

use crate::engine::Shared;
use crate::error::QueryError;
use tacho_event::{Filter, Pattern, Recorded};
use tacho_view::Scan;

/// How many places are looked up at once.
const BATCH: usize = 1_024;

/// Hands the stream's events over in order, at most `limit`, until `visit` answers false. Answers whether the limit
/// left some out.
///
/// # Errors
/// `StreamNotFound` where no event is in it.
pub(crate) fn each_of_stream(
    shared: &Shared,
    stream: &str,
    limit: usize,
    mut visit: impl FnMut(Recorded) -> bool,
) -> Result<bool, QueryError> {
    let reader = shared.fold.reader();
    if reader.stream(stream)?.is_none() {
        return Err(QueryError::StreamNotFound(stream.to_owned()));
    }
    let filter = Filter { stream: Some(Pattern::new(stream)), ..Filter::default() };
    let mut after = None;
    let mut visited = 0;
    loop {
        let scan = Scan { after, until: None, reverse: false, limit: BATCH };
        let found = reader.candidates(&filter, &scan, &mut || true)?;
        for position in found.positions {
            // The name of a stream may hold a star, which a pattern takes for any run of characters.
            let event = shared.log.get(position)?.filter(|event| event.stream() == stream);
            let Some(event) = event.filter(|event| !event.is_bookkeeping()) else { continue };
            if visited == limit {
                return Ok(true);
            }
            visited += 1;
            if !visit(event) {
                return Ok(false);
            }
        }
        if found.end {
            return Ok(false);
        }
        after = Some(found.scanned_to);
    }
}
