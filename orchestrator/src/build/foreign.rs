//! The build context of somebody's folder: all that `.dockerignore` leaves, as a tar in memory.

use std::io;
use std::path::Path;

use ignore::WalkBuilder;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
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
    let ignored = ignored(folder).map_err(|error| failed(&error))?;
    pack(folder, &ignored).map_err(|error| failed(&error))
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

fn pack(folder: &Path, ignored: &Gitignore) -> io::Result<Vec<u8>> {
    let mut tar = Builder::new(Vec::new());
    tar.follow_symlinks(false);
    // The classic builder cannot read sparse entries.
    tar.sparse(false);
    let mut bytes = 0;
    for entry in WalkBuilder::new(folder).standard_filters(false).sort_by_file_name(Ord::cmp).build() {
        let entry = entry.map_err(io::Error::other)?;
        let path = entry.path().strip_prefix(folder).map_err(io::Error::other)?;
        let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
        let is_needed = path == Path::new("Dockerfile");
        let is_ignored = || ignored.matched_path_or_any_parents(path, is_folder).is_ignore();
        if path == Path::new("") || (!is_needed && is_ignored()) {
            continue;
        }
        bytes += entry.metadata().map_err(io::Error::other)?.len();
        if bytes > CONTEXT_LIMIT_BYTES {
            let reason =
                format!("it has more than {} MiB; name what is not needed in .dockerignore", CONTEXT_LIMIT_BYTES >> 20);
            return Err(io::Error::other(reason));
        }
        tar.append_path_with_name(entry.path(), path)?;
    }
    tar.into_inner()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;

    #[test]
    fn what_dockerignore_names_is_not_sent() {
        let folder = tempfile::tempdir().expect("a folder");
        for path in ["Dockerfile", "main.py", "node_modules/a/b.js", "src/debug.log", "src/keep.log", "src/main.py"] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
            fs::write(path, "x").expect("a file");
        }
        fs::create_dir(folder.path().join("data")).expect("an empty folder");
        fs::write(
            folder.path().join(".dockerignore"),
            "# not needed\nnode_modules\n**/*.log\n!src/keep.log\nmain.py\nDockerfile\n",
        )
        .expect("a file");
        let context = foreign_context(folder.path()).expect("a context");
        let mut archive = tar::Archive::new(context.as_slice());
        let names: BTreeSet<String> = archive
            .entries()
            .expect("entries")
            .map(|entry| entry.expect("an entry").path().expect("a path").display().to_string())
            .collect();
        let expected = [".dockerignore", "Dockerfile", "data", "src", "src/keep.log", "src/main.py"];
        assert_eq!(names, expected.map(str::to_owned).into());
    }
}
