//! `tacho schema scan`: the events that agents declare.

use super::known::Known;
use super::register::print;
use crate::failure::Ending;
use crate::place::{Place, PlaceArguments};
use crate::terminal::escape;
use anyhow::{Context, Result};
use clap::Args;
use std::path::{Path, PathBuf};
use tacho_event::declaration::{Declaration, MAX_FILE_BYTES, declarations};
use tacho_event::schema::Version;

/// Deepest folder below the given one that is looked into, and most files that are read.
const DEPTH_MAX: usize = 8;
const FILES_MAX: usize = 10_000;

/// Register the events that agents declare in their Markdown files (<events> blocks)
#[derive(Debug, Args)]
pub struct Scan {
    /// A folder such as .claude/agents, or a project
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Only tell what is declared, register nothing
    #[arg(long)]
    dry_run: bool,
    /// Print a type a line as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: PlaceArguments,
}

impl Scan {
    pub fn run(self) -> Result<Ending> {
        let place = Place::find(&self.place)?;
        let mut files = Vec::new();
        find(&self.folder, DEPTH_MAX, &mut files)?;
        files.sort();
        let mut known = Known::read(&place)?;
        let mut is_wanting = false;
        for file in files {
            match read(&file)? {
                Ok(declared) => {
                    declared.iter().try_for_each(|declaration| self.take(declaration, &mut known))?
                }
                Err(problems) => {
                    is_wanting = true;
                    for problem in problems {
                        eprintln!(
                            "{}",
                            escape(&format!("{}:{}: {}", file.display(), problem.line, problem.what))
                        );
                    }
                }
            }
        }
        Ok(if is_wanting { Ending::Wanting } else { Ending::Done })
    }

    fn take(&self, declaration: &Declaration, known: &mut Known<'_>) -> Result<()> {
        let schema = declaration.schema();
        let kind = &declaration.kind;
        let Some(version) = known.registry.next_version(kind, &schema) else {
            let latest = known.registry.find(kind, None).map(|known| known.registration.version.clone());
            return print(kind, &latest.unwrap_or(Version::new(1, 0, 0)), None, self.json);
        };
        let position = match self.dry_run {
            true => None,
            false => known
                .register(declaration.registration(version.clone()))
                .with_context(|| format!("cannot register {kind}, declared by {}", declaration.agent))?,
        };
        if self.dry_run && !self.json {
            println!("{} {version} is declared by {}", escape(kind), escape(&declaration.agent));
            return Ok(());
        }
        print(kind, &version, position, self.json)
    }
}

type Read = Result<Vec<Declaration>, Vec<tacho_event::declaration::Problem>>;

fn read(file: &Path) -> Result<Read> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    Ok(declarations(&stem, &text))
}

/// Markdown files below the folder; links and hidden folders other than `.claude` are passed over.
fn find(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let name = entry.file_name().to_string_lossy().into_owned();
        if kind.is_dir()
            && depth > 0
            && (!name.starts_with('.') || name == ".claude")
            && name != "node_modules"
        {
            find(&path, depth - 1, files)?;
        } else if kind.is_file()
            && name.ends_with(".md")
            && files.len() < FILES_MAX
            && entry.metadata()?.len() <= MAX_FILE_BYTES as u64
        {
            files.push(path);
        }
    }
    Ok(())
}
