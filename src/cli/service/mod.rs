//! Commands that run, set up and maintain the service.

pub(crate) mod backup;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod healthcheck;
pub(crate) mod init;
pub(crate) mod restore;
pub(crate) mod sandbox;
pub(crate) mod serve;
