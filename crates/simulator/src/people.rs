//! Names and numbers of invented companies and people.

use daicho_values::{CorporateNumber, TextError};

use crate::chance::Chance;

const KINDS: [&str; 4] = ["株式会社", "有限会社", "合同会社", "一般社団法人"];
const PLACES: [&str; 24] = [
    "青葉",
    "朝日",
    "泉",
    "大和",
    "霞",
    "神田",
    "桜木",
    "さくら",
    "白石",
    "新星",
    "高松",
    "中央",
    "東和",
    "中野",
    "西川",
    "日本橋",
    "浜松",
    "東山",
    "富士見",
    "北斗",
    "松本",
    "みどり",
    "山手",
    "若葉",
];
const TRADES: [&str; 20] = [
    "印刷",
    "運輸",
    "エンジニアリング",
    "会計事務所",
    "化学",
    "建設",
    "工業",
    "産業",
    "システム",
    "商会",
    "商事",
    "食品",
    "製作所",
    "精機",
    "設計",
    "電機",
    "物産",
    "不動産",
    "薬品",
    "流通",
];
const FAMILIES: [&str; 20] = [
    "佐藤",
    "鈴木",
    "高橋",
    "田中",
    "伊藤",
    "渡辺",
    "山本",
    "中村",
    "小林",
    "加藤",
    "吉田",
    "山田",
    "佐々木",
    "山口",
    "松本",
    "井上",
    "木村",
    "林",
    "清水",
    "斎藤",
];
const GIVENS: [&str; 16] = [
    "陽子",
    "健一",
    "美咲",
    "大輔",
    "結衣",
    "翔太",
    "恵",
    "直樹",
    "愛",
    "誠",
    "由美",
    "拓也",
    "香織",
    "修",
    "真由美",
    "隆",
];

/// Digits of a corporate number without its check digit.
const BASE_DIGITS: usize = 12;
/// Where the invented numbers begin: of the kind that the register gives to companies.
const FIRST_NUMBER: u64 = 10_001_000_000;

/// A company's name; a sole proprietor's has no kind.
pub(crate) fn company(chance: &mut Chance, is_company: bool) -> String {
    let mut pick = |names: &[&'static str]| chance.pick(names).unwrap_or_default();
    let kind = if is_company { pick(&KINDS) } else { "" };
    format!("{kind}{}{}", pick(&PLACES), pick(&TRADES))
}

/// A person's name.
pub(crate) fn person(chance: &mut Chance) -> String {
    let family = chance.pick(&FAMILIES).unwrap_or_default();
    let given = chance.pick(&GIVENS).unwrap_or_default();
    format!("{family} {given}")
}

/// The corporate number of the n-th company, with its check digit (the national tax agency's rule).
pub(crate) fn corporate_number(n: u64) -> Result<CorporateNumber, TextError> {
    let base = format!("{:0BASE_DIGITS$}", FIRST_NUMBER + n);
    let digits = base.bytes().rev().map(|byte| u32::from(byte - b'0'));
    let sum: u32 =
        digits.zip([1, 2].into_iter().cycle()).map(|(digit, weight)| digit * weight).sum();
    CorporateNumber::new(&format!("{}{base}", 9 - sum % 9))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invented_corporate_numbers_hold_their_check_digit() {
        for n in 0..1_000 {
            assert!(corporate_number(n).unwrap().check_digit_holds(), "{n}");
        }
    }
}
