//! Words to search for.

/// Words that must all occur in a row, in any case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Search(Vec<String>);

impl Search {
    /// Splits a typed text into words.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut words: Vec<String> = text
            .split(|sign: char| sign.is_whitespace() || sign.is_control())
            .filter(|word| !word.is_empty())
            .map(|word| folded(word).collect())
            .collect();
        // The longest word is usually the rarest, so it is searched first.
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        words.dedup();
        Self(words)
    }

    /// Returns the words, the longest first. Without words, all rows match.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.0
    }
}

/// Returns the text in folded case, so that two texts that differ only by case are equal.
pub fn folded(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().flat_map(char::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_words_in_any_case_the_longest_first() {
        assert_eq!(
            Search::new("  Ada LOVELACE\t\u{1f}x ").words(),
            ["lovelace", "ada", "x"]
        );
        assert_eq!(Search::new(" \n "), Search::default());
    }
}
