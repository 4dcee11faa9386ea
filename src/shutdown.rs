//! Stopping in two steps: the first signal lets everything finish, the second drops it.

use std::io;

use tokio_util::sync::CancellationToken;

/// Tells every task when to stop.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    /// Take nothing new and finish what was begun.
    pub soft: CancellationToken,
    /// Return at once. What was begun is safe in the database and is gone on with at the next
    /// start.
    pub hard: CancellationToken,
}

impl Shutdown {
    /// Listens to SIGTERM and SIGINT (elsewhere Ctrl-C): the first is soft, the second hard.
    ///
    /// # Errors
    /// When the system refuses to tell of signals.
    pub fn on_signals() -> io::Result<Self> {
        let mut signals = Signals::listen()?;
        let shutdown = Self::default();
        let tokens = shutdown.clone();
        tokio::spawn(async move {
            signals.next().await;
            // Stopping comes before saying so: nothing that goes wrong with a log line may keep the
            // process alive.
            tokens.soft.cancel();
            tracing::info!("stopping: finishing what was begun; a second signal stops at once");
            signals.next().await;
            tokens.hard.cancel();
            tracing::warn!("stopping at once");
        });
        Ok(shutdown)
    }

    /// Runs `work` until either stop; unfinished work is then dropped.
    pub async fn run_until_stopped(&self, work: impl Future<Output = ()>) {
        tokio::select! {
            biased;
            () = self.soft.cancelled() => {}
            () = self.hard.cancelled() => {}
            () = work => {}
        }
    }
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self(tokio::signal::windows::ctrl_c()?))
    }

    async fn next(&mut self) {
        self.0.recv().await;
    }
}
