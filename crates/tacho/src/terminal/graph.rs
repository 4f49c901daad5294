//! A graph of causes at the left of its events, a line each: what led to what, in the order of the log.

/// Most lanes that are drawn; events of further ones stand in the last.
const LANES_MAX: usize = 24;

/// What is drawn at the left of each event, one column less than twice its lanes wide. Each event names the one that
/// led to it by its place in the list; only one that stands before it is drawn.
///
/// The last effect of an event goes on in its lane, so that a chain is a straight line.
pub fn graph_lines(causes: &[Option<usize>], glyphs: &[char]) -> Vec<String> {
    let mut left: Vec<usize> = vec![0; causes.len()];
    let drawn = |index: usize| causes[index].filter(|cause| *cause < index);
    for index in 0..causes.len() {
        if let Some(cause) = drawn(index) {
            left[cause] += 1;
        }
    }
    let mut graph = Graph { lanes: Vec::new(), of: vec![0; causes.len()] };
    let mut lines = Vec::with_capacity(causes.len());
    for (index, glyph) in glyphs.iter().enumerate().take(causes.len()) {
        let from = drawn(index);
        let is_last = from.is_some_and(|cause| {
            left[cause] -= 1;
            left[cause] == 0
        });
        let lane = match from {
            Some(cause) if is_last => graph.of[cause],
            Some(cause) => graph.free_behind(graph.of[cause] + 1),
            None => graph.free_behind(0),
        };
        graph.of[index] = lane;
        let fork = from.filter(|_| !is_last).map(|cause| graph.of[cause]);
        lines.push(graph.line(lane, fork, *glyph));
        graph.set(lane, left[index] > 0);
    }
    lines
}

struct Graph {
    /// Whether something of a lane is still to come.
    lanes: Vec<bool>,
    /// The lane of each event.
    of: Vec<usize>,
}

impl Graph {
    fn free_behind(&self, first: usize) -> usize {
        let lane = (first..LANES_MAX).find(|lane| !self.lanes.get(*lane).copied().unwrap_or(false));
        lane.unwrap_or(LANES_MAX - 1)
    }

    fn set(&mut self, lane: usize, goes_on: bool) {
        if self.lanes.len() <= lane {
            self.lanes.resize(lane + 1, false);
        }
        self.lanes[lane] = goes_on;
    }

    fn line(&self, lane: usize, fork: Option<usize>, glyph: char) -> String {
        let width = self.lanes.iter().rposition(|goes_on| *goes_on).map_or(0, |last| last + 1).max(lane + 1);
        let mut line = String::new();
        for at in 0..width {
            let goes_on = self.lanes.get(at).copied().unwrap_or(false);
            let is_crossed = fork.is_some_and(|fork| at > fork && at < lane);
            let (mark, behind) = match fork {
                _ if at == lane => (glyph, ' '),
                Some(fork) if at == fork => ('├', '─'),
                _ if is_crossed && goes_on => ('┼', '─'),
                _ if is_crossed => ('─', '─'),
                _ if goes_on => ('│', ' '),
                _ => (' ', ' '),
            };
            line.push(mark);
            line.push(behind);
        }
        line.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(causes: &[Option<usize>]) -> String {
        graph_lines(causes, &vec!['*'; causes.len()]).join("\n")
    }

    #[test]
    fn a_chain_is_a_straight_line() {
        assert_eq!(drawn(&[None, Some(0), Some(1)]), "*\n*\n*");
    }

    #[test]
    fn effects_side_by_side_fork_and_the_last_goes_on() {
        // A prompt, two calls with their ends, the stop.
        assert_eq!(
            drawn(&[None, Some(0), Some(0), Some(1), Some(2), Some(0)]),
            "*\n├─*\n├─┼─*\n│ * │\n│   *\n*"
        );
    }

    #[test]
    fn what_nothing_led_to_stands_apart_and_a_circle_is_no_trouble() {
        assert_eq!(drawn(&[None, None, Some(0)]), "*\n│ *\n*");
        assert_eq!(drawn(&[Some(1), Some(0)]), "*\n*");
        assert_eq!(drawn(&[Some(0)]), "*");
    }

    #[test]
    fn however_many_lanes_there_are_a_line_is_bounded() {
        let causes: Vec<Option<usize>> =
            (0..200).map(|_| None).chain((0..200).map(Some)).chain((0..200).map(Some)).collect();
        let lines = graph_lines(&causes, &vec!['*'; causes.len()]);
        assert!(lines.iter().all(|line| line.chars().count() <= 2 * LANES_MAX));
    }
}
