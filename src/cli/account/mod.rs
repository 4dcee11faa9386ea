//! Commands on the WhatsApp account: sends, media, templates, numbers, profile, connections.

pub(crate) mod connections;
mod local_file;
pub(crate) mod mark_read;
pub(crate) mod media;
pub(crate) mod numbers;
pub(crate) mod profile;
pub(crate) mod send;
mod session;
pub(crate) mod templates;
