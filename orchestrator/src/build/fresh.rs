//! Whether the binary that cargo has made is what it would make now. Cargo itself takes a fifth of a second to say so, and a
//! second `up` should take less.
//!
//! Beside a binary cargo writes what it depends on (`node.d`). Once it is made a stamp is kept there too: a hash of the binary's
//! and of all these files' lengths and times, of whatever configures cargo in their folders, of the variables that do, and of the
//! workspace, since several may have one folder for what is compiled.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What configures cargo and the toolchain, in the folder of a source or in any above it.
const CONFIGURATION: [&str; 6] =
    ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "rust-toolchain", ".cargo/config.toml", ".cargo/config"];
/// What the variables begin with that do.
const VARIABLES: [&str; 2] = ["CARGO", "RUST"];
const STAMP: &str = "stamp";

/// The binary of the package, where it is known to be what cargo would make. Where cargo keeps it elsewhere, by its own
/// configuration, nothing is known.
pub(super) fn binary(folder: &Path, triple: Option<&str>, package: &str) -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let mut binary = folder.join(target);
    binary.extend(triple);
    binary.extend(["release", package]);
    let stamp = fs::read_to_string(binary.with_extension(STAMP)).ok()?;
    let inputs = Inputs::of(folder, &binary)?;
    (stamp == inputs.hash).then_some(binary)
}

/// Keeps the stamp of what cargo has made, unless something has changed since it `started`. Without one cargo is asked again.
pub(super) fn keep(folder: &Path, binary: &Path, started: SystemTime) {
    let stamp = binary.with_extension(STAMP);
    let _ = match Inputs::of(folder, binary) {
        Some(inputs) if inputs.newest < started => fs::write(stamp, inputs.hash),
        _ => fs::remove_file(stamp),
    };
}

/// What the binary depends on, as it is now.
struct Inputs {
    hash: String,
    /// When one of them was changed last.
    newest: SystemTime,
}

impl Inputs {
    fn of(folder: &Path, binary: &Path) -> Option<Self> {
        let sources = prerequisites(&fs::read_to_string(binary.with_extension("d")).ok()?);
        let folders: BTreeSet<&Path> = sources.iter().flat_map(|source| source.ancestors().skip(1)).collect();
        let configuration = folders.iter().flat_map(|folder| CONFIGURATION.map(|name| folder.join(name)));
        let mut hasher = blake3::Hasher::new();
        hasher.update(folder.canonicalize().ok()?.as_os_str().as_encoded_bytes());
        let mut newest = SystemTime::UNIX_EPOCH;
        for path in sources.iter().cloned().chain(configuration) {
            let about = fs::metadata(&path).ok().and_then(|about| Some((about.len(), about.modified().ok()?)));
            newest = about.map_or(newest, |(_, modified)| newest.max(modified));
            hasher.update(format!("{} {about:?}\n", path.display()).as_bytes());
        }
        let made = fs::metadata(binary).ok()?;
        hasher.update(format!("{} {:?}\n", made.len(), made.modified().ok()?).as_bytes());
        let mut variables: Vec<_> = std::env::vars_os()
            .filter(|(name, _)| VARIABLES.iter().any(|start| name.to_string_lossy().starts_with(start)))
            .collect();
        variables.sort();
        hasher.update(format!("{variables:?}").as_bytes());
        Some(Self { hash: hasher.finalize().to_hex().to_string(), newest })
    }
}

/// Of a rule as `make` writes it, in which a space of a path stands after a backslash.
fn prerequisites(rule: &str) -> Vec<PathBuf> {
    let Some((_, paths)) = rule.split_once(": ") else { return Vec::new() };
    let mut all = vec![String::new()];
    let mut letters = paths.lines().next().unwrap_or_default().chars();
    while let Some(letter) = letters.next() {
        match (letter, all.last_mut()) {
            (' ', _) => all.push(String::new()),
            ('\\', Some(path)) => path.extend(letters.next()),
            (letter, Some(path)) => path.push(letter),
            (_, None) => {}
        }
    }
    all.into_iter().filter(|path| !path.is_empty()).map(PathBuf::from).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_rule_names_its_prerequisites() {
        let rule = "/a/release/node: /a/src/main.rs /a/my\\ folder/lib.rs  /a/x\\\\y.rs\n";
        let expected = ["/a/src/main.rs", "/a/my folder/lib.rs", "/a/x\\y.rs"];
        assert_eq!(prerequisites(rule), expected.map(PathBuf::from));
        assert!(prerequisites("no rule").is_empty());
    }

    #[test]
    fn whatever_changes_the_binary_or_what_it_is_made_of_is_seen() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let write = |name: &str, text: &str| {
            fs::create_dir_all(path(name).parent().expect("a folder")).expect("folders");
            fs::write(path(name), text).expect("a file");
        };
        write("src/main.rs", "fn main() {}");
        write("target/release/node", "binary");
        write("target/release/node.d", &format!("node: {}\n", path("src/main.rs").display()));
        let node = path("target/release/node");
        let later = SystemTime::now() + Duration::from_secs(1);
        let hash = || Inputs::of(folder.path(), &node).expect("it was made").hash;

        keep(folder.path(), &node, later);
        let kept = || fs::read_to_string(path("target/release/node.stamp")).ok();
        assert_eq!(kept(), Some(hash()));
        let another = tempfile::tempdir().expect("a folder");
        assert_ne!(Inputs::of(another.path(), &node).expect("it was made").hash, hash());
        for (name, text) in [
            ("src/main.rs", "fn main() { }"),
            ("Cargo.lock", "new"),
            ("src/.cargo/config.toml", "new"),
            ("target/release/node", "another binary"),
        ] {
            let before = hash();
            write(name, text);
            assert_ne!(hash(), before, "{name}");
        }
        // What was changed while cargo was at it may not be in what it made.
        keep(folder.path(), &node, SystemTime::UNIX_EPOCH);
        assert_eq!(kept(), None);
    }
}
