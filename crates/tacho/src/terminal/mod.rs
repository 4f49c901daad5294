//! What people see: colour, width, and text that cannot take over their terminal.

mod console;
mod escape;
mod graph;
mod line;
mod progress;
mod style;
mod summary;
mod table;
mod tree;

pub use console::{console_block, sink_block};
pub use escape::{escape, escape_json};
pub use graph::graph_lines;
pub use line::event_line;
pub use progress::Progress;
pub use style::{Palette, glyph, kind_style};
pub use summary::summary;
pub use table::Column;
pub use tree::{change_lines, tree_lines};

use std::io::{self, IsTerminal, Write};

/// Widest line that is assumed where the terminal does not say, in columns.
const DEFAULT_COLUMNS: usize = 100;

/// Standard output of a command: knows whether a person reads it.
pub struct Output {
    stream: io::BufWriter<io::Stdout>,
    pub palette: Palette,
    pub is_terminal: bool,
    /// Columns of the terminal.
    pub columns: usize,
}

impl Output {
    pub fn stdout() -> Self {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        let colour = anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never;
        let columns = if is_terminal { terminal_columns() } else { usize::MAX };
        Self { stream: io::BufWriter::new(stdout), palette: Palette { colour }, is_terminal, columns }
    }

    /// A line that was made for people; what came from events in it is escaped already.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        self.stream.write_all(text.as_bytes())?;
        self.stream.write_all(b"\n")
    }

    /// One JSON document on a line.
    pub fn json(&mut self, document: &[u8]) -> io::Result<()> {
        if self.is_terminal {
            self.stream.write_all(escape_json(&String::from_utf8_lossy(document)).as_bytes())?;
        } else {
            self.stream.write_all(document)?;
        }
        self.stream.write_all(b"\n")
    }

    pub fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// `1 file`, `2 files`.
pub fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn terminal_columns() -> usize {
    let from_shell = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok().map(|size| usize::from(size.ws_col));
    size.filter(|columns| *columns > 0).or(from_shell).unwrap_or(DEFAULT_COLUMNS)
}
