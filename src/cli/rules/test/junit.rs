//! Results of `replyd test` as a `JUnit` report.

use crate::cli::rules::explanation::reasons;
use crate::cli::terminal;
use crate::simulator::Finding;

pub(super) fn document(suites: &[String]) -> String {
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    format!("{head}\n<testsuites>\n{}</testsuites>\n", suites.concat())
}

/// Whether a text is a `JUnit` report, of this program or another.
pub(super) fn is_report(text: &str) -> bool {
    text.starts_with("<?xml ") && text.contains("<testsuite")
}

/// Formats the tests of one rules file.
pub(super) fn suite(name: &str, findings: &[Finding]) -> String {
    let failed = findings
        .iter()
        .filter(|finding| finding.failure.is_some())
        .count();
    let cases = findings.iter().map(|finding| {
        let Some(failure) = &finding.failure else {
            return case(name, &finding.name, None);
        };
        let transcript = failure.transcript.iter().cloned();
        let details = transcript.chain(reasons(&failure.explanation));
        let details = details.collect::<Vec<_>>().join("\n");
        case(name, &finding.name, Some((&failure.message, &details)))
    });
    let cases: Vec<String> = cases.collect();
    suite_element(name, findings.len(), failed, &cases.concat())
}

/// Formats a rules file that cannot be used, as one failed test.
pub(super) fn unusable(name: &str, error: &anyhow::Error) -> String {
    let causes = error.chain().skip(1).map(ToString::to_string);
    let causes = causes.collect::<Vec<_>>().join("\n");
    let failure = (&*error.to_string(), &*causes);
    suite_element(
        name,
        1,
        1,
        &case(name, "the rules can be used", Some(failure)),
    )
}

fn suite_element(name: &str, tests: usize, failed: usize, cases: &str) -> String {
    let name = attribute(name);
    let head = format!("  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failed}\">");
    format!("{head}\n{cases}  </testsuite>\n")
}

/// Formats one test, with message and details of its failure.
fn case(suite: &str, name: &str, failure: Option<(&str, &str)>) -> String {
    let (suite, name) = (attribute(suite), attribute(name));
    let case = format!("    <testcase classname=\"{suite}\" name=\"{name}\"");
    let Some((message, details)) = failure else {
        return case + "/>\n";
    };
    let (message, details) = (attribute(message), escaped(details));
    format!("{case}>\n      <failure message=\"{message}\">{details}</failure>\n    </testcase>\n")
}

/// Escapes an attribute. A line end is read as a space unless it is written as a reference.
fn attribute(text: &str) -> String {
    escaped(text).replace('\n', "&#10;")
}

/// Escapes text for XML; characters that XML forbids are written out as in a terminal.
/// See <https://www.w3.org/TR/xml/#charsets>.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in terminal::visible(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            plain => escaped.push(plain),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{attribute, case, escaped};

    /// Whether XML 1.0 allows the character.
    fn is_of_xml(character: char) -> bool {
        matches!(character,
            '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
    }

    #[test]
    fn every_character_comes_out_as_xml_takes_it() {
        let every: String = ('\0'..=char::MAX).collect();

        let written = escaped(&every);

        assert!(written.chars().all(is_of_xml));
        assert!(!written.contains(['<', '>', '"']));
        assert_eq!(
            escaped("a\u{fffe}\u{ffff}\0b\nc"),
            "a&lt;U+FFFE&gt;&lt;U+FFFF&gt;␀b\nc"
        );
        assert_eq!(attribute("a\n\"b\""), "a&#10;&quot;b&quot;");
    }

    #[test]
    fn a_failure_stands_inside_its_test() {
        assert_eq!(
            case("rules.toml", "a & b", Some(("no", "a\nb"))),
            "    <testcase classname=\"rules.toml\" name=\"a &amp; b\">\n      \
             <failure message=\"no\">a\nb</failure>\n    </testcase>\n"
        );
    }
}
