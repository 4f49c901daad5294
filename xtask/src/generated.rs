//! Files that the product itself prints, or that are made of such files, and that are checked in. To add one, add
//! one line to the list.

mod python;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::workspace::Workspace;

/// A checked-in file and where its content comes from.
pub struct Generated {
    pub path: &'static str,
    origin: Origin,
}

enum Origin {
    /// The arguments of `tacho` that print it.
    Tacho(&'static [&'static str]),
    /// A file further up in the list, and what makes this one of it.
    Spec(&'static str, fn(&Value) -> Result<String>),
}
use Origin::{Spec, Tacho};

pub const GENERATED: &[Generated] = &[
    Generated { path: "spec/openapi.json", origin: Tacho(&["openapi"]) },
    Generated { path: "spec/events.json", origin: Tacho(&["catalogue"]) },
    Generated { path: "docs/events.md", origin: Tacho(&["catalogue", "--markdown"]) },
    Generated {
        path: "sdk/python/src/tachograph/catalogue.py",
        origin: Spec("spec/events.json", python::types),
    },
];

impl Generated {
    /// What the file should hold now.
    pub fn print(&self, workspace: &Workspace) -> Result<Vec<u8>> {
        match self.origin {
            Tacho(arguments) => print(workspace, arguments),
            Spec(path, make) => {
                let bytes = std::fs::read(workspace.root.join(path)).with_context(|| path)?;
                Ok(make(&serde_json::from_slice(&bytes).with_context(|| path)?)?.into_bytes())
            }
        }
    }
}

fn print(workspace: &Workspace, arguments: &[&str]) -> Result<Vec<u8>> {
    let output = workspace
        .cargo(&["run", "--quiet", "--package", "tacho", "--"])
        .args(arguments)
        .output()
        .context("cargo could not be started")?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        let last = why.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
        bail!("`tacho {}` failed: {last}", arguments.join(" "));
    }
    Ok(output.stdout)
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
