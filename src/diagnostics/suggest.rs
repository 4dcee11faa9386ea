//! "Did you mean": finds the name that was probably meant.
//!
//! The caller supplies the candidates.

/// Finds the candidate that is closest to a word, when one is close enough to be meant.
pub(crate) fn closest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let word = word.to_lowercase();
    // A third of the letters wrong is still a slip of the finger; more is another word.
    let allowed = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| {
            let distance = strsim::osa_distance(&word, &candidate.to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Says it in a sentence: ``did you mean `reply`?``.
pub(crate) fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    closest(word, candidates).map(|name| format!("did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn slips_are_understood_and_other_words_are_not() {
        let names = ["id", "when", "reply", "once", "continue"];

        assert_eq!(closest("replay", names), Some("reply"));
        assert_eq!(closest("REPLY", names), Some("reply"));
        assert_eq!(closest("ocne", names), Some("once"));
        assert_eq!(closest("handoff", names), None);
    }
}
