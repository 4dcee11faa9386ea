//! Calls to hosts that may not be called.

use crate::diagnostics::Diagnostic;
use crate::diagnostics::codes;
use crate::diagnostics::toml_reader::Reader;

/// Reports calls to hosts that are none of `hosts`; when those are not known, calls without
/// encryption to a public host.
pub(super) fn forbidden(reader: &mut Reader<'_>, hosts: Option<&[String]>) {
    for (span, address) in std::mem::take(&mut reader.calls) {
        let Some((scheme, place)) = place(&address) else {
            continue;
        };
        let base = format!("{scheme}://{place}");
        let (message, help) = match hosts {
            Some(hosts) if hosts.contains(&base) => continue,
            Some(_) => {
                let entry = if scheme == "https" {
                    format!("\"{}\"", place.trim_end_matches(":443"))
                } else {
                    format!("{{ host = \"{base}\", private = true }}")
                };
                let message =
                    "`[actions]` in the configuration does not allow this host".to_owned();
                (message, format!("add it there: `hosts = [{entry}]`"))
            }
            None if scheme == "https" || is_private(&place) => continue,
            None => {
                let message =
                    "a call goes by https, unless the host is in your own network".to_owned();
                (message, "write `https://`".to_owned())
            }
        };
        let warning = Diagnostic::warning(codes::FORBIDDEN_HOST, span, message);
        reader.report(warning.label("this call is never made").help(help));
    }
}

/// Scheme and lower-case host with port of an address.
fn place(address: &str) -> Option<(&str, String)> {
    let (scheme, rest) = address.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?.to_lowercase();
    let default = if scheme == "https" { 443 } else { 80 };
    let has_port = host
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let host = if has_port {
        host
    } else {
        format!("{host}:{default}")
    };
    Some((scheme, host))
}

/// Whether a host is a name without a public domain, or an address in numbers.
fn is_private(place: &str) -> bool {
    let host = place.rsplit_once(':').map_or(place, |(host, _)| host);
    let is_address = host.starts_with('[') || host.ends_with(|last: char| last.is_ascii_digit());
    let is_local = [".local", ".internal", ".lan"]
        .iter()
        .any(|end| host.ends_with(end));
    !host.contains('.') || is_address || is_local
}
