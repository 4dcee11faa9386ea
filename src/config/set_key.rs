//! Changing one key of the owner's file, so that everything else in it stays as it was written.

use toml_edit::{DocumentMut, Item, Table, TomlError, Value};

/// The file's text with `gateway.connection` set.
///
/// # Errors
/// When the text is not TOML.
pub fn with_connection(text: &str, connection: &str) -> Result<String, TomlError> {
    let mut document: DocumentMut = text.parse()?;
    let gateway = document
        .entry("gateway")
        .or_insert_with(|| Item::Table(Table::new()));
    let mut value = Value::from(connection);
    if let Some(before) = gateway.get("connection").and_then(Item::as_value) {
        // A comment behind the value belongs to it.
        *value.decor_mut() = before.decor().clone();
    }
    if let Some(inline) = gateway.as_inline_table_mut()
        && let Some((_, last)) = inline.iter_mut().last()
    {
        // The space before `}` would come to stand before the comma.
        last.decor_mut().set_suffix("");
    }
    match gateway.as_table_like_mut() {
        Some(gateway) => {
            if let Some(there) = gateway.get_mut("connection") {
                *there = Item::Value(value);
            } else {
                gateway.insert("connection", Item::Value(value));
            }
        }
        // A gateway that is no table does not load, so it cannot have come here.
        None => *gateway = toml_edit::table(),
    }
    Ok(document.to_string())
}

#[cfg(test)]
mod tests {
    use super::with_connection;

    #[test]
    fn only_the_connection_changes() {
        let table = [
            (
                "# mine\n[gateway] # who\npreset = \"maton\" # not graph\n  connection = \"old\"   # Ana's\n\n[log]\n",
                "# mine\n[gateway] # who\npreset = \"maton\" # not graph\n  connection = \"c-1\"   # Ana's\n\n[log]\n",
            ),
            (
                "[gateway]\npreset = \"maton\"\n# end\n[log]\nformat = 'text'\n",
                "[gateway]\npreset = \"maton\"\nconnection = \"c-1\"\n# end\n[log]\nformat = 'text'\n",
            ),
            ("[log]\n", "[log]\n\n[gateway]\nconnection = \"c-1\"\n"),
            ("", "[gateway]\nconnection = \"c-1\"\n"),
            // The byte-order mark that some editors write is dropped.
            (
                "\u{feff}[gateway]\nconnection = \"old\"\n",
                "[gateway]\nconnection = \"c-1\"\n",
            ),
            (
                "gateway = { preset = \"maton\" }\n",
                "gateway = { preset = \"maton\", connection = \"c-1\" }\n",
            ),
            (
                "gateway = { connection = \"old\" }\n",
                "gateway = { connection = \"c-1\" }\n",
            ),
            (
                "gateway.preset = \"maton\"\n",
                "gateway.preset = \"maton\"\ngateway.connection = \"c-1\"\n",
            ),
        ];
        for (before, after) in table {
            assert_eq!(with_connection(before, "c-1").unwrap(), after);
        }
    }

    #[test]
    fn what_is_not_toml_is_not_touched() {
        assert!(with_connection("[gateway", "c-1").is_err());
    }
}
