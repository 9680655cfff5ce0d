//! Reasons: the free text that a person gives for a cancellation, a withdrawal or a return.

/// Characters that a reason may have.
pub const REASON_CHARS_MAX: usize = 1_000;

rejections! {
    /// Why a reason is not taken.
    pub enum ReasonRejection {
        /// Somebody may ask for the reason in ten years.
        Missing = "reason_missing": "the reason is empty: say why in a few words",
        /// A reason is a line in a record, not a document.
        TooLong { characters: usize } = "reason_too_long":
            "the reason has {characters} characters: at most 1000, the rest belongs in a file",
    }
}

/// Checks that a reason is neither empty nor too long.
///
/// # Errors
/// Empty, or longer than [`REASON_CHARS_MAX`] characters.
pub fn check(reason: &str) -> Result<(), ReasonRejection> {
    if reason.trim().is_empty() {
        return Err(ReasonRejection::Missing);
    }
    let characters = reason.chars().count();
    if characters > REASON_CHARS_MAX {
        return Err(ReasonRejection::TooLong { characters });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_something_and_not_too_much() {
        assert_eq!(check(" \n"), Err(ReasonRejection::Missing));
        assert_eq!(check(&"理".repeat(REASON_CHARS_MAX)), Ok(()));
        let longer = check(&"理".repeat(REASON_CHARS_MAX + 1));
        assert_eq!(longer, Err(ReasonRejection::TooLong { characters: 1_001 }));
    }
}
