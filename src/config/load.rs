//! Finds the configuration file and the environment of this machine.

#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "a method of `Reader<'d>` is bound to one `'d`"
)]

use std::io;
use std::path::{Path, PathBuf};

use super::layers::Layers;
use super::reader::Reader;
use super::{
    Admin, Calls, Config, Database, Delivery, Problems, SecretPlaces, Server, Sources, load,
    read_with, reader,
};

/// The file that is read when none is named.
const FILE: &str = "replyd.toml";

/// Reason why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read, or was named and does not exist.
    #[error("could not read configuration file `{}`", path.display())]
    File {
        /// Path as it was named.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// The configuration has problems.
    #[error(transparent)]
    Problems(#[from] Problems),
}

/// Path of the configuration file: `path`, or `replyd.toml` in the current folder.
pub(crate) fn file(path: Option<&Path>) -> &Path {
    path.unwrap_or(Path::new(FILE))
}

/// Reads the configuration of this machine: `path`, else `replyd.toml` in the current folder, if
/// it exists.
///
/// # Errors
/// [`ReadError::File`], or [`ReadError::Problems`] with everything that is wrong.
pub fn read(path: Option<&Path>) -> Result<Config, ReadError> {
    Ok(load(&sources(path)?)?)
}

/// Reads only `[database]`, for commands that need no secrets.
pub(crate) fn read_database(path: Option<&Path>) -> Result<Database, ReadError> {
    read_part(path, |reader| reader.database())
}

/// Reads only `[server]`, for commands that need no secrets.
pub(crate) fn read_server(path: Option<&Path>) -> Result<Server, ReadError> {
    read_part(path, |reader| reader.server())
}

/// Reads only `[delivery]`, for commands that need no secrets.
pub(crate) fn read_delivery(path: Option<&Path>) -> Result<Delivery, ReadError> {
    read_part(path, |reader| reader.delivery(None))
}

/// Reads only `[admin]`, for commands that need no secrets.
pub(crate) fn read_admin(path: Option<&Path>) -> Result<Admin, ReadError> {
    read_part(path, |reader| reader.admin())
}

/// Reads the sections that calls of the gateway need; of the secrets, only those of the gateway and
/// of `[media]`.
pub(crate) fn read_calls(path: Option<&Path>) -> Result<Calls, ReadError> {
    let sources = sources(path)?;
    let read_file = |path: &Path| std::fs::read_to_string(path);
    Ok(read_with(&sources, &read_file, |reader| reader.calls())?)
}

/// Reads only scheme, host and port of `actions.hosts`, for checks that need no secrets.
pub(crate) fn read_action_bases(path: Option<&Path>) -> Result<Vec<String>, ReadError> {
    read_part(path, |reader| reader.action_bases())
}

/// Lists the files that hold secrets, whatever else is wrong with the configuration.
pub(crate) fn secret_places(path: Option<&Path>) -> Result<SecretPlaces, ReadError> {
    let sources = sources(path)?;
    let layers = Layers::parse(&sources);
    let read_file = |path: &Path| std::fs::read_to_string(path);
    let mut reader = reader(&sources, &layers, &read_file);
    reader.config();
    Ok(reader.secret_places)
}

/// Reads a section that holds no secrets.
fn read_part<T>(
    path: Option<&Path>,
    read: impl FnOnce(&mut Reader<'_>) -> Option<T>,
) -> Result<T, ReadError> {
    let sources = sources(path)?;
    let no_file = |_: &Path| Err(io::ErrorKind::Unsupported.into());
    Ok(read_with(&sources, &no_file, read)?)
}

fn sources(path: Option<&Path>) -> Result<Sources, ReadError> {
    let named = file(path);
    let file = match std::fs::read_to_string(named) {
        Ok(text) => Some((named.to_owned(), text)),
        Err(error) if path.is_none() && error.kind() == io::ErrorKind::NotFound => None,
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            let message = "it is not UTF-8: save it as plain text in UTF-8";
            return Err(ReadError::File {
                path: named.to_owned(),
                source: io::Error::new(error.kind(), message),
            });
        }
        Err(source) => {
            return Err(ReadError::File {
                path: named.to_owned(),
                source,
            });
        }
    };
    // No key has a name that is not UTF-8. A value that is not may be a secret, and must not count
    // as unset.
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| {
            Some((
                name.into_string().ok()?,
                value.to_string_lossy().into_owned(),
            ))
        })
        .collect();
    Ok(Sources { file, environment })
}

/// Whether `cargo run` started this process; cargo sets the variable for the programs that it runs.
/// See <https://doc.rust-lang.org/cargo/reference/environment-variables.html>.
pub(crate) fn is_run_by_cargo() -> bool {
    std::env::vars_os().any(|(name, _)| name == "CARGO")
}
