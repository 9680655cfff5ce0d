//! Reads an input of any length line by line; a line beyond the limit is skipped and not held in
//! memory. A thread reads, since a terminal or pipe may keep it waiting for ever.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use tokio::sync::mpsc;

use crate::error::CliError;

/// Bytes of one line: a command's data has at most 1 MiB, and JSON may escape it.
pub(crate) const LINE_BYTES_MAX: usize = 2 * 1_024 * 1_024;
/// Lines that are read ahead.
const LINES_AHEAD: usize = 4;
/// The name of standard input.
pub(crate) const STANDARD_INPUT: &str = "-";

/// A line, without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    /// Its bytes.
    Bytes(Vec<u8>),
    /// It has more than [`LINE_BYTES_MAX`] bytes.
    TooLong,
}

/// Reads the next line; `None` at the end.
fn next_line(input: &mut impl BufRead, limit: usize) -> io::Result<Option<Line>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    if input.take(most).read_until(b'\n', &mut bytes)? == 0 {
        return Ok(None);
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        return Ok(Some(Line::Bytes(bytes)));
    }
    if bytes.len() <= limit {
        return Ok(Some(Line::Bytes(bytes)));
    }
    input.skip_until(b'\n')?;
    Ok(Some(Line::TooLong))
}

/// Opens a file, or standard input for `-`, and reads its lines ahead on a thread of its own.
pub(crate) fn read(path: &str) -> Result<mpsc::Receiver<io::Result<Line>>, CliError> {
    let input: Box<dyn Read + Send> = if path == STANDARD_INPUT {
        Box::new(io::stdin())
    } else {
        let file =
            File::open(path).map_err(|source| CliError::Input { path: path.to_owned(), source })?;
        Box::new(file)
    };
    let (sender, receiver) = mpsc::channel(LINES_AHEAD);
    std::thread::spawn(move || {
        let mut input = BufReader::new(input);
        while let Some(line) = next_line(&mut input, LINE_BYTES_MAX).transpose() {
            let is_last = line.is_err();
            if sender.blocking_send(line).is_err() || is_last {
                return;
            }
        }
    });
    Ok(receiver)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(text: &str, limit: usize) -> Vec<Line> {
        let mut input = text.as_bytes();
        std::iter::from_fn(|| next_line(&mut input, limit).unwrap()).collect()
    }

    fn line(text: &str) -> Line {
        Line::Bytes(text.as_bytes().to_vec())
    }

    #[test]
    fn the_last_line_needs_no_end() {
        assert_eq!(lines_of("a\n\nb", 8), [line("a"), line(""), line("b")]);
    }

    #[test]
    fn a_line_beyond_the_limit_is_passed_over_and_the_next_is_read() {
        assert_eq!(
            lines_of("abc\nabcd\nabcdefghijkl\nx\n", 3),
            [line("abc"), Line::TooLong, Line::TooLong, line("x")]
        );
        assert_eq!(lines_of("abcd", 3), [Line::TooLong]);
    }
}
