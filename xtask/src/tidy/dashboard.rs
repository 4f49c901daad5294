//! The dashboard's built files say what they were built from: a stale build is found without Node.

use std::fs;
use std::io;
use std::path::Path;

use super::{Finding, Rule};
use crate::workspace::Workspace;

/// What `web/build/sources.mjs` reads, in the same words.
const FOLDERS: &[&str] = &["public", "src"];
const FILES: &[&str] =
    &["index.html", "package-lock.json", "package.json", "tsconfig.json", "vite.config.ts"];
const STAMP: &str = "web/dist/sources.txt";

pub fn check(workspace: &Workspace) -> Option<Finding> {
    let what =
        match (sources_hash(&workspace.root.join("web")), fs::read_to_string(workspace.root.join(STAMP))) {
            (Ok(fresh), Ok(built)) if fresh == built.trim() => return None,
            (Ok(fresh), Ok(built)) => format!("was built from {}, the sources are {fresh}", built.trim()),
            (Err(error), _) => format!("the sources cannot be read: {error}"),
            (_, Err(error)) => format!("cannot be read: {error}"),
        };
    let remedy = "run `npm ci && npm run build` in web/".to_owned();
    Some(Finding { path: STAMP.to_owned(), line: 1, what, remedy, rule: Rule::Stale })
}

/// 64-bit FNV-1a over each path, its length and its bytes, in the order of the paths.
fn sources_hash(root: &Path) -> io::Result<String> {
    let mut names: Vec<String> = FILES.iter().map(|&name| name.to_owned()).collect();
    for folder in FOLDERS {
        walk(root, folder, &mut names)?;
    }
    names.sort();
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for name in names {
        let bytes = fs::read(root.join(&name))?;
        let head = format!("{name}\0{}\0", bytes.len());
        for byte in head.bytes().chain(bytes) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
    Ok(format!("{hash:016x}"))
}

fn walk(root: &Path, folder: &str, names: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
        match entry.file_type()?.is_dir() {
            true => walk(root, &name, names)?,
            false => names.push(name),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checked_in_dashboard_is_fresh() {
        let workspace = Workspace::find().unwrap();
        assert_eq!(check(&workspace), None);
    }
}
