//! What the shop sells: twenty services and twenty goods, alternating, so that a small shop that
//! lists only the first few has both.

use daicho_events::product::{
    BillingPeriod, CancellationPolicy, PaymentMethod, PenaltyRule, ProductKind, PurchaseRules,
    ReductionPolicy,
};
use daicho_values::{Quantity, QuantityError, TaxCategory};

/// How a product is sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A service by the month, without an end.
    OpenEnded,
    /// A service by the month without an end, its first calendar month free.
    Trial,
    /// A service for a year that begins anew, billed monthly or yearly; ending early costs.
    Term,
    /// A service for one year, paid in advance, that ends by itself; or by the month.
    Prepaid,
    /// Goods.
    Goods,
}

/// A product to be listed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Template {
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    pub(crate) tax: TaxCategory,
    /// Yen, before tax: a month of a service, or one of the goods.
    pub(crate) price: i64,
}

/// A plan of a product.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlanTemplate {
    pub(crate) code: &'static str,
    pub(crate) billing: BillingPeriod,
    pub(crate) term_months: Option<u32>,
    pub(crate) auto_renew: bool,
    pub(crate) first_month_free: bool,
    /// Months whose price is asked for a billing period.
    pub(crate) months: i64,
}

const fn service(name: &'static str, form: Form, price: i64) -> Template {
    Template { name, form, tax: TaxCategory::Standard, price }
}

const fn goods(name: &'static str, price: i64) -> Template {
    Template { name, form: Form::Goods, tax: TaxCategory::Standard, price }
}

const fn food(name: &'static str, price: i64) -> Template {
    Template { name, form: Form::Goods, tax: TaxCategory::Reduced, price }
}

/// Everything that is ever listed, in this order.
pub(crate) const ASSORTMENT: [Template; 40] = [
    service("グループウェア", Form::Term, 800),
    goods("コピー用紙 A4 2,500枚", 2_480),
    service("クラウドメール", Form::Trial, 450),
    food("ミネラルウォーター 500ml 24本", 1_680),
    service("ファイル共有", Form::Prepaid, 600),
    goods("トナーカートリッジ 黒", 14_800),
    service("電子契約", Form::OpenEnded, 9_800),
    food("コーヒー豆 1kg", 3_200),
    service("セキュリティ対策", Form::Term, 380),
    goods("液晶ディスプレイ 24型", 21_800),
    service("勤怠管理", Form::Trial, 300),
    goods("無線マウス", 2_780),
    service("会計クラウド", Form::Term, 3_980),
    goods("USBメモリ 64GB", 1_180),
    service("Web会議", Form::OpenEnded, 1_650),
    food("緑茶ティーバッグ 100袋", 1_280),
    service("顧客管理", Form::Prepaid, 2_500),
    goods("オフィスチェア", 18_600),
    service("バックアップ", Form::Term, 1_200),
    goods("ラベルシール 100シート", 1_960),
    service("経費精算", Form::OpenEnded, 500),
    goods("LANケーブル 5m", 780),
    service("給与計算", Form::Term, 4_200),
    food("菓子詰め合わせ", 3_000),
    service("チャット", Form::Trial, 250),
    goods("外付けSSD 1TB", 12_400),
    service("名刺管理", Form::Prepaid, 900),
    goods("ホワイトボード 90×120", 16_500),
    service("固定IP接続", Form::Term, 5_500),
    goods("シュレッダー", 23_900),
    service("ウイルス駆除", Form::Prepaid, 320),
    goods("封筒 長3 1,000枚", 4_350),
    service("在庫管理", Form::OpenEnded, 7_800),
    food("備蓄用ビスケット 60食", 9_600),
    service("アンケート", Form::Trial, 1_980),
    goods("延長コード 6口", 2_140),
    service("サーバー監視", Form::Term, 6_400),
    goods("作業用手袋 10双", 980),
    service("翻訳", Form::OpenEnded, 3_300),
    goods("プロジェクター", 68_000),
];

impl Template {
    pub(crate) fn kind(&self) -> ProductKind {
        match self.form {
            Form::Goods => ProductKind::Goods,
            Form::OpenEnded | Form::Trial | Form::Term | Form::Prepaid => ProductKind::Service,
        }
    }

    pub(crate) fn plans(&self) -> &'static [PlanTemplate] {
        const MONTHLY: PlanTemplate = PlanTemplate {
            code: "monthly",
            billing: BillingPeriod::Monthly,
            term_months: None,
            auto_renew: false,
            first_month_free: false,
            months: 1,
        };
        const TRIAL: PlanTemplate = PlanTemplate { first_month_free: true, ..MONTHLY };
        const TERM: PlanTemplate = PlanTemplate {
            code: "year-monthly",
            term_months: Some(12),
            auto_renew: true,
            ..MONTHLY
        };
        const ANNUAL: PlanTemplate =
            PlanTemplate { code: "annual", billing: BillingPeriod::Annual, months: 10, ..TERM };
        const PREPAID: PlanTemplate = PlanTemplate { code: "prepaid", auto_renew: false, ..ANNUAL };
        const ONCE: PlanTemplate =
            PlanTemplate { code: "once", billing: BillingPeriod::Once, ..MONTHLY };
        match self.form {
            Form::OpenEnded => &[MONTHLY],
            Form::Trial => &[TRIAL],
            Form::Term => &[TERM, ANNUAL],
            Form::Prepaid => &[PREPAID, MONTHLY],
            Form::Goods => &[ONCE],
        }
    }

    /// The purchase rules of the n-th product.
    pub(crate) fn rules(&self, n: usize) -> Result<PurchaseRules, QuantityError> {
        let goods = PurchaseRules {
            quantity_max: if n % 4 == 1 { Some(Quantity::new(100)?) } else { None },
            desired_start: false,
            licence_addition: false,
            licence_reduction: ReductionPolicy::NotAllowed,
            cancellation: match n % 6 {
                5 => CancellationPolicy::NotAllowed,
                _ => CancellationPolicy::UntilDeliveryFixed,
            },
            notice_days: 0,
            penalty: PenaltyRule::Nothing,
            payment_methods: vec![PaymentMethod::Invoice, PaymentMethod::Card],
        };
        if self.form == Form::Goods {
            return Ok(goods);
        }
        Ok(PurchaseRules {
            quantity_max: Some(Quantity::new(500)?),
            desired_start: true,
            licence_addition: n % 14 != 12,
            licence_reduction: match n % 6 {
                0 => ReductionPolicy::WithRefund,
                2 => ReductionPolicy::WithoutRefund,
                _ => ReductionPolicy::NotAllowed,
            },
            cancellation: CancellationPolicy::UntilConfirmed,
            notice_days: if n.is_multiple_of(8) { 30 } else { 0 },
            penalty: match self.form {
                Form::Term => PenaltyRule::RemainingTerm,
                Form::OpenEnded | Form::Trial | Form::Prepaid | Form::Goods => PenaltyRule::Nothing,
            },
            payment_methods: match n % 10 {
                6 => vec![PaymentMethod::Invoice, PaymentMethod::DirectDebit],
                _ => vec![PaymentMethod::Invoice, PaymentMethod::DirectDebit, PaymentMethod::Card],
            },
        })
    }
}
