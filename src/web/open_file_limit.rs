//! How many connections the system lets us have open.

/// What everything beside the public listener's connections needs: the database, calls of the
/// gateway, files of rules, the admin listener.
const OTHERS: usize = 192;
/// With fewer the service would start and then stand deaf: it opens over twenty before anybody has
/// connected.
const LEAST: usize = 32;

/// The system allows too few open files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the system lets this process open only {0} files, and it needs at least {LEAST}, better 4096: \
     raise `ulimit -n`, or LimitNOFILE of the systemd unit"
)]
pub(crate) struct TooFewOpenFiles(usize);

/// How many files may be open at the same time, after raising that to the most we are allowed; none
/// when there is no bound or nobody knows it.
#[cfg(unix)]
pub(crate) fn raise_open_file_limit() -> Option<usize> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let current = maximum;
    // Some systems refuse their own maximum; then what we have is what there is.
    let _ = setrlimit(Resource::Nofile, Rlimit { current, maximum });
    let current = getrlimit(Resource::Nofile).current?;
    usize::try_from(current).ok()
}

/// As many as one likes: the system has no such bound.
#[cfg(not(unix))]
pub(crate) fn raise_open_file_limit() -> Option<usize> {
    None
}

/// How many connections of `wanted` leave enough of `open_files` to everything else; few as the
/// files may be, an eighth of them is for connections.
///
/// # Errors
/// [`TooFewOpenFiles`].
pub(crate) fn connections_within_limit(
    open_files: Option<usize>,
    wanted: usize,
) -> Result<usize, TooFewOpenFiles> {
    match open_files {
        None => Ok(wanted),
        Some(files) if files < LEAST => Err(TooFewOpenFiles(files)),
        Some(files) => Ok(wanted.min(files.saturating_sub(OTHERS).max(files / 8))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_to_everything_else() {
        for (open_files, expected) in [
            (None, Ok(1_024)),
            (Some(1_000_000), Ok(1_024)),
            (Some(1_216), Ok(1_024)),
            (Some(1_024), Ok(832)),
            (Some(256), Ok(64)),
            (Some(32), Ok(4)),
            (Some(31), Err(TooFewOpenFiles(31))),
        ] {
            assert_eq!(
                connections_within_limit(open_files, 1_024),
                expected,
                "{open_files:?}"
            );
        }
    }
}
