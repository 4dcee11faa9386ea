//! How much one body may hold. A body with more is none of Meta's: it is kept in one piece and not
//! taken apart, so that reading it costs no more memory than the body itself.

/// Updates of one body. Meta batches up to 1,000; twice that leaves room for a change of mind. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview>.
pub(crate) const MOST_UPDATES: usize = 2_000;
/// Cards of `contacts[]` in one `value`: Meta sends one for each sender.
pub(crate) const MOST_CARDS: usize = MOST_UPDATES;
/// JSON values of one body. Meta's bodies reach 3 MB; receipts spend about 28 bytes on a value, the
/// items of an order about 14, so that 3 MB of nothing but orders hold 215,000.
pub(crate) const MOST_VALUES: usize = 250_000;
/// JSON values in the answers of one form. A form has some dozens of fields.
pub(crate) const MOST_FORM_VALUES: usize = 10_000;
/// Errors of one update that are read; Meta lists one or two.
pub(crate) const MOST_ERRORS: usize = 32;

/// Whether a JSON text holds more values than `most`, by what begins one: opening brackets and
/// commas.
///
/// Looks at each byte once and builds nothing. It does not need to be JSON.
pub(crate) fn has_more_values(json: &[u8], most: usize) -> bool {
    // Each value has a byte of its own.
    if json.len() <= most {
        return false;
    }
    let (mut values, mut in_text, mut escaped) = (1_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' | b',' if !in_text => {
                values += 1;
                if values > most {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::has_more_values;

    #[test]
    fn values_are_counted_outside_of_texts_only() {
        let cases = [
            (r#"{"a":[1,2,3]}"#, 5),
            (r#"{"a, [b]":"c, \", {d}\\","e":1}"#, 3),
            (r#""\\",[,"#, 4),
            ("[[[[[[", 7),
        ];
        for (json, values) in cases {
            // Padded, so that the number of bytes says nothing.
            let padded = format!("{json}{}", " ".repeat(10));
            assert!(has_more_values(padded.as_bytes(), values - 1), "{json}");
            assert!(!has_more_values(padded.as_bytes(), values), "{json}");
        }
    }
}
