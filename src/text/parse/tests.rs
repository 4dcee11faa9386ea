//! What people write, in tables; what is no answer at all; and that nothing makes a reader fail.

use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::{PhoneError, read_email, read_international, read_phone};
use crate::text::locale::{DateStyle, Locale};

/// A Monday.
const TODAY: Date = date(2026, 11, 23);

macro_rules! files {
    ($($language:literal)*) => {
        /// Answers as people give them, by language.
        const ANSWERS: &[(&str, &str)] = &[$((
            $language,
            include_str!(concat!("../../../tests/cases/locale/answers/", $language, ".txt")),
        )),*];
    };
}

files! {
    "en" "es" "pt" "fr" "de" "it" "nl" "pl" "tr" "ru" "ar" "hi" "id" "ja" "zh" "th" "others"
}

/// Lines of a table: `language | text | expected`, where `-` is nothing.
fn table(text: &'static str, least: usize) -> Vec<(&'static str, &'static str, &'static str)> {
    let lines = text.lines();
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let rows: Vec<_> = lines
        .map(|line| {
            let mut parts = line.split(" | ");
            let mut next = || parts.next().expect("`language | text | expected`").trim();
            (next(), next(), next())
        })
        .collect();
    assert!(rows.len() >= least, "the table was not read");
    rows
}

