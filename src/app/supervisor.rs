//! Supervision of the service's tasks: when one of them ends by itself, all are stopped and the
//! failure is reported.

use std::collections::HashMap;

use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

/// Set of named tasks. Dropping it aborts them.
#[derive(Debug, Default)]
pub(super) struct Supervisor {
    running: JoinSet<()>,
    names: HashMap<Id, &'static str>,
    /// Tasks that end after all others.
    last: Vec<Id>,
}

impl Supervisor {
    /// Starts a task that should end only after the soft stop.
    pub(super) fn start(
        &mut self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        self.spawn(name, task);
    }

    /// Starts a task that should end only after all others have.
    pub(super) fn start_last(
        &mut self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        let id = self.spawn(name, task);
        self.last.push(id);
    }

    fn spawn(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) -> Id {
        let id = self.running.spawn(task).id();
        self.names.insert(id, name);
        id
    }

    /// Waits until all tasks have ended, cancelling `stop` when one ends before it and `finished`
    /// for the last ones.
    ///
    /// # Errors
    /// When a task panicked, or ended before the stop.
    pub(super) async fn run(
        &mut self,
        stop: &CancellationToken,
        finished: &CancellationToken,
    ) -> anyhow::Result<()> {
        let mut failed = Ok(());
        while let Some(ended) = self.running.join_next_with_id().await {
            let (id, panicked) = match ended {
                Ok((id, ())) => (id, false),
                Err(error) => (error.id(), error.is_panic()),
            };
            let name = self.names.remove(&id).unwrap_or("a task");
            let was_asked = stop.is_cancelled();
            stop.cancel();
            if panicked {
                tracing::error!(task = name, "task panicked; stopping");
                failed = failed.and(Err(anyhow::anyhow!("{name} panicked")));
            } else if !was_asked {
                tracing::error!(task = name, "task ended by itself; stopping");
                failed = failed.and(Err(anyhow::anyhow!("{name} ended by itself")));
            }
            if self.names.keys().all(|id| self.last.contains(id)) {
                finished.cancel();
            }
        }
        failed
    }
}

#[cfg(test)]
mod tests {
    use super::Supervisor;
    use tokio_util::sync::CancellationToken;

    fn tokens() -> (CancellationToken, CancellationToken) {
        (CancellationToken::new(), CancellationToken::new())
    }

    #[tokio::test]
    async fn a_panicking_task_stops_the_others_and_is_named() {
        let (stop, finished) = tokens();
        let mut tasks = Supervisor::default();
        tasks.start("waiting", stop.clone().cancelled_owned());
        tasks.start("broken", async { panic!("on purpose") });

        let failed = tasks.run(&stop, &finished).await.unwrap_err();

        assert_eq!(failed.to_string(), "broken panicked");
    }

    #[tokio::test]
    async fn a_task_that_ends_by_itself_is_a_failure() {
        let (stop, finished) = tokens();
        let mut tasks = Supervisor::default();
        tasks.start("waiting", stop.clone().cancelled_owned());
        tasks.start("short", async {});

        let failed = tasks.run(&stop, &finished).await.unwrap_err();

        assert_eq!(failed.to_string(), "short ended by itself");
    }

    #[tokio::test]
    async fn the_last_tasks_end_after_all_others() {
        let (stop, finished) = tokens();
        let (done, waits) = tokio::sync::oneshot::channel::<()>();
        let mut tasks = Supervisor::default();
        let (last_stop, late_finish) = (finished.clone(), finished.clone());
        tasks.start("slow", async move {
            waits.await.unwrap();
            assert!(!late_finish.is_cancelled());
        });
        tasks.start_last("last", last_stop.cancelled_owned());
        stop.cancel();
        done.send(()).unwrap();

        tasks.run(&stop, &finished).await.unwrap();

        assert!(finished.is_cancelled());
    }
}
