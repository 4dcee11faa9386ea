//! Number of connections that the system's limit of open files allows.

/// Files reserved for everything but the public listener's connections: the database, calls of the
/// gateway, rules files, the admin listener.
const OTHERS: usize = 192;
/// Least limit: with fewer the service would start but accept no connection, because it opens over
/// twenty itself.
const LEAST: usize = 32;

/// The system allows too few open files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the system lets this process open only {0} files, and it needs at least {LEAST}, better 4096: \
     raise `ulimit -n`, or LimitNOFILE of the systemd unit"
)]
pub(crate) struct TooFewOpenFiles(usize);

/// Raises the limit of open files to its maximum and returns it; `None` if there is no limit or it
/// is unknown.
#[cfg(unix)]
pub(crate) fn raise_open_file_limit() -> Option<usize> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let current = maximum;
    // Some systems reject their own maximum; then the current limit stays.
    let _ = setrlimit(Resource::Nofile, Rlimit { current, maximum });
    let current = getrlimit(Resource::Nofile).current?;
    usize::try_from(current).ok()
}

/// The system has no such limit.
#[cfg(not(unix))]
pub(crate) fn raise_open_file_limit() -> Option<usize> {
    None
}

/// Number of connections, up to `wanted`, that leaves enough of `open_files` to everything else; at
/// least an eighth of the files.
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
