use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Tells a file from what it was, or from the one that stood in its place. Symbolic links are followed,
/// as Kubernetes and ACME clients swap them. The time is that of the last change of any kind: that of the
/// contents can be set, and is the same for all files of an image that is built reproducibly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    inode: u64,
    changed: (i64, i64),
    pub bytes: u64,
}

impl Stamp {
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let file = fs::metadata(path)?;
        Ok(Self { inode: file.ino(), changed: (file.ctime(), file.ctime_nsec()), bytes: file.len() })
    }
}
