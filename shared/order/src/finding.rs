//! Findings: what this backend could not settle by itself, with a reason and a next step for a person.

use crate::{
    CancellationOrigin, CancellationStatus, Language, Order, OrderStatus, Timestamp, decision::Anomaly,
};

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FindingKind {
    /// PortOne has a payment that is none of our orders.
    Orphan,
    /// A second transaction took money for an order that has its money.
    PaidTwice,
    /// The payment of an order that holds money changed its amount or currency.
    PaymentChanged,
    /// PortOne says a payment status this build has not heard of.
    UnrecognizedStatus,
    /// PortOne answered with another payment than the one asked for.
    AnotherPayment,
    /// Money that must go back is refused by the PG again and again.
    ReturnRefused,
    /// Nobody knows what became of a cancellation, an hour after it was asked for.
    OutcomeUnknown,
    /// The PG has not decided about a payment or a cancellation for three days.
    Undecided,
    /// An order cannot be read, or its books do not balance.
    BrokenOrder,
    /// PortOne's answer about a payment cannot be used.
    UnusableAnswer,
    /// DynamoDB rejected a write of the order, and would reject it again.
    WriteRejected,
}

impl FindingKind {
    /// What happened.
    pub fn reason(self, language: Language) -> &'static str {
        let (korean, english) = match self {
            Self::Orphan => {
                ("주문이 없는 결제가 포트원에 있습니다.", "PortOne has a payment without an order.")
            }
            Self::PaidTwice => ("한 주문이 두 번 결제되었습니다.", "One order was paid twice."),
            Self::PaymentChanged => (
                "결제된 뒤 포트원의 금액이나 통화가 바뀌었습니다.",
                "PortOne's amount or currency changed after the order was paid.",
            ),
            Self::UnrecognizedStatus => {
                ("알 수 없는 결제 상태입니다.", "PortOne has a payment status that is not known here.")
            }
            Self::AnotherPayment => {
                ("포트원이 다른 결제로 답했습니다.", "PortOne answered with another payment.")
            }
            Self::ReturnRefused => (
                "돌려줘야 할 돈의 환불이 거듭 거절되었습니다.",
                "The PG keeps refusing to return money that must go back.",
            ),
            Self::OutcomeUnknown => {
                ("취소 결과를 알 수 없습니다.", "What became of a cancellation is not known.")
            }
            Self::Undecided => {
                ("PG사가 사흘째 결정하지 않았습니다.", "The PG has not decided for three days.")
            }
            Self::UnusableAnswer => {
                ("포트원의 결제 기록을 읽을 수 없습니다.", "PortOne's record of a payment cannot be used.")
            }
            Self::WriteRejected => (
                "주문 기록을 저장하지 못했습니다. DynamoDB가 쓰기를 거부했습니다.",
                "An order's record was not saved. DynamoDB rejected the write.",
            ),
            Self::BrokenOrder => {
                ("주문 기록이 맞지 않습니다.", "An order's record is broken or does not balance.")
            }
        };
        language.pick(korean, english)
    }

    /// What a person should do now.
    pub fn next_step(self, language: Language) -> &'static str {
        let (korean, english) = match self {
            Self::Orphan | Self::PaidTwice => (
                "포트원 콘솔에서 결제를 확인하고, 주인이 없으면 그곳에서 취소하세요.",
                "Look at the payment in PortOne's console; cancel it there if nobody ordered it.",
            ),
            Self::PaymentChanged | Self::UnrecognizedStatus | Self::AnotherPayment | Self::UnusableAnswer => {
                (
                    "포트원 콘솔의 결제와 주문 기록을 비교하고 포트원에 문의하세요.",
                    "Compare the payment in PortOne's console with the order's journal and ask PortOne.",
                )
            }
            Self::ReturnRefused => (
                "주문 기록에서 사유를 보세요. 무통장입금은 환불 계좌를 적어 주문을 취소하고, 그 밖에는 PG사에 문의하세요.",
                "Read the reason in the order's journal. A deposit: cancel the order with a refundAccount. Else ask the PG.",
            ),
            Self::OutcomeUnknown => (
                "포트원 콘솔에서 취소 여부를 확인하세요. 다음 조회에서 다시 시도합니다.",
                "See in PortOne's console whether it happened; the next look asks again.",
            ),
            Self::WriteRejected => (
                "오류 코드를 확인하세요. AccessDeniedException은 함수의 권한, ValidationException은 주문 항목의 크기(최대 400KB)가 원인입니다.",
                "Check the error code. AccessDeniedException: the function's permissions. ValidationException: the size of \
                 the order's item (400 KB at most).",
            ),
            Self::Undecided => ("PG사에 처리 상태를 문의하세요.", "Ask the PG where it stands."),
            Self::BrokenOrder => (
                "주문 항목을 백업(PITR)과 비교하세요. 자동으로 고치지 않습니다.",
                "Compare the item with the table's backup; nothing mends it by itself.",
            ),
        };
        language.pick(korean, english)
    }
}

impl From<Anomaly> for FindingKind {
    fn from(anomaly: Anomaly) -> Self {
        match anomaly {
            Anomaly::AnotherPayment => Self::AnotherPayment,
            Anomaly::UnrecognizedStatus => Self::UnrecognizedStatus,
            Anomaly::PaymentChanged => Self::PaymentChanged,
            Anomaly::PaidTwice => Self::PaidTwice,
        }
    }
}

/// The kinds that [`standing`] speaks of: those that an order's own record shows, and that end by themselves.
pub const STANDING: [FindingKind; 4] = [
    FindingKind::ReturnRefused,
    FindingKind::OutcomeUnknown,
    FindingKind::Undecided,
    FindingKind::BrokenOrder,
];

/// What an order's record shows that a person should know.
pub fn standing(order: &Order, now: Timestamp) -> Vec<FindingKind> {
    let older = |minutes: i64| move |since: Timestamp| now.minutes_since(since) >= minutes;
    let (an_hour, three_days) = (older(60), older(3 * 24 * 60));
    let rows = |status| order.cancellations.iter().filter(move |row| row.status == status);
    let refusals = rows(CancellationStatus::Failed).filter(|row| row.origin == CancellationOrigin::Mismatch);
    let refused = refusals.count();
    let found = [
        (
            order.status == OrderStatus::Rejected
                && order.balance() > 0
                && (refused >= 3 || order.open_cancellation().is_none() && refused == 0),
            FindingKind::ReturnRefused,
        ),
        (rows(CancellationStatus::Intended).any(|row| an_hour(row.at)), FindingKind::OutcomeUnknown),
        (
            rows(CancellationStatus::Requested).any(|row| three_days(row.at))
                || (order.status == OrderStatus::PayPending && three_days(order.created_at)),
            FindingKind::Undecided,
        ),
        (!crate::audit::imbalances(order).is_empty(), FindingKind::BrokenOrder),
    ];
    found.into_iter().filter_map(|(holds, kind)| holds.then_some(kind)).collect()
}
