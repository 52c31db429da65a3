//! Ctrl-C: the first lets the call in flight finish, the second ends the process at once.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// The exit code of an interrupted command.
pub(crate) const EXIT_CODE: i32 = 130;

/// Whether somebody asked us to stop. Clones see the same.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt {
    asked: watch::Receiver<bool>,
}

impl Interrupt {
    /// Listens for SIGINT and SIGTERM from now on.
    ///
    /// # Errors
    /// The process cannot have signal handlers.
    pub(crate) fn listen() -> std::io::Result<Self> {
        let mut interrupts = signal(SignalKind::interrupt())?;
        let mut terminations = signal(SignalKind::terminate())?;
        let (sender, asked) = watch::channel(false);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupts.recv() => {}
                    _ = terminations.recv() => {}
                }
                if sender.send_replace(true) {
                    std::process::exit(EXIT_CODE);
                }
            }
        });
        Ok(Self { asked })
    }

    /// For work that must be done although somebody has asked us to stop, such as tidying up.
    pub(crate) fn never() -> Self {
        Self { asked: watch::channel(false).1 }
    }

    pub(crate) fn is_asked(&self) -> bool {
        *self.asked.borrow()
    }

    /// Returns when somebody asks; never, when nobody can any more.
    pub(crate) async fn asked(&self) {
        let mut asked = self.asked.clone();
        if asked.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
