//! Graceful shutdown in two steps: the first signal lets work in flight finish, the second drops
//! it.
//!
//! Every worker gets a [`Shutdown`] and chooses how it stops: [`Shutdown::run`] drops the work at
//! either signal, [`Shutdown::run_until_hard`] only at the second. Nothing else listens to signals,
//! apart from the reload of rules.

use std::io;

use tokio_util::sync::CancellationToken;

/// Stop tokens shared by all tasks. Clones share the tokens.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    /// Soft stop: tasks take no new work and finish the work in flight.
    pub soft: CancellationToken,
    /// Hard stop: tasks return at once. Work in flight is safe in the database and resumes at the
    /// next start.
    pub hard: CancellationToken,
}

impl Shutdown {
    /// Listens to SIGTERM and SIGINT (Ctrl-C on Windows): the first is soft, the second hard.
    ///
    /// # Errors
    /// When the signal handlers cannot be installed.
    pub fn on_signals() -> io::Result<Self> {
        let mut signals = Signals::listen()?;
        let shutdown = Self::default();
        let tokens = shutdown.clone();
        tokio::spawn(async move {
            signals.next().await;
            // Cancel before logging: a log line that fails must not keep the process alive.
            tokens.soft.cancel();
            tracing::info!("stopping: finishing what was begun; a second signal stops at once");
            signals.next().await;
            tokens.hard.cancel();
            tracing::warn!("stopping at once");
        });
        Ok(shutdown)
    }

    /// Runs `work` until it ends, or drops it at the first stop, soft or hard. Returns `None` when
    /// the work was dropped.
    pub async fn run<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.soft.cancelled() => None,
            () = self.hard.cancelled() => None,
            ended = work => Some(ended),
        }
    }

    /// Runs `work`, which watches the soft stop itself, until it ends, or drops it at the hard
    /// stop.
    pub async fn run_until_hard(&self, work: impl Future<Output = ()>) {
        tokio::select! {
            biased;
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
