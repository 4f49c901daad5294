//! The files below the log: the seam at which tests put a disk that tears, reorders, loses and fills up.

use std::fs;
use std::io;
use std::ops::Deref;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A folder of files. Nothing is durable before [`File::sync`] of its bytes and
/// [`Storage::sync_folder`] of its name have returned.
pub trait Storage: Send + Sync + 'static {
    /// Opens a file to read and write; fails when it is absent, unless `create`.
    fn open(&self, name: &str, create: bool) -> io::Result<Arc<dyn File>>;
    /// The names of all files.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Replaces `to` if it exists.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes creations, renames and removals durable.
    fn sync_folder(&self) -> io::Result<()>;
    /// The path of a file, for messages.
    fn path(&self, name: &str) -> PathBuf;
}

/// A file, read and written at offsets.
pub trait File: Send + Sync {
    /// Fills `buffer` as far as the file goes; answers how many bytes that were.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Makes the bytes and the length durable (fdatasync).
    fn sync(&self) -> io::Result<()>;
    fn length(&self) -> io::Result<u64>;
    /// The whole file in memory; it must not change any more.
    fn map(&self) -> io::Result<Mapped>;
}

/// A file's bytes, mapped where the storage can.
#[derive(Debug)]
pub enum Mapped {
    Pages(memmap2::Mmap),
    Copy(Vec<u8>),
}

impl Mapped {
    /// Lets go of the pages in memory; they come again, from the file, when they are read.
    pub fn release(&self) {
        if let Self::Pages(pages) = self {
            // SAFETY: a shared mapping that nobody writes through: the file has all that the pages have.
            let _ = unsafe { pages.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
        }
    }
}

impl Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Pages(pages) => pages,
            Self::Copy(bytes) => bytes,
        }
    }
}

/// Files in a folder of the real file system. New files are readable by their owner only.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    writable: bool,
}

impl Folder {
    /// Creates the folder (mode 0700) when it is absent and `writable`.
    pub fn open(path: &Path, writable: bool) -> io::Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        if writable {
            let is_new = !path.exists();
            fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
            if is_new && let Some(parent) = path.canonicalize()?.parent() {
                // Else a crash could lose the folder with all that was synced in it.
                fs::File::open(parent)?.sync_all()?;
            }
        }
        Ok(Self { path: path.to_owned(), writable })
    }
}

impl Storage for Folder {
    fn open(&self, name: &str, create: bool) -> io::Result<Arc<dyn File>> {
        use std::os::unix::fs::OpenOptionsExt;
        let mut options = fs::OpenOptions::new();
        options.read(true).write(self.writable).create(create && self.writable).mode(0o600);
        Ok(Arc::new(RealFile(options.open(self.path.join(name))?)))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                names.extend(entry.file_name().into_string());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    fn sync_folder(&self) -> io::Result<()> {
        fs::File::open(&self.path)?.sync_all()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

struct RealFile(fs::File);

impl File for RealFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.0.read_at(&mut buffer[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn map(&self) -> io::Result<Mapped> {
        if self.length()? == 0 {
            return Ok(Mapped::Copy(Vec::new()));
        }
        // SAFETY: only files that are complete and never written again are mapped, below a folder that
        // the log's lock guards.
        let pages = unsafe { memmap2::Mmap::map(&self.0)? };
        let _ = pages.advise(memmap2::Advice::Random);
        Ok(Mapped::Pages(pages))
    }
}
