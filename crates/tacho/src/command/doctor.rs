//! `tacho doctor`: whether all is well, and what to do where it is not.

use crate::doctor::{self, Finding, Verdict};
use crate::failure::Ending;
use crate::place::{Place, PlaceArguments};
use crate::terminal::{Output, escape};
use anstyle::{AnsiColor, Style};
use anyhow::Result;
use clap::Args;

/// Look for what may be wrong with this installation
///
/// Exits with 3 when something is.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Print a finding a line as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

impl Doctor {
    pub fn run(self) -> Result<Ending> {
        let findings = doctor::examine(&Place::find(&self.place)?);
        let mut output = Output::stdout();
        for finding in &findings {
            if self.json {
                output.json(&serde_json::to_vec(finding)?)?;
            } else {
                print(finding, &mut output)?;
            }
        }
        output.flush()?;
        let worst = findings.iter().map(|finding| finding.verdict).max();
        Ok(if worst == Some(Verdict::Fail) { Ending::Wanting } else { Ending::Done })
    }
}

fn print(finding: &Finding, output: &mut Output) -> Result<()> {
    let (word, colour) = match finding.verdict {
        Verdict::Ok => ("ok  ", AnsiColor::Green),
        Verdict::Warn => ("warn", AnsiColor::Yellow),
        Verdict::Fail => ("FAIL", AnsiColor::Red),
    };
    let word = output.palette.paint(Style::new().fg_color(Some(colour.into())), word);
    output.line(&format!("{word}  {:<18} {}", finding.about, escape(&finding.told)))?;
    if !finding.remedy.is_empty() {
        output.line(&format!("      {:<18} → {}", "", escape(&finding.remedy)))?;
    }
    Ok(())
}
