use super::read::{Limits, restore};
use super::snapshot;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use tar::{Builder, EntryType, Header};

const LIMITS: Limits = Limits { bytes: 1 << 20, files: 10 };

/// An archive of entries with a type, a raw path, and content.
fn archive(folder: &Path, entries: &[(EntryType, &str, &[u8])]) -> PathBuf {
    let path = folder.join("backup");
    let mut builder = Builder::new(zstd::Encoder::new(File::create(&path).unwrap(), 1).unwrap());
    for (kind, name, content) in entries {
        let mut header = Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(content.len() as u64);
        header.set_cksum();
        builder.append(&header, *content).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap();
    path
}

/// What restoring such an archive is refused with; nothing may be left of it.
fn refused(entries: &[(EntryType, &str, &[u8])]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let backup = archive(folder.path(), entries);
    let error = restore(&backup, &folder.path().join("data"), LIMITS).unwrap_err();
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["backup"], "nothing is left behind");
    let causes: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
    causes.join(": ")
}

#[test]
fn entries_that_lead_elsewhere_are_refused() {
    let file = EntryType::Regular;
    assert!(refused(&[(file, "/etc/passwd", b"x")]).starts_with("\"/etc/passwd\" is an absolute path"));
    assert!(refused(&[(file, "../x", b"x")]).contains("leads out of the folder"));
    assert!(refused(&[(file, "journal/../../x", b"x")]).contains("leads out of the folder"));
    assert!(refused(&[(file, "journal/.ssh", b"x")]).contains("is no file of a log"));
    assert!(refused(&[(file, "elsewhere/x", b"x")]).contains("is no file of a log"));
    assert!(refused(&[(EntryType::Symlink, "journal/a", b"")]).contains("a symbolic link"));
    assert!(refused(&[(EntryType::Link, "journal/a", b"")]).contains("a hard link"));
    assert!(refused(&[(EntryType::Char, "journal/a", b"")]).contains("a device"));
    assert!(refused(&[(EntryType::GNULongName, "journal/a", b"")]).contains("an extension"));
}

#[test]
fn expansion_is_bounded() {
    let file = EntryType::Regular;
    let large = vec![0; LIMITS.bytes as usize + 1];
    assert!(refused(&[(file, "journal/a", &large)]).contains("expands to more than 1048576 bytes"));
    let names: Vec<String> = (0..11).map(|index| format!("journal/{index}")).collect();
    let many: Vec<(EntryType, &str, &[u8])> =
        names.iter().map(|name| (file, name.as_str(), &b""[..])).collect();
    assert!(refused(&many).contains("more than 10 files"));
}

#[test]
fn the_manifest_is_believed_by_nobody() {
    let file = EntryType::Regular;
    let manifest = |sha256: &str| {
        format!(
            r#"{{"format":1,"tacho":"0","created":"","files":[{{"name":"a","bytes":1,"sha256":"{sha256}"}}]}}"#
        )
    };
    assert!(refused(&[(file, "journal/a", b"x")]).contains("the manifest is missing"));
    let wrong = manifest("00");
    assert!(
        refused(&[(file, "journal/a", b"x"), (file, "manifest.json", wrong.as_bytes())])
            .contains("is damaged")
    );
    assert!(refused(&[(file, "manifest.json", wrong.as_bytes())]).contains("but not in the backup"));
    let newer = r#"{"format":2,"tacho":"9","created":"","files":[]}"#;
    assert!(refused(&[(file, "manifest.json", newer.as_bytes())]).contains("use a newer tacho"));
    let none = r#"{"format":1,"tacho":"0","created":"","files":[]}"#;
    assert!(
        refused(&[(file, "journal/a", b"x"), (file, "manifest.json", none.as_bytes())])
            .contains("does not name")
    );
    assert!(refused(&[(file, "journal/a", b"x"), (file, "journal/a", b"y")]).contains("cannot create"));
}

#[test]
fn a_folder_that_holds_something_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let backup = archive(folder.path(), &[]);
    let error = restore(&backup, folder.path(), LIMITS).unwrap_err();
    assert!(error.to_string().ends_with("restore into a folder that is, or that is not there yet"));
}

#[test]
fn a_snapshot_ends_where_content_ends() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = File::create(folder.path().join("1.log")).unwrap();
    file.write_all(&[7; 100]).unwrap();
    file.set_len(200_000).unwrap();
    for name in ["LOCK", "2.sealed.tmp", "0.log", "0.sealed"] {
        fs::write(folder.path().join(name), "1").unwrap();
    }
    fs::create_dir(folder.path().join("index")).unwrap();
    let files = snapshot::take(folder.path()).unwrap();
    let told: Vec<_> = files.iter().map(|file| (file.name.as_str(), file.bytes, file.written)).collect();
    assert_eq!(told, [("1.log", 200_000, 100), ("0.sealed", 1, 1)]);
}
