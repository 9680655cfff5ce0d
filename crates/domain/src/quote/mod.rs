//! Commands about quotes (見積, R47–R53).

mod issue;
mod withdraw;

pub use issue::IssueQuote;
pub use withdraw::WithdrawQuote;
