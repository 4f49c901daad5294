//! Files that the product itself prints and that are checked in. To add one, add one line to the list.

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;

/// A checked-in file and the arguments of `tacho` that print it.
pub struct Generated {
    pub path: &'static str,
    pub arguments: &'static [&'static str],
}

pub const GENERATED: &[Generated] = &[Generated { path: "spec/openapi.json", arguments: &["openapi"] }];

impl Generated {
    /// What the file should hold now.
    pub fn print(&self, workspace: &Workspace) -> Result<Vec<u8>> {
        let output = workspace
            .cargo(&["run", "--quiet", "--package", "tacho", "--"])
            .args(self.arguments)
            .output()
            .context("cargo could not be started")?;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            let last = why.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
            bail!("`tacho {}` failed: {last}", self.arguments.join(" "));
        }
        Ok(output.stdout)
    }
}

/// Writes every generated file.
pub fn write(workspace: &Workspace) -> Result<()> {
    for file in GENERATED {
        let bytes = file.print(workspace)?;
        let path = workspace.root.join(file.path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, bytes).with_context(|| format!("{} cannot be written", file.path))?;
        println!("wrote {}", file.path);
    }
    Ok(())
}
