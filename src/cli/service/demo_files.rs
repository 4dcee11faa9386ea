//! Names of the demo's folder and files that `replyd demo` writes and `replyd sandbox` reads.

/// Default folder of the demo.
pub(super) const DATA_FOLDER: &str = "data/demo";
/// File below the demo's folder that holds the address of the running sandbox.
pub(super) const ADDRESS_FILE: &str = "sandbox.json";
