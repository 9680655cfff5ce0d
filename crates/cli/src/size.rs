//! Sizes as people write them: `512MiB`.

/// The units, and how many bytes each has.
const UNITS: [(&str, usize); 3] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

/// Bytes of a size such as `512MiB`.
pub(crate) fn bytes(text: &str) -> Result<usize, String> {
    let parsed = UNITS.iter().find_map(|(unit, bytes)| {
        let number: usize = text.strip_suffix(unit)?.trim_end().parse().ok()?;
        number.checked_mul(*bytes).filter(|bytes| *bytes > 0)
    });
    parsed.ok_or_else(|| "a size is a whole number from 1 with KiB, MiB or GiB: 512MiB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_number_with_its_unit() {
        assert_eq!(bytes("512MiB"), Ok(536_870_912));
        assert_eq!(bytes("2 GiB"), Ok(2_147_483_648));
        assert_eq!(bytes("64KiB"), Ok(65_536));
    }

    #[test]
    fn what_has_no_unit_or_no_size_is_refused() {
        for text in ["512", "MiB", "0MiB", "1.5GiB", "-1MiB", "512MB", "99999999999999GiB"] {
            assert!(bytes(text).unwrap_err().contains("512MiB"), "{text}");
        }
    }
}
