//! The statement as a table that Excel opens in Korean: UTF-8 with a mark, CRLF, amounts as numbers.

use order::{
    Currency, PayMethod,
    day::clock_in_korea,
    statement::{PostingKind, Row, Split, Statement, Total},
};

const HEADER: [&str; 11] = [
    "일자(KST)",
    "시각",
    "주문번호",
    "구분",
    "결제수단",
    "통화",
    "금액",
    "공급가액",
    "부가세",
    "면세금액",
    "주문명",
];

/// Without it Excel takes the text for the system's old encoding.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The whole sheet: one row for each posting, by time, then totals for each currency.
pub fn csv(statement: &Statement) -> Vec<u8> {
    let mut lines = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(BYTE_ORDER_MARK.as_bytes().to_vec());
    let mut write = |cells: [String; 11]| lines.write_record(cells).expect("memory takes every line");
    write(HEADER.map(str::to_owned));
    statement.rows().into_iter().for_each(|row| write(row_cells(row)));
    for (currency, kinds) in statement.totals() {
        let mut all = Total::default();
        for (kind, total) in kinds {
            write(total_cells(kind_word(kind), currency, total));
            all.count += total.count;
            all.split += total.split;
        }
        write(total_cells("합계", currency, all));
    }
    lines.into_inner().expect("memory takes every line")
}

fn row_cells(row: &Row) -> [String; 11] {
    let Row { posting, order_id, order_name, pay_method } = row;
    let [amount, supply, vat, tax_free] = amounts(posting.currency, posting.split);
    [
        order::day::Day::of(posting.at).to_string(),
        clock_in_korea(posting.at),
        order_id.to_string(),
        kind_word(posting.kind).to_owned(),
        pay_method_word(*pay_method).to_owned(),
        posting.currency.to_string(),
        amount,
        supply,
        vat,
        tax_free,
        text(order_name),
    ]
}

fn total_cells(kind: &str, currency: Currency, total: Total) -> [String; 11] {
    let [amount, supply, vat, tax_free] = amounts(currency, total.split);
    let none = String::new;
    [
        "합계".to_owned(),
        none(),
        format!("{}건", total.count),
        kind.to_owned(),
        none(),
        currency.to_string(),
        amount,
        supply,
        vat,
        tax_free,
        none(),
    ]
}

fn amounts(currency: Currency, split: Split) -> [String; 4] {
    [split.amount(), split.supply, split.vat, split.tax_free]
        .map(|minor| decimal(minor, currency.minor_digits()))
}

/// Minor units in the currency's own decimals: 1000 KRW is `1000`, 1550 USD is `15.50`.
fn decimal(minor: i128, digits: u32) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let (minor, unit) = (minor.unsigned_abs(), 10_u128.pow(digits));
    match digits {
        0 => format!("{sign}{minor}"),
        _ => format!("{sign}{}.{:0width$}", minor / unit, minor % unit, width = digits as usize),
    }
}

/// A text that spreadsheets take for a text. What begins like a formula is marked as text with an
/// apostrophe, also in the wide forms that Korean input makes.
fn text(text: &str) -> String {
    let first = text.trim_start_matches(|c: char| c.is_whitespace() || c.is_control()).chars().next();
    let odd = text.starts_with(|c: char| c.is_control());
    if odd || first.is_some_and(|c| "=+-@＝＋－＠".contains(c)) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

fn kind_word(kind: PostingKind) -> &'static str {
    match kind {
        PostingKind::Payment => "결제",
        PostingKind::Cancellation => "취소",
        PostingKind::Return => "반송",
    }
}

fn pay_method_word(method: PayMethod) -> &'static str {
    match method {
        PayMethod::Card => "카드",
        PayMethod::VirtualAccount => "가상계좌",
        PayMethod::Transfer => "계좌이체",
        PayMethod::Mobile => "휴대폰",
        PayMethod::GiftCertificate => "상품권",
        PayMethod::EasyPay => "간편결제",
        PayMethod::Paypal => "페이팔",
        PayMethod::Alipay => "알리페이",
        PayMethod::ConvenienceStore => "편의점",
        PayMethod::AlipayPlus => "알리페이플러스",
    }
}
