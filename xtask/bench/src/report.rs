//! What was measured, as Markdown for people and as JSON for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::machine::Machine;

/// One bench's figures.
pub struct Section {
    pub title: &'static str,
    /// How it was measured, and what the figures do not say.
    pub notes: Vec<String>,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
    pub verdicts: Vec<Verdict>,
}

impl Section {
    /// In place of figures that could not be taken here, why.
    pub fn left_out(title: &'static str, why: impl Into<String>) -> Section {
        let notes = vec![format!("Left out: {}", why.into())];
        Section { title, notes, columns: Vec::new(), rows: Vec::new(), verdicts: Vec::new() }
    }
}

/// A promise beside what came of it.
pub struct Verdict {
    pub what: String,
    pub floor: String,
    pub measured: String,
    pub met: bool,
}

impl Verdict {
    pub fn at_least(what: impl Into<String>, measured: f64, floor: f64, unit: &str) -> Verdict {
        Verdict::new(what, measured, floor, unit, "≥", measured >= floor)
    }

    pub fn at_most(what: impl Into<String>, measured: f64, ceiling: f64, unit: &str) -> Verdict {
        Verdict::new(what, measured, ceiling, unit, "≤", measured <= ceiling)
    }

    fn new(what: impl Into<String>, measured: f64, bound: f64, unit: &str, sign: &str, met: bool) -> Verdict {
        let floor = format!("{sign} {} {unit}", figure(bound));
        let apart = (measured / bound - 1.0) * 100.0;
        let missed = if met { String::new() } else { format!(" ({apart:+.0} %)") };
        Verdict { what: what.into(), floor, measured: format!("{} {unit}{missed}", figure(measured)), met }
    }
}

pub struct Report {
    machine: Machine,
    quick: bool,
    sections: Vec<Section>,
    failures: Vec<(&'static str, String)>,
}

impl Report {
    pub fn new(machine: Machine, quick: bool) -> Report {
        Report { machine, quick, sections: Vec::new(), failures: Vec::new() }
    }

    pub fn add(&mut self, section: Section) {
        self.sections.push(section);
    }

    pub fn add_failure(&mut self, name: &'static str, error: &anyhow::Error) {
        self.failures.push((name, format!("{error:#}")));
    }

    pub fn markdown(&self) -> String {
        let mut text = String::from("# Benchmarks\n\n");
        text.push_str(&self.introduction());
        for section in &self.sections {
            push(&mut text, format_args!("\n## {}\n", section.title));
            if !section.rows.is_empty() {
                push(&mut text, format_args!("\n{}", table(&section.columns, &section.rows)));
            }
            for note in &section.notes {
                push(&mut text, format_args!("\n{note}\n"));
            }
        }
        let verdicts: Vec<&Verdict> = self.sections.iter().flat_map(|section| &section.verdicts).collect();
        if !verdicts.is_empty() {
            let columns = ["promise", "floor", "measured", "met"].map(str::to_owned);
            let rows: Vec<Vec<String>> = verdicts
                .iter()
                .map(|verdict| {
                    let met = if verdict.met { "yes" } else { "**no**" };
                    vec![
                        verdict.what.clone(),
                        verdict.floor.clone(),
                        verdict.measured.clone(),
                        met.to_owned(),
                    ]
                })
                .collect();
            push(&mut text, format_args!("\n## Promises\n\n{}", table(&columns, &rows)));
        }
        for (name, error) in &self.failures {
            push(&mut text, format_args!("\n`{name}` could not be measured: {error}\n"));
        }
        text
    }

    fn introduction(&self) -> String {
        let Machine { date, cores, cpu, kernel, load, syncs_per_second, sync_median_ms } = &self.machine;
        let busy = if *load > *cores as f64 / 2.0 {
            format!(
                "\n**The machine was busy with other work (load {load}): take these figures as a trial.**\n"
            )
        } else {
            String::new()
        };
        let run = if self.quick { " (a quick run: shorter, on less data)" } else { "" };
        format!(
            "One run of `cargo xtask bench`{run} on {date}: {cores} cores, {cpu}, Linux {kernel}. The disk takes {} \
             writes of 512 bytes a second, each followed by `fdatasync`; the median one takes {} ms.\n\nPayloads are 256 bytes. Every system \
             syncs before it acknowledges. The servers and the load generator share the cores.\n{busy}",
            figure(*syncs_per_second),
            figure(*sync_median_ms)
        )
    }

    pub fn json(&self) -> Value {
        let sections: Vec<Value> = self
            .sections
            .iter()
            .map(|section| {
                let verdicts: Vec<Value> = section.verdicts.iter().map(verdict_json).collect();
                json!({"title": section.title, "columns": section.columns, "rows": section.rows,
                       "notes": section.notes, "promises": verdicts})
            })
            .collect();
        let Machine { date, cores, cpu, kernel, load, syncs_per_second, sync_median_ms } = &self.machine;
        let failures: Vec<Value> =
            self.failures.iter().map(|(name, why)| json!({"name": name, "why": why})).collect();
        json!({
            "machine": {"date": date, "cores": cores, "cpu": cpu, "kernel": kernel, "load": load,
                        "syncs_per_second": syncs_per_second, "sync_median_ms": sync_median_ms},
            "quick": self.quick, "sections": sections, "failures": failures,
        })
    }
}

fn verdict_json(verdict: &Verdict) -> Value {
    let Verdict { what, floor, measured, met } = verdict;
    json!({"what": what, "floor": floor, "measured": measured, "met": met})
}

/// Three significant digits, thousands apart.
pub fn figure(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 100.0 || size == 0.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.decimals$}");
    let (whole, rest) =
        text.split_once('.').map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        let left = whole.len() - index;
        if index > 0 && left.is_multiple_of(3) && grouped != "-" {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    rest.map_or(grouped.clone(), |rest| format!("{grouped}.{rest}"))
}

fn table(columns: &[String], rows: &[Vec<String>]) -> String {
    let mut text = format!("| {} |\n|{}\n", columns.join(" | "), "---|".repeat(columns.len()));
    for row in rows {
        push(&mut text, format_args!("| {} |\n", row.join(" | ")));
    }
    text
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("a string takes what is written");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures() {
        let shown = [1_150_000.4, 5900.0, 123.4, 12.34, 1.234, 0.1234, 0.0].map(figure);
        assert_eq!(shown, ["1,150,000", "5,900", "123", "12.3", "1.23", "0.123", "0"]);
    }

    #[test]
    fn verdicts() {
        let verdict = Verdict::at_least("a", 4000.0, 5000.0, "events/s");
        assert_eq!((verdict.floor.as_str(), verdict.met), ("≥ 5,000 events/s", false));
        assert_eq!(verdict.measured, "4,000 events/s (-20 %)");
        assert!(Verdict::at_most("a", 4.0, 5.0, "ms").met);
    }
}
