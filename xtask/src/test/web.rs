//! The dashboard: its types, its folds, that the built files are what the sources make, and its pages in a real
//! browser over the built server.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::summary::Outcome;
use crate::install::{self, Program};
use crate::workspace::{Workspace, on_path, succeeds};

const NPM: Program = Program { name: "npm", package: "npm", purpose: "it builds and tests the dashboard" };
const CHROMIUM: Program =
    Program { name: "chromium", package: "chromium", purpose: "the dashboard's pages are tested in it" };
/// Other names under which the same browser is installed.
const CHROMIUM_NAMES: &[&str] = &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

pub fn run(workspace: &Workspace) -> Result<Outcome> {
    let web = workspace.root.join("web");
    let npm = install::program(&NPM)?;
    let run = |arguments: &[&str]| Command::new(&npm).args(arguments).current_dir(&web).status();
    let passes = |arguments: &[&str]| -> Result<bool> {
        println!("npm {}", arguments.join(" "));
        Ok(run(arguments).context("npm could not be started")?.success())
    };
    if !passes(&["ci", "--no-audit", "--no-fund"])? {
        bail!("npm could not install what web/package-lock.json names: is its registry reachable?");
    }
    for script in ["check", "test"] {
        if !passes(&["run", script])? {
            return Ok(Outcome::Failed(format!("`npm run {script}` failed in web/")));
        }
    }
    if let Some(why) = differs(workspace, &npm)? {
        return Ok(Outcome::Failed(why));
    }
    browser(workspace, &npm)
}

/// Builds anew beside the checked-in files and compares all but compressed copies: how tightly they are packed depends
/// on the version of Node, and their names say what is in them.
fn differs(workspace: &Workspace, npm: &Path) -> Result<Option<String>> {
    let web = workspace.root.join("web");
    let fresh = workspace.target.join("web-dist");
    println!("npm run build, into {}", fresh.display());
    let mut build = Command::new(npm);
    build.args(["run", "build", "--"]).current_dir(&web).env("WEB_DIST", &fresh);
    if !succeeds(&mut build)? {
        return Ok(Some("`npm run build` failed in web/".to_owned()));
    }
    let (built, checked_in) = (contents(&fresh)?, contents(&web.join("dist"))?);
    let stale = built.keys().chain(checked_in.keys()).find(|name| built.get(*name) != checked_in.get(*name));
    Ok(stale.map(|name| format!("web/dist/{name} is not what the sources make: run `npm run build` in web/")))
}

fn contents(root: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut found = BTreeMap::new();
    walk(root, root, &mut found).with_context(|| format!("{} cannot be read", root.display()))?;
    Ok(found)
}

fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(root, &path, found)?;
        } else if path.extension().is_none_or(|ending| ending != "gz") {
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            found.insert(name, fs::read(&path)?);
        }
    }
    Ok(())
}

/// The browser that drives the pages, installed when this machine allows it.
pub fn chromium() -> Result<PathBuf> {
    match CHROMIUM_NAMES.iter().find_map(|name| on_path(name)) {
        Some(path) => Ok(path),
        None => install::program(&CHROMIUM),
    }
}

/// Brings the packages that drive the browser, unless they are there.
pub fn packages(workspace: &Workspace) -> Result<PathBuf> {
    let web = workspace.root.join("web");
    if !web.join("node_modules/playwright-core").is_dir() {
        let mut install = Command::new(install::program(&NPM)?);
        install.args(["ci", "--no-audit", "--no-fund"]).current_dir(&web);
        if !succeeds(&mut install)? {
            bail!("npm could not install what web/package-lock.json names: is its registry reachable?");
        }
    }
    Ok(web)
}

fn browser(workspace: &Workspace, npm: &Path) -> Result<Outcome> {
    let chromium = chromium()?;
    let binary = workspace.tacho();
    if !binary.is_file() {
        bail!("{} is missing: the release build must pass first", binary.display());
    }
    let mut pages = Command::new(npm);
    pages.args(["run", "browser"]).current_dir(workspace.root.join("web"));
    pages.env("TACHO", &binary).env("CHROMIUM", chromium).env("SHOTS", workspace.target.join("web-shots"));
    let passed = succeeds(&mut pages)?;
    println!("pictures of each page are in {}", workspace.target.join("web-shots").display());
    Ok(if passed { Outcome::Passed } else { Outcome::Failed("a page failed in the browser".to_owned()) })
}
