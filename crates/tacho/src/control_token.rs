//! The control token of a data folder: whoever can read it may control what runs there.

use crate::config::handler::hexadecimal;
use crate::data_folder;
use anyhow::{Context, Result, bail};
use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Holds the token itself, for a server whose data folder is elsewhere.
pub const VARIABLE: &str = "TACHO_CONTROL_TOKEN";
/// Hexadecimal digits of 32 random bytes.
const DIGITS: usize = 64;

/// The folder's token, which is made when there is none.
pub fn keep(data: &Path) -> Result<String> {
    let path = file(data);
    if let Some(token) = read(data)? {
        let readable = fs::metadata(&path)?.permissions().mode();
        if readable & 0o077 != 0 {
            fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        }
        return Ok(token);
    }
    let mut bytes = [0; DIGITS / 2];
    getrandom::fill(&mut bytes).context("the system has no random bytes for a control token")?;
    let token = hexadecimal(&bytes);
    data_folder::replace(&path, format!("{token}\n").as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(token)
}

/// The folder's token, when one was made.
pub fn read(data: &Path) -> Result<Option<String>> {
    let path = file(data);
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        text => text.with_context(|| format!("the control token in {} cannot be read", path.display()))?,
    };
    let token = text.trim();
    if token.len() != DIGITS || !token.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        bail!("{} holds no control token: remove it and start the server again", path.display());
    }
    Ok(Some(token.to_owned()))
}

fn file(data: &Path) -> PathBuf {
    data_folder::run_folder(data).join("token")
}
