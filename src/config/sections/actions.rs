//! `[actions]` and `[model]`: which hosts rules may call, and which language model they may ask.
//!
//! Every host must be listed: rules may be written by other people than those who run the machine.

use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::reader::Reader;
use crate::config::{ActionHost, Actions, LimitKey, Model};
use crate::diagnostics::optional::{Read, Reported, optional, or_default, read_each};
use crate::diagnostics::toml_reader::{Field, Text};

/// Maximum of `actions.max_bytes`.
const MOST_BYTES: u32 = 16 * 1024 * 1024;

impl Actions {
    /// Scheme, host and port of each host.
    #[must_use]
    pub fn bases(&self) -> Vec<String> {
        self.hosts.iter().map(|host| base_of(&host.base)).collect()
    }
}

/// Scheme, host and port, the default one too: `https://shop.example:443`.
fn base_of(url: &Url) -> String {
    let port = url.port_or_known_default().unwrap_or_default();
    let name = url.host_str().unwrap_or_default();
    format!("{}://{name}:{port}", url.scheme())
}

impl Reader<'_> {
    pub(super) fn actions(&mut self) -> Option<Actions> {
        let hosts = self.action_hosts();
        let max_bytes = self.integer("actions.max_bytes", 1..=MOST_BYTES);
        let per_host = self.integer("actions.per_host", 1..=1_000);
        Some(Actions {
            hosts: hosts?,
            max_bytes: max_bytes? as usize,
            per_host: per_host? as usize,
        })
    }

    /// Scheme, host and port of each of `actions.hosts`, without their secrets.
    pub(in crate::config) fn action_bases(&mut self) -> Option<Vec<String>> {
        let elements = self.list("actions.hosts")?;
        let bases = read_each(&elements, |element| {
            let entries = element.entries();
            let get = |name: &str| entries.iter().find(|entry| entry.name == name);
            let private = or_default(get("private"), |field| self.toml.boolean(field))?;
            let host = self.toml.string(get("host").unwrap_or(element))?;
            self.host_address(&host, private)
        })?;
        Some(bases.iter().map(base_of).collect())
    }

    fn action_hosts(&mut self) -> Option<Vec<ActionHost>> {
        read_each(&self.list("actions.hosts")?, |element| {
            self.action_host(element)
        })
    }

    fn action_host(&mut self, element: &Field<'_>) -> Option<ActionHost> {
        if element.is_string() {
            let host = self.toml.string(element)?;
            return Some(ActionHost {
                base: self.host_address(&host, false)?,
                private: false,
                authorization: None,
            });
        }
        if !element.is_table() {
            let expected = "names of hosts or tables such as `{ host = \"shop.example\" }`";
            return self.toml.wrong_type(element, expected);
        }
        let table = self
            .toml
            .table(element, &["host", "private", "authorization"])?;
        let private = or_default(table.get("private"), |field| self.toml.boolean(&field));
        // Left out where it has a problem: then no configuration is made of the rest.
        let authorization = table.get("authorization");
        let authorization = authorization.and_then(|field| self.authorization(&field));
        let host = self.toml.required_string(&table, "host")?;
        let private = private?;
        Some(ActionHost {
            base: self.host_address(&host, private)?,
            private,
            authorization,
        })
    }

    fn authorization(&mut self, field: &Field<'_>) -> Option<SecretString> {
        let key = "actions.hosts.authorization";
        let (secret, place) = self.secret_of(key, field)?;
        // Unlike a bare token it has a word and a blank before it.
        let written = secret.expose_secret();
        let fits = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
        if written.bytes().all(fits) {
            return Some(secret);
        }
        self.refuse(
            key,
            &place,
            "holds characters that no HTTP header may carry",
        )
    }

    /// A host as it may be called: `shop.example`, `shop.example:8443`, and `http://stock:8000` in
    /// one's own network.
    fn host_address(&mut self, host: &Text<'_>, private: bool) -> Option<Url> {
        let key = "actions.hosts";
        let Text { value: host, span } = host;
        let written = if host.contains("://") {
            (*host).to_owned()
        } else {
            format!("https://{host}")
        };
        if host.contains('*') {
            let message = format!("`{host}` is no single host: each is named by its own name");
            return self.refuse(key, span, message);
        }
        if host.contains('@') {
            // May hold a password, so it is not repeated.
            let message = "must hold hosts without a user, such as `shop.example`";
            return self.refuse(key, span, message);
        }
        let url = Url::parse(&written).ok().filter(|url| {
            let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
            bare && url.host().is_some() && url.username().is_empty()
        });
        let Some(url) = url else {
            let message =
                format!("`{host}` is not a host such as `shop.example` or `shop.example:8443`");
            return self.refuse(key, span, message);
        };
        match (url.scheme(), private) {
            ("https", _) | ("http", true) => Some(url),
            ("http", false) => self.refuse(
                key,
                span,
                "must be reached by https://; http:// is for hosts of your own network, marked `private = true`",
            ),
            _ => self.refuse(key, span, "must begin with https://"),
        }
    }

    /// Reads the model, if one is set.
    pub(super) fn model(&mut self) -> Read<Option<Model>> {
        let key = "model.url";
        let url = self.settings.get(key).cloned();
        let wished = url.is_some_and(|url| url.into_text().text() != Some(""));
        let url = if wished {
            self.web_address(key, "")
        } else {
            self.text(key).map(|url| url.value.to_owned())
        };
        let name = self.text("model.name");
        let (temperature, limit_key) = (self.temperature(), self.limit_key());
        let api_key = self.optional_key("model.api_key")?;
        let (url, name) = (url.ok_or(Reported)?, name.ok_or(Reported)?);
        let (temperature, limit_key) = (temperature?, limit_key.ok_or(Reported)?);
        if !wished {
            return Ok(None);
        }
        if name.value.is_empty() {
            let message = "is empty: say which model of model.url is to be asked";
            return self
                .refuse("model.name", &name.span, message)
                .ok_or(Reported);
        }
        Ok(Some(Model {
            url,
            name: name.value.to_owned(),
            api_key,
            temperature,
            limit_key,
        }))
    }

    fn temperature(&mut self) -> Read<Option<u32>> {
        let key = "model.temperature";
        let field = self.is_set(key).then_some(key);
        optional(field, |key| self.integer(key, 0..=2))
    }

    fn limit_key(&mut self) -> Option<LimitKey> {
        let key = "model.limit_key";
        let words = [LimitKey::MaxTokens, LimitKey::MaxCompletionTokens];
        self.choice(key, &words.map(|word| (word.name(), word)))
    }
}
