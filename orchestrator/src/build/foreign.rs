//! The build context of somebody's folder: all that `.dockerignore` leaves, as a tar in memory.

use std::io;
use std::path::Path;

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use ignore::{DirEntry, WalkBuilder};
use tar::Builder;

use crate::failure::Failure;

/// A larger context is an oversight: a folder of dependencies, or of data.
const CONTEXT_LIMIT_BYTES: u64 = 512 << 20;

/// Packs the folder.
///
/// # Errors
/// It cannot be read, or is too large.
pub(crate) fn foreign_context(folder: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::Image(format!("--build: {} cannot be packed: {error}", folder.display()))
    };
    // It may be a link to the folder.
    let folder = &folder.canonicalize().map_err(|error| failed(&error))?;
    let ignored = ignored(folder).map_err(|error| failed(&error))?;
    pack(folder, ignored).map_err(|error| failed(&error))
}

/// The patterns of `.dockerignore`, which all begin at the folder, unlike those of `.gitignore`.
fn ignored(folder: &Path) -> Result<Gitignore, ignore::Error> {
    let mut builder = GitignoreBuilder::new(folder);
    let patterns = std::fs::read_to_string(folder.join(".dockerignore")).unwrap_or_default();
    for line in patterns.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (not, pattern) = line.strip_prefix('!').map_or(("", line), |pattern| ("!", pattern));
        builder.add_line(None, &format!("{not}/{}", pattern.trim_start_matches("./").trim_start_matches('/')))?;
    }
    builder.build()
}

fn pack(folder: &Path, ignored: Gitignore) -> io::Result<Vec<u8>> {
    let mut tar = Builder::new(Vec::new());
    tar.follow_symlinks(false);
    // The classic builder cannot read sparse entries.
    tar.sparse(false);
    let has_exceptions = ignored.num_whitelists() > 0;
    let root = folder.to_owned();
    let is_ignored = move |entry: &DirEntry| {
        let path = entry.path().strip_prefix(&root).unwrap_or(entry.path());
        let is_needed = entry.depth() == 0 || path == Path::new("Dockerfile");
        !is_needed && ignored.matched_path_or_any_parents(path, is_folder(entry)).is_ignore()
    };
    // What is below an ignored folder need not even be readable, unless an exception may be there.
    let is_entered = is_ignored.clone();
    let mut walk = WalkBuilder::new(folder);
    walk.standard_filters(false).sort_by_file_name(Ord::cmp);
    walk.filter_entry(move |entry| has_exceptions || !is_folder(entry) || !is_entered(entry));
    let mut bytes = 0;
    for entry in walk.build() {
        let entry = entry.map_err(io::Error::other)?;
        if entry.depth() == 0 || is_ignored(&entry) || !is_packed(&entry) {
            continue;
        }
        if !is_folder(&entry) {
            bytes += entry.metadata().map_err(io::Error::other)?.len();
        }
        if bytes > CONTEXT_LIMIT_BYTES {
            let reason =
                format!("it has more than {} MiB; name what is not needed in .dockerignore", CONTEXT_LIMIT_BYTES >> 20);
            return Err(io::Error::other(reason));
        }
        let path = entry.path().strip_prefix(folder).map_err(io::Error::other)?;
        tar.append_path_with_name(entry.path(), path)
            .map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
    }
    tar.into_inner()
}

fn is_folder(entry: &DirEntry) -> bool {
    entry.file_type().is_some_and(|kind| kind.is_dir())
}

/// Sockets, pipes and devices are nothing that an image could have.
fn is_packed(entry: &DirEntry) -> bool {
    entry.file_type().is_some_and(|kind| kind.is_dir() || kind.is_file() || kind.is_symlink())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    fn write(folder: &Path, path: &str, text: &str) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        fs::write(path, text).expect("a file");
    }

    /// The names in the context.
    fn names(folder: &Path) -> BTreeSet<String> {
        let context = foreign_context(folder).expect("a context");
        let mut archive = tar::Archive::new(context.as_slice());
        let entries = archive.entries().expect("entries");
        entries.map(|entry| entry.expect("an entry").path().expect("a path").display().to_string()).collect()
    }

    fn set<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
        names.map(str::to_owned).into()
    }

    #[test]
    fn what_dockerignore_names_is_not_sent() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        for path in ["Dockerfile", "main.py", "node_modules/a/b.js", "src/debug.log", "src/keep.log", "src/main.py"] {
            write(folder, path, "x");
        }
        let patterns = "# not needed\nnode_modules\n**/*.log\n!src/keep.log\nmain.py\nDockerfile\n";
        write(folder, ".dockerignore", patterns);
        assert_eq!(names(folder), set([".dockerignore", "Dockerfile", "src", "src/keep.log", "src/main.py"]));
        write(folder, ".dockerignore", "*\n");
        assert_eq!(names(folder), set(["Dockerfile"]));
    }

    #[test]
    fn a_folder_is_sent_as_it_is_also_through_a_link() {
        let folder = tempfile::tempdir().expect("a folder");
        let sources = folder.path().join("sources");
        write(&sources, "Dockerfile", "x");
        fs::create_dir(sources.join("empty")).expect("a folder");
        symlink("nowhere", sources.join("dangling")).expect("a link");
        let _socket = UnixListener::bind(sources.join("socket")).expect("a socket");
        let link = folder.path().join("link");
        symlink(&sources, &link).expect("a link");
        for path in [&sources, &link] {
            assert_eq!(names(path), set(["Dockerfile", "dangling", "empty"]));
        }
    }

    #[test]
    fn what_is_too_much_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = fs::File::create(folder.path().join("data")).expect("a file");
        file.set_len(CONTEXT_LIMIT_BYTES + 1).expect("a length");
        let message = foreign_context(folder.path()).expect_err("too much").to_string();
        assert!(message.contains("more than 512 MiB; name what is not needed in .dockerignore"), "{message}");
    }
}
