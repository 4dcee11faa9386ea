//! Checks the permissions of files with conversations or secrets. New files are private, but one
//! that existed before, or came from a backup, may be readable for others.

use std::path::{Path, PathBuf};

use secrecy::ExposeSecret as _;

use super::report::{Health, Report};
use crate::config::{Calls, Config, SecretPlaces};

/// Folder of secrets that Docker and Podman mount for one container, with a fixed mode.
const MOUNTED_SECRETS: &str = "/run/secrets";
/// Number of hexadecimal digits of Meta's app secrets. See
/// <https://developers.facebook.com/docs/development/create-an-app/app-dashboard/basic-settings>.
const APP_SECRET_DIGITS: usize = 32;

/// Access to a file that users other than its owner may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Others {
    /// No access.
    None,
    /// Read access of the group, for a file of another user that the service reads.
    Readers,
}

/// Reports every file and folder with too wide permissions, with the command that mends it.
pub(super) fn files(report: &mut Report, calls: Option<&Calls>, secrets: &SecretPlaces) {
    const SUBJECT: &str = "rights of files";
    let mut looked_at = 0;
    for (path, others) in places(calls, secrets) {
        let Some(mode) = system::mode(&path) else {
            continue;
        };
        looked_at += 1;
        let (allowed, repair) = match (path.is_dir(), others) {
            (true, _) => (0o700, "700"),
            (false, Others::None) => (0o600, "600"),
            (false, Others::Readers) => (0o640, "600"),
        };
        if mode & 0o077 & !allowed != 0 {
            let shown = path.display();
            let detail = format!("`{shown}` is open to other users of this machine ({mode:03o})");
            let advice = format!("chmod {repair} {}", quoted(&path));
            report.advise(Health::Doubtful, SUBJECT, detail, advice);
        }
    }
    if looked_at > 0 && !report.names(SUBJECT) {
        let detail = "conversations and secrets are their owner's alone";
        report.add(Health::Good, SUBJECT, detail);
    }
}

fn places(calls: Option<&Calls>, secrets: &SecretPlaces) -> Vec<(PathBuf, Others)> {
    let mut places = Vec::new();
    if let Some(calls) = calls {
        let database = calls.database.url.trim_start_matches("sqlite:");
        let beside = ["", "-wal", "-shm", ".lock"];
        let files = beside.map(|ending| PathBuf::from(format!("{database}{ending}")));
        places.extend(files.map(|file| (file, Others::None)));
        places.push((calls.media.folder.clone(), Others::None));
    }
    let mut of_secrets: Vec<PathBuf> = secrets.config.iter().cloned().collect();
    let files = secrets.files.iter().cloned();
    of_secrets.extend(files.filter(|file| !file.starts_with(MOUNTED_SECRETS)));
    of_secrets.sort_unstable();
    of_secrets.dedup();
    places.extend(of_secrets.into_iter().map(|file| (file, Others::Readers)));
    places
}

/// Checks the form of the app secrets: another form is often another value copied by mistake.
pub(super) fn app_secrets(report: &mut Report, config: &Config) {
    let is_usual = |secret: &str| {
        secret.len() == APP_SECRET_DIGITS && secret.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let secrets = &config.webhook.app_secrets;
    let odd = secrets
        .iter()
        .filter(|secret| !is_usual(secret.expose_secret()))
        .count();
    if odd > 0 {
        report.advise(
            Health::Doubtful,
            "app secret",
            format!(
                "{odd} of {} in webhook.app_secrets is not {APP_SECRET_DIGITS} hexadecimal digits, as Meta's are",
                secrets.len()
            ),
            "copy it again from the app's dashboard: App settings, Basic, App secret",
        );
    }
}

/// Quotes a path for a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+,:@%".contains(&byte);
    if !text.is_empty() && !text.starts_with('-') && text.bytes().all(plain) {
        return text;
    }
    let behind_dash = if text.starts_with('-') { "./" } else { "" };
    format!("'{behind_dash}{}'", text.replace('\'', r"'\''"))
}

mod system {
    use std::path::Path;

    /// Permission bits of a file; `None` if it does not exist, or on systems without them.
    #[cfg(unix)]
    pub(super) fn mode(path: &Path) -> Option<u32> {
        use std::os::unix::fs::PermissionsExt as _;

        let metadata = path.metadata().ok()?;
        Some(metadata.permissions().mode() & 0o7777)
    }

    #[cfg(not(unix))]
    pub(super) fn mode(_: &Path) -> Option<u32> {
        None
    }
}
