//! Files in which secrets stand.

use std::path::PathBuf;

/// Where the secrets of a configuration stand on this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretPlaces {
    /// Files that hold one secret each.
    pub files: Vec<PathBuf>,
    /// The configuration file, when a secret stands in it.
    pub config: Option<PathBuf>,
}
