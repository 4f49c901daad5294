//! Which configurations may start programs.
//!
//! A `tacho.toml` comes with a folder, perhaps with somebody else's. What is named with `--config` or is the user's own
//! may start programs; what is merely found in the working folder only when the user has said so of just these bytes.

use crate::command::home;
use crate::data_folder;
use crate::identity;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Largest list that is read, in bytes.
const LIST_BYTES_MAX: u64 = 4 << 20;

/// The programs that a file names, and the state of the file that names them.
#[derive(Debug)]
pub struct Programs {
    file: PathBuf,
    sha256: String,
    /// Names of handlers and servers, and what each starts.
    pub lines: Vec<(String, String)>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct List {
    files: Vec<Trusted>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Trusted {
    /// From the root, links followed.
    path: PathBuf,
    sha256: String,
    /// When, RFC 3339.
    since: String,
}

impl Programs {
    /// `None` where nothing starts a program.
    pub fn of(file: &Path, sha256: &str, lines: Vec<(String, String)>) -> Option<Self> {
        (!lines.is_empty()).then(|| Self { file: file.to_owned(), sha256: sha256.to_owned(), lines })
    }

    pub fn is_trusted(&self) -> Result<bool> {
        let path = canonical(&self.file)?;
        Ok(List::read()?.files.iter().any(|known| known.path == path && known.sha256 == self.sha256))
    }

    /// # Errors
    /// When they are not trusted: says which they are.
    pub fn check(&self) -> Result<()> {
        if self.is_trusted()? {
            return Ok(());
        }
        let lines: Vec<String> = self.lines.iter().map(|(name, line)| format!("{name}: {line}")).collect();
        bail!(
            "{} starts programs and is not trusted as it stands ({}): read it, then run `tacho config trust`, or name it with --config",
            self.file.display(),
            lines.join("; ")
        )
    }
}

/// Trusts the file as long as it has these bytes.
pub fn trust(file: &Path, sha256: &str) -> Result<()> {
    let path = canonical(file)?;
    let mut list = List::read()?;
    list.files.retain(|known| known.path != path);
    let since = identity::now().to_rfc3339_millis();
    list.files.push(Trusted { path, sha256: sha256.to_owned(), since });
    list.write()
}

/// Trusts the file no longer; answers whether it was trusted. It may be gone already.
pub fn revoke(file: &Path) -> Result<bool> {
    let path = canonical(file).or_else(|_| crate::config::absolute(file))?;
    let mut list = List::read()?;
    let before = list.files.len();
    list.files.retain(|known| known.path != path);
    if list.files.len() < before {
        list.write()?;
    }
    Ok(list.files.len() < before)
}

/// The user's own configuration, whether it is there or not: `$XDG_CONFIG_HOME/tacho/tacho.toml`, else below
/// `~/.config`.
pub fn user_file() -> Option<PathBuf> {
    Some(base_folder("XDG_CONFIG_HOME", ".config").ok()?.join("tacho").join("tacho.toml"))
}

impl List {
    fn read() -> Result<Self> {
        let path = Self::path()?;
        let cannot = || format!("cannot read {}", path.display());
        match fs::metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Ok(metadata) if metadata.len() > LIST_BYTES_MAX => {
                bail!("{} is no list of trusted files: remove it, and trust again", path.display())
            }
            found => found.with_context(cannot)?,
        };
        let text = fs::read(&path).with_context(cannot)?;
        serde_json::from_slice(&text).with_context(|| {
            format!("{} is no list of trusted files: remove it, and trust again", path.display())
        })
    }

    fn write(&self) -> Result<()> {
        let path = Self::path()?;
        data_folder::replace(&path, &serde_json::to_vec_pretty(self)?)
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn path() -> Result<PathBuf> {
        Ok(base_folder("XDG_STATE_HOME", ".local/state")?.join("tacho").join("trusted.json"))
    }
}

/// A folder of the XDG Base Directory Specification; a variable that names no absolute path counts as unset.
fn base_folder(variable: &str, below_home: &str) -> Result<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    named.map_or_else(|| Ok(home()?.join(below_home)), Ok)
}

fn canonical(file: &Path) -> Result<PathBuf> {
    file.canonicalize().with_context(|| format!("cannot find {}", file.display()))
}
