use std::path::PathBuf;

use crate::stamp::Stamp;

/// Notices that files have changed, by looking, for file notifications do not follow symbolic links. One
/// that is still being written is left alone until it has been the same at two looks.
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

impl FileWatch {
    pub(crate) fn new(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        let watched = |path: PathBuf| {
            let stamp = Stamp::of(&path).ok();
            Watched { path, told: stamp, seen: stamp }
        };
        Self { files: paths.into_iter().map(watched).collect() }
    }

    /// Whether any file is other than it was, and has come to rest. One that is gone has not changed: it is
    /// perhaps being replaced.
    pub(crate) fn changed(&mut self) -> bool {
        let mut changed = false;
        for file in &mut self.files {
            let now = Stamp::of(&file.path).ok();
            if now.is_some() && now != file.told && now == file.seen {
                file.told = now;
                changed = true;
            }
            file.seen = now;
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::SystemTime;

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
    fn a_file_in_its_place_is_noticed_whatever_time_and_size_it_bears() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for (name, text) in [("relay.toml", "old"), ("next", "new")] {
            fs::write(path(name), text).unwrap();
            // As in a store or an image that is built reproducibly.
            fs::File::open(path(name)).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        }
        let mut watch = FileWatch::new([path("relay.toml")]);
        fs::rename(path("next"), path("relay.toml")).unwrap();
        assert_eq!([watch.changed(), watch.changed()], [false, true]);
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
