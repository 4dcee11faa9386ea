//! `[actions]` and `[model]`: which hosts rules may call, and which language model they may ask.
//!
//! Nothing is allowed unless it stands here: the rules are written by whoever answers people, this
//! file by whoever runs the machine.

use std::collections::BTreeMap;

use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::layers::{Entry, Value, read_written};
use crate::config::problem::Origin;
use crate::config::reader::{Reader, unknown};
use crate::config::{ActionHost, Actions, LimitKey, Model};

/// Larger answers are no answers to a person's question.
const MOST_BYTES: u32 = 16 * 1024 * 1024;
const HOST_KEYS: [&str; 3] = ["host", "private", "authorization"];

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

    fn action_hosts(&mut self) -> Option<Vec<ActionHost>> {
        let key = "actions.hosts";
        let Entry { mut value, origin } = self.take(key)?;
        if let Value::Written(written) = &value {
            value = read_written(written, &origin).unwrap_or(value);
        }
        let Value::Array(elements) = value else {
            return self.refuse(key, &origin, r#"must be a list such as ["shop.example"]"#);
        };
        let hosts: Vec<_> = elements
            .into_iter()
            .map(|element| self.action_host(element))
            .collect();
        hosts.into_iter().collect()
    }

    fn action_host(&mut self, element: Entry) -> Option<ActionHost> {
        let key = "actions.hosts";
        let Entry { value, origin } = element;
        let mut parts = match value {
            Value::Table(parts) => parts,
            text @ Value::Text(_) => {
                let entry = Entry {
                    value: text,
                    origin: origin.clone(),
                };
                BTreeMap::from([("host".to_owned(), entry)])
            }
            other => {
                let message = format!("holds {}, not the name of a host", other.kind());
                return self.refuse(key, &origin, message);
            }
        };
        for (name, entry) in &parts {
            if !HOST_KEYS.contains(&name.as_str()) {
                let message = unknown(name, HOST_KEYS.into_iter());
                return self.refuse(&format!("{key}.{name}"), &entry.origin, message);
            }
        }
        let private = match parts.remove("private").map(|entry| entry.value) {
            None => false,
            Some(Value::Flag(private)) => private,
            Some(other) => {
                let message = format!("must be true or false, not {}", other.kind());
                return self.refuse(&format!("{key}.private"), &origin, message);
            }
        };
        let authorization = match parts.remove("authorization") {
            None => None,
            Some(entry) => Some(self.authorization(entry)?),
        };
        let Some(Value::Text(host)) = parts.remove("host").map(|entry| entry.value) else {
            return self.refuse(
                key,
                &origin,
                "must name a host: `{ host = \"shop.example\" }`",
            );
        };
        let base = self.host_address(&host, private, &origin)?;
        Some(ActionHost {
            base,
            private,
            authorization,
        })
    }

    fn authorization(&mut self, entry: Entry) -> Option<SecretString> {
        let key = "actions.hosts.authorization";
        let (secret, origin) = self.secret_of(key, entry)?;
        // Unlike a bare token it has a word and a blank before it.
        let written = secret.expose_secret();
        let fits = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
        if written.bytes().all(fits) {
            return Some(secret);
        }
        self.refuse(
            key,
            &origin,
            "holds characters that no HTTP header may carry",
        )
    }

    /// A host as it may be called: `shop.example`, `shop.example:8443`, and `http://stock:8000` in
    /// one's own network.
    fn host_address(&mut self, host: &str, private: bool, origin: &Origin) -> Option<Url> {
        let key = "actions.hosts";
        let written = if host.contains("://") {
            host.to_owned()
        } else {
            format!("https://{host}")
        };
        if host.contains('*') {
            let message = format!("`{host}` is no single host: each is named by its own name");
            return self.refuse(key, origin, message);
        }
        let url = Url::parse(&written).ok().filter(|url| {
            let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
            bare && url.host().is_some() && url.username().is_empty() && !host.contains('@')
        });
        let Some(url) = url else {
            let message =
                format!("`{host}` is not a host such as `shop.example` or `shop.example:8443`");
            return self.refuse(key, origin, message);
        };
        match (url.scheme(), private) {
            ("https", _) | ("http", true) => Some(url),
            ("http", false) => self.refuse(
                key,
                origin,
                "must be reached by https://; http:// is for hosts of your own network, marked `private = true`",
            ),
            _ => self.refuse(key, origin, "must begin with https://"),
        }
    }

    /// `None` is a problem; `Some(None)` is no model.
    #[expect(
        clippy::option_option,
        reason = "every method of the reader gives None for a problem"
    )]
    pub(super) fn model(&mut self) -> Option<Option<Model>> {
        let key = "model.url";
        let wished = self.layers.settings.get(key);
        let wished = !matches!(wished.map(|entry| &entry.value), Some(Value::Text(url) | Value::Written(url)) if url.is_empty());
        let url = if wished {
            self.web_address(key, "")
        } else {
            self.text(key).map(|(url, _)| url)
        };
        let name = self.text("model.name");
        let (temperature, limit_key) = (self.temperature(), self.limit_key());
        let api_key = self.optional_key("model.api_key")?;
        let (url, (name, origin)) = (url?, name?);
        let (temperature, limit_key) = (temperature?, limit_key?);
        if !wished {
            return Some(None);
        }
        if name.is_empty() {
            let message = "is empty: say which model of model.url is to be asked";
            return self.refuse("model.name", &origin, message);
        }
        Some(Some(Model {
            url,
            name,
            api_key,
            temperature,
            limit_key,
        }))
    }

    #[expect(
        clippy::option_option,
        reason = "every method of the reader gives None for a problem"
    )]
    fn temperature(&mut self) -> Option<Option<u32>> {
        let key = "model.temperature";
        if self.layers.settings.contains_key(key) {
            return self.integer(key, 0..=2).map(Some);
        }
        self.known.push(key.to_owned());
        Some(None)
    }

    fn limit_key(&mut self) -> Option<LimitKey> {
        let key = "model.limit_key";
        let (written, origin) = self.text(key)?;
        let all = [LimitKey::MaxTokens, LimitKey::MaxCompletionTokens];
        let found = all.into_iter().find(|one| one.name() == written);
        found.or_else(|| {
            let message =
                format!("must be `max_tokens` or `max_completion_tokens`, not `{written}`");
            self.refuse(key, &origin, message)
        })
    }
}
