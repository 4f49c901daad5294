//! Which runs are merged, and when: few of them, and nothing written over and over.

use crate::bits::segment;
use crate::run::Run;
use std::ops::Range;

/// Runs of one size that are merged, with the smaller ones between them.
const FAN_IN: usize = 8;
/// Where one size ends and the next begins, in events; larger ones wait until their segment is complete.
const SIZES: [usize; 4] = [8, 64, 512, 4096];
/// Most pages that are merged at once, while a fold waits: some 40 ms.
const MAX_WAITING_PAGES: u32 = 2048;
/// Most pages of a run, 16 MiB: walking through all of them for a prefix ends within the time of a page.
const MAX_RUN_PAGES: u32 = 4096;
/// Most runs that are merged into one.
const MAX_INPUTS: usize = 64;

/// Runs at the end of the open segment that are many and small.
pub(crate) fn small(runs: &[Run], position: u64) -> Option<Range<usize>> {
    let open = segment(position);
    let mut smaller = 0;
    for size in SIZES {
        let fits = |run: &&Run| run.events() < size && segment(run.first) == open;
        let last = runs.iter().rev().take(MAX_INPUTS).take_while(fits);
        let (count, pages) = (last.clone().count(), total(last.clone()));
        let alike = last.filter(|run| run.events() >= smaller).count();
        if alike >= FAN_IN && pages <= MAX_WAITING_PAGES {
            return Some(runs.len() - count..runs.len());
        }
        smaller = size;
    }
    None
}

/// Neighbours in a complete segment that should be one run.
pub(crate) fn complete(runs: &[Run], position: u64) -> Option<Range<usize>> {
    let open = segment(position + 1);
    (0..runs.len()).find_map(|start| {
        let own = segment(runs[start].first);
        let mut pages = 0;
        let mut fits = |run: &&Run| {
            pages += run.pages;
            segment(run.first) == own && own < open && pages <= MAX_RUN_PAGES
        };
        let count = runs[start..].iter().take(MAX_INPUTS).take_while(&mut fits).count();
        let group = &runs[start..start + count];
        let largest = group.iter().map(|run| run.pages).max().unwrap_or(0);
        // A large one is not written again for the sake of a few small ones.
        (count > 1 && largest * 2 <= total(group.iter())).then_some(start..start + count)
    })
}

fn total<'a>(runs: impl Iterator<Item = &'a Run>) -> u32 {
    runs.map(|run| run.pages).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bits::SEGMENT_EVENTS;

    type Batch<'a> = &'a mut dyn FnMut() -> u64;

    /// Folds `events` in batches and answers the most runs of one segment, the runs at the end, and how often a
    /// page was written on average.
    fn simulate(events: u64, batch: Batch<'_>, events_of_page: u64) -> (usize, usize, f64) {
        let mut runs: Vec<Run> = Vec::new();
        let (mut position, mut most, mut written) = (0, 0, 0);
        let pages = |first: u64, last: u64| (last + 1 - first).div_ceil(events_of_page) as u32;
        let run = |first, last| Run { id: 0, first, last, lowest: 0, highest: 0, pages: pages(first, last) };
        while position < events {
            let segment_end = (position + 1) / SEGMENT_EVENTS * SEGMENT_EVENTS + SEGMENT_EVENTS - 1;
            let last = (position + batch()).min(segment_end);
            runs.push(run(position + 1, last));
            written += pages(position + 1, last);
            position = last;
            while let Some(range) = small(&runs, position).or_else(|| complete(&runs, position)) {
                let merged = run(runs[range.start].first, runs[range.end - 1].last);
                written += merged.pages;
                runs.splice(range, [merged]);
            }
            let open = segment(position);
            most = most.max(runs.iter().rev().take_while(|run| segment(run.first) == open).count());
        }
        (most, runs.len(), f64::from(written) / f64::from(pages(1, events)))
    }

    #[test]
    fn runs_stay_few_and_nothing_is_written_over_and_over() {
        let mut turn = 0;
        let mut mixed = move || {
            turn += 1;
            [1, 300, 7, 5000, 40][turn % 5]
        };
        // Most runs of a segment, most runs at the end, most times that a page is written.
        let cases: [(&str, Batch<'_>, u64, usize, usize, f64); 6] = [
            // Each begins a page of its own, which is a sixtieth full.
            ("single events", &mut || 1, 60, 60, 40, 80.0),
            ("small batches", &mut || 100, 60, 40, 40, 6.0),
            ("large batches", &mut || 5000, 60, 20, 20, 3.0),
            ("mixed batches", &mut mixed, 60, 80, 80, 3.0),
            ("large events", &mut || 130, 1, 90, 150, 4.0),
            ("large single events", &mut || 1, 1, 180, 200, 6.0),
        ];
        for (name, batch, events_of_page, most_of_segment, most, most_written) in cases {
            let (of_segment, runs, written) = simulate(200_000, batch, events_of_page);
            assert!(of_segment <= most_of_segment, "{name}: {of_segment} runs in a segment");
            assert!(runs <= most, "{name}: {runs} runs");
            assert!(written <= most_written, "{name}: written {written:.1} times");
        }
    }
}
