//! Upper bounds of the contents of one webhook body. A body beyond them does not come from Meta: it
//! is quarantined in one piece and not parsed, so that reading it needs no more memory than the
//! body itself.

/// Updates in one body: twice Meta's batch limit of 1,000, in case Meta raises it. See
/// <https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/overview>.
pub(crate) const UPDATES_MAX: usize = 2_000;
/// Cards of `contacts[]` in one `value`; Meta sends one per sender.
pub(crate) const CARDS_MAX: usize = UPDATES_MAX;
/// JSON values in one body. Meta's bodies reach 3 MB; receipts take about 28 bytes per value and
/// the items of an order about 14, so that 3 MB of orders hold 215,000.
pub(crate) const VALUES_MAX: usize = 250_000;
/// JSON values in the answers of one form; a form has some dozens of fields.
pub(crate) const FORM_VALUES_MAX: usize = 10_000;
/// Errors read of one update; Meta lists one or two.
pub(crate) const ERRORS_MAX: usize = 32;

/// Whether a JSON text holds more than `max` values, counted by opening brackets and commas outside
/// of strings.
///
/// Reads each byte once and allocates nothing; the text need not be valid JSON.
pub(crate) fn has_more_values(json: &[u8], max: usize) -> bool {
    // A value takes at least one byte.
    if json.len() <= max {
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
                if values > max {
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
            // Padded beyond the shortcut for short texts.
            let padded = format!("{json}{}", " ".repeat(10));
            assert!(has_more_values(padded.as_bytes(), values - 1), "{json}");
            assert!(!has_more_values(padded.as_bytes(), values), "{json}");
        }
    }
}
