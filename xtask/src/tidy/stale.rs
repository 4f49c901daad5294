//! Generated files that no longer say what the product says.

use super::{Finding, Rule};
use crate::generated::{GENERATED, Generated};
use crate::workspace::Workspace;

const REMEDY: &str = "run `cargo xtask codegen`";

pub fn check(workspace: &Workspace) -> Vec<Finding> {
    GENERATED.iter().filter_map(|file| check_file(workspace, file)).collect()
}

fn check_file(workspace: &Workspace, file: &Generated) -> Option<Finding> {
    let Ok(checked_in) = std::fs::read(workspace.root.join(file.path)) else {
        return Some(finding(file.path, 1, "is not checked in".to_owned(), REMEDY));
    };
    match file.print(workspace) {
        Err(error) => {
            Some(finding(file.path, 1, format!("cannot be generated: {error:#}"), "mend the command"))
        }
        Ok(fresh) => compare(file.path, &checked_in, &fresh),
    }
}

fn compare(path: &str, checked_in: &[u8], fresh: &[u8]) -> Option<Finding> {
    if checked_in == fresh {
        return None;
    }
    let lines = |bytes: &[u8]| bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    let (old, new) = (lines(checked_in), lines(fresh));
    let same = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    Some(finding(path, same + 1, "is stale from here on".to_owned(), REMEDY))
}

fn finding(path: &str, line: usize, what: String, remedy: &str) -> Finding {
    Finding { path: path.to_owned(), line, what, remedy: remedy.to_owned(), rule: Rule::Stale }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_differs_is_named() {
        assert_eq!(compare("a", b"x\ny\n", b"x\ny\n"), None);
        assert_eq!(compare("a", b"x\ny\n", b"x\nz\n").map(|finding| finding.line), Some(2));
        assert_eq!(compare("a", b"x\n", b"x\nz\n").map(|finding| finding.line), Some(2));
    }
}