#[track_caller]
fn check(rows: Vec<(&str, &str, &str)>, read: impl Fn(&Locale, &str) -> Option<String>) {
    let wrong: Vec<String> = rows
        .into_iter()
        .filter_map(|(language, text, expected)| {
            let (tag, country) = language.split_once('@').unzip();
            let locale = Locale::parse(tag.unwrap_or(language)).written_in(country);
            let actual = read(&locale, text).unwrap_or_else(|| "-".to_owned());
            (actual != expected).then(|| format!("{language} `{text}`: {actual}, not {expected}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn dates_are_read_in_many_languages() {
    let rows = table(include_str!("../../../tests/cases/locale/dates.txt"), 80);
    check(rows, |locale, text| {
        let date = locale.read_date(text, TODAY);
        date.map(|date| date.to_string())
    });
}

#[test]
fn dates_are_never_those_of_another_day() {
    let rows = table(
        include_str!("../../../tests/cases/locale/dates-on-a-friday.txt"),
        100,
    );
    check(rows, |locale, text| {
        let date = locale.read_date(text, date(2026, 11, 27));
        date.map(|date| date.to_string())
    });
}

#[test]
fn times_are_read_in_many_languages() {
    let rows = table(include_str!("../../../tests/cases/locale/times.txt"), 30);
    check(rows, |locale, text| {
        let time = locale.read_time(text);
        time.map(|time| time.strftime("%H:%M").to_string())
    });
}

#[test]
fn numbers_are_read_in_many_languages() {
    let rows = table(include_str!("../../../tests/cases/locale/numbers.txt"), 30);
    check(rows, |locale, text| {
        let number = locale.read_number(text);
        number.map(|number| number.to_string())
    });
}

/// Answers by language and kind, each with its value, or `again`.
fn answers() -> Vec<(&'static str, &'static str, &'static str, &'static str)> {
    let mut answers = Vec::new();
    for (file, text) in ANSWERS {
        let lines = text.lines();
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let columns: Vec<&str> = line.split(" | ").map(str::trim).collect();
            match columns[..] {
                [kind, text, value] => answers.push((*file, kind, text, value)),
                [language, kind, text, value] => answers.push((language, kind, text, value)),
                _ => panic!("{file}: `{line}`"),
            }
        }
    }
    answers
}

/// Reads an answer as a question of the kind does.
fn read(locale: &Locale, kind: &str, text: &str) -> String {
    let value = match kind {
        "date" => locale.read_date(text, TODAY).map(|date| date.to_string()),
        "time" => locale
            .read_time(text)
            .map(|time| time.strftime("%H:%M").to_string()),
        "number" => locale.read_number(text).map(|number| number.to_string()),
        _ => panic!("no kind: {kind}"),
    };
    value.unwrap_or_else(|| "again".to_owned())
}

#[test]
fn answers_are_read_as_people_mean_them_or_asked_again() {
    let wrong = answers()
        .into_iter()
        .filter_map(|(language, kind, text, expected)| {
            let value = read(&Locale::parse(language), kind, text);
            (value != expected)
                .then(|| format!("{language} {kind} `{text}`: {value}, not {expected}"))
        });
    let wrong: Vec<String> = wrong.collect();

    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Checks that a word at any place of an accepted answer makes it asked again.
#[track_caller]
fn check_asked_again(language: &str, word: &str) {
    let mut tried = 0;
    let accepted = answers().into_iter().filter(|answer| answer.3 != "again");
    for (_, kind, text, _) in accepted.filter(|answer| answer.0 == language) {
        let locale = Locale::parse(language);
        let words: Vec<&str> = text.split(' ').collect();
        for place in 0..=words.len() {
            let mut words = words.clone();
            words.insert(place, word);
            let changed = words.join(" ");
            let value = read(&locale, kind, &changed);
            assert_eq!(value, "again", "{language} {kind} `{changed}`");
            tried += 1;
        }
    }
    assert!(tried > 0, "{language}");
}

/// No word that nothing explains passes, wherever it stands.
#[test]
fn an_unknown_word_in_an_accepted_answer_makes_it_asked_again() {
    for (language, _) in ANSWERS.iter().filter(|(file, _)| *file != "others") {
        check_asked_again(language, "zzyqx");
    }
}

#[test]
fn no_word_that_changes_what_is_meant_is_passed_over() {
    for (language, words) in [
        ("en", "not before until or maybe except last every"),
        ("es", "no antes hasta o quizás excepto salvo cada"),
        ("pt", "não antes até ou talvez exceto passada cada"),
        ("fr", "pas avant jusqu'à ou peut-être sauf dernier chaque"),
        ("de", "nicht bis ab oder vielleicht außer letzten jeden"),
        ("it", "non prima fino o forse tranne scorso ogni"),
        ("nl", "niet na tot of misschien behalve vorige elke"),
        ("pl", "nie przed od lub może oprócz zeszły każdy"),
    ] {
        for word in words.split(' ') {
            check_asked_again(language, word);
        }
    }
}

#[test]
fn addresses_and_phone_numbers_are_read() {
    let rows = table(include_str!("../../../tests/cases/locale/reach.txt"), 20);
    check(rows, |_, text| {
        let (kind, text) = text.split_once(' ').expect("`email …` or `COUNTRY …`");
        match kind {
            "email" => read_email(text),
            "??" => read_phone(text, None),
            country => read_phone(text, Some(country)),
        }
    });
}

#[test]
fn numbers_that_operators_type_are_read_or_refused_with_the_reason() {
    let lines = include_str!("../../../tests/cases/locale/dialled.txt").lines();
    let mut actual = Vec::new();
    for line in lines {
        let Some((written, _)) = line.split_once('|').filter(|_| !line.starts_with('#')) else {
            actual.push(line.to_owned());
            continue;
        };
        let result = match read_international(written) {
            Ok(digits) => digits,
            Err(PhoneError::NoCountryCode { readings }) if !readings.is_empty() => {
                format!("no country code: {}", readings.join(" or "))
            }
            Err(error) => error.to_string(),
        };
        actual.push(format!("{written}| {result}"));
    }

    let expected = include_str!("../../../tests/cases/locale/dialled.txt");

    assert_eq!(actual.join("\n"), expected.trim_end());
}

#[test]
fn a_month_and_a_day_are_written_as_each_language_does() {
    let day = date(2026, 12, 24);
    let at = day.at(14, 5, 0, 0).in_tz("Europe/Berlin").unwrap();
    let now = TODAY.at(9, 0, 0, 0).in_tz("Europe/Berlin").unwrap();
    let formatted = |language: &str| {
        let locale = Locale::parse(language);
        (
            locale.date(day, DateStyle::Full),
            locale.when(&at, &now),
            locale.number(1234.5, Some(2)),
        )
    };

    assert_eq!(formatted("en").0, "Thursday, December 24, 2026");
    assert_eq!(formatted("en").1, "December 24 at 2:05 PM");
    assert_eq!(formatted("de").1, "24. Dezember um 14:05");
    assert_eq!(formatted("es").2, "1234,50");
    assert_eq!(formatted("xx").0, "Thursday, December 24, 2026");
    assert_eq!(formatted("not a tag").2, "1,234.50");
    let tomorrow = TODAY
        .tomorrow()
        .unwrap()
        .at(8, 0, 0, 0)
        .in_tz("Europe/Berlin")
        .unwrap();
    assert_eq!(
        Locale::parse("es").when(&tomorrow, &now),
        "mañana a las 08:00"
    );
    assert_eq!(Locale::parse("en").money(-3.5, "EUR"), "-€3.50");
    assert_eq!(Locale::parse("de").money(1200.0, "EUR"), "1.200,00 €");
    assert_eq!(Locale::parse("ja").money(1200.0, "JPY"), "¥1,200");
    let money = |tag: &str, currency: &str| Locale::parse(tag).money(1234.5, currency);
    for (tag, currency, written) in [
        ("es-MX", "MXN", "$1,234.50"),
        ("es-MX", "USD", "US$1,234.50"),
        ("es-US", "USD", "$1,234.50"),
        ("es-ES", "EUR", "1234,50 €"),
        ("es-AR", "ARS", "$ 1.234,50"),
        ("pt-PT", "EUR", "1234,50 €"),
        ("pt-BR", "BRL", "R$ 1.234,50"),
        ("en", "MXN", "MX$1,234.50"),
        ("en", "CAD", "CA$1,234.50"),
        ("en-CA", "CAD", "$1,234.50"),
        ("en", "CHF", "CHF 1,234.50"),
        ("nl", "EUR", "€ 1.234,50"),
        ("de-AT", "EUR", "€ 1 234,50"),
        ("sv", "SEK", "1 234,50 kr"),
        ("zh", "CNY", "¥1,234.50"),
    ] {
        assert_eq!(money(tag, currency), written, "{tag} {currency}");
    }
    assert_eq!(Locale::parse("ru").plural(3.0), "few");
    assert_eq!(Locale::parse("en").plural(1.0), "one");
}

proptest! {
    #[test]
    fn no_text_makes_a_reader_fail(text in "\\PC{0,40}|[0-9 ./:,-]{0,14}|(in|next|am|[0-9]{1,3}|days|th|dec|friday| ){0,6}") {
        for language in ["en", "de", "ar", "ja", "tr"] {
            let locale = Locale::parse(language);
            if let Some(date) = locale.read_date(&text, TODAY) {
                prop_assert!(date.year() >= 0, "{}", date);
            }
            let _ = locale.read_time(&text);
            if let Some(number) = locale.read_number(&text) {
                prop_assert!(number.is_finite());
            }
        }
        if let Some(address) = read_email(&text) {
            prop_assert!(address.matches('@').count() == 1);
        }
        if let Some(phone) = read_phone(&text, Some("DE")) {
            prop_assert!((7..=15).contains(&phone.len()) && phone.bytes().all(|byte| byte.is_ascii_digit()));
        }
    }

    #[test]
    fn a_date_we_write_is_read_again(days in 0..360_i64) {
        use jiff::ToSpan as _;
        let day = TODAY.checked_add(days.days()).unwrap();
        for language in ["en", "en-GB", "de", "es", "fr", "it", "nl", "pl", "pt-BR", "ru", "tr", "id", "ja", "zh"] {
            let locale = Locale::parse(language);
            for style in [DateStyle::Medium, DateStyle::Long] {
                let written = locale.date(day, style);
                prop_assert_eq!(locale.read_date(&written, TODAY), Some(day), "{} {}", language, written);
            }
        }
    }
}
