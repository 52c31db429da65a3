//! What a command did, and what a test demands of that.

use std::process::Output;
use std::sync::LazyLock;

/// What differs from run to run, as a pattern, and what stands for it in tests/messages.
static VARYING: LazyLock<[(String, &str); 16]> = LazyLock::new(|| {
    let text = |pattern: &str| pattern.to_owned();
    [
        (format!("{}/\\.tmp\\w+", std::env::temp_dir().display()), "<folder>"),
        (text(r"\S+/orchestrator/\.\."), "<clone>"),
        (text(r"evidence/\S+"), "evidence/<run>"),
        (text(r"\bt\d+x\d+"), "<project>"),
        (text(r"\borchestrator-test-\d+"), "<image>"),
        (text(r"\b10\.77\.\d+\."), "10.77.0."),
        (text(r"\bprocess \d+ \([^)]+\)"), "process <pid> (<name>)"),
        (text(r"\b(process|kill) \d+"), "$1 <pid>"),
        (text(r"\bsince [^)]*UTC"), "since <time> UTC"),
        (text(r"\b[0-9a-f]{12}\b"), "<id>"),
        (text(r"\b\w+-unknown-linux-musl"), "<target>"),
        // A proxy before a container that does not listen takes a connection, and it ends in one of several ways.
        (text(r"last seen: connection .*"), "last seen: connection <how>"),
        (text(r"\b\d+ of \d+ operations"), "<some> of <all> operations"),
        // So does one that a process ends with.
        (text(r"\b\d+ × (Broken pipe|[Cc]onnection) [^;]*;"), "<count> × connection <how>;"),
        (text(r"\b\d+ × "), "<count> × "),
        // After the counts, of which a fast machine makes as many.
        (text(r"\b(2\d|3[01])\d{3}\b"), "<port>"),
    ]
});

/// What a command did.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Done {
    /// A command that was killed has the code -1.
    pub(crate) fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Fails the test, showing everything, unless the exit code is this one.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code\n--- stdout\n{}--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// Fails the test unless the progress or the error says so.
    #[track_caller]
    pub(crate) fn complains(self, words: &str) -> Self {
        self.has("stderr", &self.stderr, words);
        self
    }

    /// Fails the test unless the exit code and the error, which is all that is told from `error: ` on, are those of
    /// tests/messages/NAME.snap. There, whatever differs from run to run has a name instead. `INSTA_UPDATE=always` writes it.
    #[track_caller]
    pub(crate) fn reads(self, name: &str) -> Self {
        let start = self.stderr.find("error: ").unwrap_or_else(|| panic!("no error: {self:?}"));
        let told = format!("exit code {}\n{}", self.code, &self.stderr[start..]);
        let mut settings = insta::Settings::new();
        settings.set_snapshot_path("../messages");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        for (varying, name) in VARYING.iter() {
            settings.add_filter(varying, *name);
        }
        settings.bind(|| insta::assert_snapshot!(name, told));
        self
    }

    /// Fails the test unless the result says so.
    #[track_caller]
    pub(crate) fn answers(self, words: &str) -> Self {
        self.has("stdout", &self.stdout, words);
        self
    }

    #[track_caller]
    fn has(&self, stream: &str, text: &str, words: &str) {
        let Self { stdout, stderr, .. } = self;
        assert!(text.contains(words), "{stream} lacks: {words}\n--- stdout\n{stdout}--- stderr\n{stderr}");
    }
}
