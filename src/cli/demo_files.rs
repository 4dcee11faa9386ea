//! Names of the demo's folder and files that `replyd demo` writes and other commands read.

/// Default folder of the demo.
pub(crate) const DATA_FOLDER: &str = "data/demo";
/// Configuration below the demo's folder; its secrets are new at each start and used only by the
/// demo.
pub(crate) const CONFIG_FILE: &str = "replyd.toml";
/// File below the demo's folder that holds the address of the running sandbox.
pub(crate) const ADDRESS_FILE: &str = "sandbox.json";
