//! Gets what a machine lacks where that is allowed, else says what to install.
//!
//! System packages come from apt, only as root; everything else lives below the target folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::workspace::{on_path, succeeds};

/// A program, the Debian package that brings it, and what it is needed for.
pub struct Program {
    pub name: &'static str,
    pub package: &'static str,
    pub purpose: &'static str,
}

/// Finds a program, installing its package when this machine allows it.
pub fn program(wanted: &Program) -> Result<PathBuf> {
    if let Some(path) = on_path(wanted.name) {
        return Ok(path);
    }
    let Program { name, package, purpose } = wanted;
    if !rustix::process::geteuid().is_root() || on_path("apt-get").is_none() {
        bail!("`{name}` is missing ({purpose}): install it, on Debian with `sudo apt-get install {package}`");
    }
    println!("`{name}` is missing ({purpose}): installing {package}");
    let mut install = Command::new("apt-get");
    install.args(["install", "--yes", "--no-install-recommends", package]);
    install.env("DEBIAN_FRONTEND", "noninteractive");
    if !succeeds(&mut install)? {
        succeeds(Command::new("apt-get").arg("update"))?;
        succeeds(&mut install)?;
    }
    match on_path(name) {
        Some(path) => Ok(path),
        None => bail!("`{name}` is missing ({purpose}) and apt-get did not bring it: install it by hand"),
    }
}

/// Makes sure that a Rust component such as `clippy` is there.
pub fn rust_component(subcommand: &str, component: &str) -> Result<()> {
    let there =
        Command::new("cargo").args([subcommand, "--version"]).output().is_ok_and(|o| o.status.success());
    if there {
        return Ok(());
    }
    if on_path("rustup").is_some() && succeeds(Command::new("rustup").args(["component", "add", component]))?
    {
        return Ok(());
    }
    bail!("`cargo {subcommand}` is missing: run `rustup component add {component}`");
}

/// A virtual environment in `folder` that holds the packages; answers its `bin` folder.
pub fn python_packages(folder: &Path, packages: &[&str]) -> Result<PathBuf> {
    let binaries = folder.join("bin");
    let stamp = folder.join("packages.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == packages.join("\n")) {
        return Ok(binaries);
    }
    let python = program(&Program {
        name: "python3",
        package: "python3",
        purpose: "it holds packages that the run needs",
    })?;
    if !succeeds(Command::new(python).args(["-m", "venv"]).arg(folder))? {
        bail!("python3 cannot make a virtual environment: on Debian run `sudo apt-get install python3-venv`");
    }
    println!("installing {} below {}", packages.join(", "), folder.display());
    if !succeeds(Command::new(binaries.join("pip")).args(["install", "--quiet"]).args(packages))? {
        bail!("pip could not install {}: is its index reachable?", packages.join(", "));
    }
    std::fs::write(stamp, packages.join("\n"))?;
    Ok(binaries)
}

/// An npm package below `folder`; answers the path of the program that it brings.
pub fn npm_program(folder: &Path, package: &str, program_name: &str) -> Result<PathBuf> {
    let path = folder.join("node_modules").join(".bin").join(program_name);
    if path.exists() {
        return Ok(path);
    }
    let npm =
        program(&Program { name: "npm", package: "npm", purpose: "it brings packages that the run needs" })?;
    std::fs::create_dir_all(folder)?;
    println!("installing {package} below {}", folder.display());
    let installed = succeeds(
        Command::new(npm).args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(folder).arg(package),
    )?;
    if !installed || !path.exists() {
        bail!("npm could not install {package}: is its registry reachable?");
    }
    Ok(path)
}
