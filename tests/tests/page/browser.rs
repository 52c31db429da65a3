//! Chromium without a screen.

use std::{
    env, fs,
    path::PathBuf,
    process::{Command, Stdio},
};

/// As distributions call it.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// What the page logs, or the browser about it, is told so.
const LOGGED: &str = ":CONSOLE";

/// The browser of this machine.
#[derive(Clone)]
pub(crate) struct Browser(PathBuf);

impl Browser {
    /// The first that is in the path.
    pub(crate) fn find() -> Option<Self> {
        let folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH")?).collect();
        let candidates = NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
        candidates.into_iter().find(|path| path.is_file()).map(Self)
    }

    /// What became of the page in the browser, as text.
    ///
    /// # Errors
    /// What the browser says about it.
    pub(crate) fn open(&self, page: &str) -> Result<String, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let file = folder.path().join("page.html");
        fs::write(&file, page).map_err(|error| error.to_string())?;
        let mut command = Command::new(&self.0);
        // The page is ours, and containers often cannot have a sandbox.
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"]);
        command.arg(format!("--user-data-dir={}", folder.path().join("profile").display()));
        let done = command.arg(format!("file://{}", file.display())).stdin(Stdio::null()).output();
        let done = done.map_err(|error| format!("{}: {error}", self.0.display()))?;
        let said = String::from_utf8_lossy(&done.stderr);
        if !done.status.success() {
            return Err(format!("{}: {}\n{said}", self.0.display(), done.status));
        }
        let logged: Vec<&str> = said.lines().filter(|line| line.contains(LOGGED)).collect();
        if logged.is_empty() { Ok(String::from_utf8_lossy(&done.stdout).into_owned()) } else { Err(logged.join("\n")) }
    }
}
