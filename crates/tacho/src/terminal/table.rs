//! Rows in columns that stand below each other.

use super::{Output, escape};
use std::io;

/// The narrowest that the last column is cut to, in characters.
const LAST_MIN: usize = 20;
const GAP: &str = "  ";

/// What stands above a column, and on which side its cells are.
#[derive(Clone, Copy)]
pub enum Column {
    Text(&'static str),
    Number(&'static str),
}

impl Column {
    fn head(self) -> &'static str {
        match self {
            Self::Text(head) | Self::Number(head) => head,
        }
    }
}

impl Output {
    /// Prints the rows below the heads of their columns; the last column is cut at the edge of a terminal.
    pub fn table(&mut self, columns: &[Column], rows: &[Vec<String>]) -> io::Result<()> {
        for (index, line) in lines(columns, rows, self.columns).into_iter().enumerate() {
            let line = if index == 0 { self.palette.dim(line) } else { line };
            self.line(&line)?;
        }
        Ok(())
    }
}

fn lines(columns: &[Column], rows: &[Vec<String>], edge: usize) -> Vec<String> {
    let heads = columns.iter().map(|column| column.head().to_owned()).collect();
    let escaped = |row: &Vec<String>| row.iter().map(|cell| escape(cell).into_owned()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(heads).chain(rows.iter().map(escaped)).collect();
    let width =
        |index: usize| rows.iter().filter_map(|row| row.get(index)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns.len()).map(|index| width(index).unwrap_or(0)).collect();
    let before: usize = widths.iter().rev().skip(1).map(|width| width + GAP.len()).sum();
    let room = edge.saturating_sub(before).max(LAST_MIN);
    let line = |row: &Vec<String>| {
        let mut line = String::new();
        for (index, (cell, column)) in row.iter().zip(columns).enumerate() {
            let width = widths[index];
            let cell = if index + 1 == columns.len() { super::line::cut(cell, room) } else { cell.clone() };
            match column {
                _ if index + 1 == columns.len() => line.push_str(&cell),
                Column::Text(_) => line.push_str(&format!("{cell:<width$}{GAP}")),
                Column::Number(_) => line.push_str(&format!("{cell:>width$}{GAP}")),
            }
        }
        line.trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stand_below_their_heads_and_the_last_is_cut() {
        let columns = [Column::Text("name"), Column::Number("done"), Column::Text("error")];
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let rows = [row(["a", "12345", "it\nbroke and broke again"]), row(["longer", "1", ""])];
        assert_eq!(
            lines(&columns, &rows, usize::MAX),
            ["name     done  error", "a       12345  it\\nbroke and broke again", "longer      1"]
        );
        assert_eq!(lines(&columns, &rows, 10)[1], "a       12345  it\\nbroke and broke…");
    }
}
