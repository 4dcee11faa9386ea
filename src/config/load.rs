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

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file is there and cannot be read, or was named and is not there.
    #[error("could not read configuration file `{}`", path.display())]
    File {
        /// As it was named.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It was read and is wrong.
    #[error(transparent)]
    Problems(#[from] Problems),
}

/// The file that is read: `path`, or `replyd.toml` where we are.
#[must_use]
pub fn file(path: Option<&Path>) -> &Path {
    path.unwrap_or(Path::new(FILE))
}

/// Reads the configuration of this machine: `path`, or `replyd.toml` where we are when there is
/// one.
///
/// # Errors
/// [`ReadError::File`], or [`ReadError::Problems`] with everything that is wrong.
pub fn read(path: Option<&Path>) -> Result<Config, ReadError> {
    Ok(load(&sources(path)?)?)
}

/// Reads only `[database]`, for commands that need no secrets.
///
/// # Errors
/// As [`read`], but for this section alone.
pub fn read_database(path: Option<&Path>) -> Result<Database, ReadError> {
    read_part(path, |reader| reader.database())
}

/// Reads only `[server]`, for commands that need no secrets.
///
/// # Errors
/// As [`read`], but for this section alone.
pub fn read_server(path: Option<&Path>) -> Result<Server, ReadError> {
    read_part(path, |reader| reader.server())
}

/// Reads only `[delivery]`, for commands that need no secrets.
///
/// # Errors
/// As [`read`], but for this section alone.
pub fn read_delivery(path: Option<&Path>) -> Result<Delivery, ReadError> {
    read_part(path, |reader| reader.delivery(None))
}

/// Reads where the owner's listener is, for whoever must know no secret.
///
/// # Errors
/// As [`read`], but for `[admin]` alone.
pub fn read_admin(path: Option<&Path>) -> Result<Admin, ReadError> {
    read_part(path, |reader| reader.admin())
}

/// Reads what calls of the gateway need, the API key among it, and no other secrets.
///
/// # Errors
/// As [`read`], but for these sections alone.
pub fn read_calls(path: Option<&Path>) -> Result<Calls, ReadError> {
    let sources = sources(path)?;
    let read_file = |path: &Path| std::fs::read_to_string(path);
    Ok(read_with(&sources, &read_file, |reader| reader.calls())?)
}

/// Finds the files of this machine that secrets stand in, as far as they can be read, whatever else
/// is wrong.
///
/// # Errors
/// [`ReadError::File`].
pub fn secret_places(path: Option<&Path>) -> Result<SecretPlaces, ReadError> {
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
    // Names that are not UTF-8 cannot be ours. A value that is not may be a secret, and must not
    // pass for unset.
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
