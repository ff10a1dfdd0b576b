use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

/// Notices that files have changed, by looking; one that is still being written is left alone until it
/// has been the same at two looks. It follows symbolic links, as Kubernetes and ACME
/// clients swap them, which file notifications do not.
#[derive(Debug)]
pub(crate) struct FileWatch {
    files: Vec<Watched>,
}

#[derive(Debug)]
struct Watched {
    path: PathBuf,
    /// As it was when a change was last told.
    told: Option<Stamp>,
    /// As it was at the last look.
    seen: Option<Stamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
}

impl FileWatch {
    pub(crate) fn new(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        let watched = |path: PathBuf| {
            let stamp = stamp(&path);
            Watched { path, told: stamp, seen: stamp }
        };
        Self { files: paths.into_iter().map(watched).collect() }
    }

    /// Whether any file is other than it was, and has come to rest. One that is gone has not changed: it is
    /// perhaps being replaced.
    pub(crate) fn changed(&mut self) -> bool {
        let mut changed = false;
        for file in &mut self.files {
            let now = stamp(&file.path);
            if now.is_some() && now != file.told && now == file.seen {
                file.told = now;
                changed = true;
            }
            file.seen = now;
        }
        changed
    }
}

fn stamp(path: &PathBuf) -> Option<Stamp> {
    let metadata = fs::metadata(path).ok()?;
    Some(Stamp { modified: metadata.modified().ok(), bytes: metadata.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_noticed_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("relay.toml");
        fs::write(&path, "a").unwrap();
        let mut watch = FileWatch::new([path.clone()]);
        assert!(!watch.changed());
        fs::write(&path, "ab").unwrap();
        assert_eq!([watch.changed(), watch.changed(), watch.changed()], [false, true, false]);
        fs::remove_file(&path).unwrap();
        assert!(!watch.changed());
    }

    #[test]
    fn a_file_that_is_being_written_is_left_alone_until_it_rests() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("relay.toml");
        fs::write(&path, "old").unwrap();
        let mut watch = FileWatch::new([path.clone()]);
        for so_far in ["", "n", "ne", "newer"] {
            fs::write(&path, so_far).unwrap();
            assert!(!watch.changed(), "{so_far:?} may not be all of it");
        }
        assert!(watch.changed());
    }
}
