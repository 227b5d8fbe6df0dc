//! Findings: what this backend could not settle by itself, with a reason and a next step for a person.

use crate::{
    CancellationStatus, DepositRefund, Language, Order, OrderStatus, Timestamp, decision::Anomaly, ledger,
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
    /// The buyer disputes the payment, and the PG waits for the shop's answer.
    Disputed,
    /// A deposit was cancelled, and the transfer to the buyer's account failed.
    DepositRefundFailed,
    /// PortOne's cancellable amount differs from ours, so that it rejects a partial cancellation.
    BalanceDiffers,
    /// A virtual account of a closed order stays open at the PG.
    AccountOpen,
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
            Self::Disputed => ("구매자가 결제에 이의를 제기했습니다.", "The buyer disputes the payment."),
            Self::DepositRefundFailed => (
                "가상계좌 환불금이 구매자 계좌로 입금되지 않았습니다.",
                "The refund of a deposit did not reach the buyer's account.",
            ),
            Self::BalanceDiffers => (
                "포트원의 취소 가능 금액이 주문 기록과 다릅니다.",
                "PortOne's cancellable amount differs from the order's record.",
            ),
            Self::AccountOpen => (
                "종료된 주문의 가상계좌가 아직 열려 있습니다.",
                "The virtual account of a closed order is still open.",
            ),
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
            Self::Disputed => (
                "PG사의 답변 기한 안에 소명 자료를 제출하세요. 기한은 포트원 콘솔이나 PG사 관리자 페이지에 있습니다. 그동안 상품을 보내지 마세요.",
                "Send the PG your evidence before its deadline, which is in PortOne's console or the PG's. Do not ship \
                 meanwhile.",
            ),
            Self::DepositRefundFailed => (
                "구매자에게 환불 계좌를 다시 확인하고 PG사에 재이체를 요청하세요.",
                "Ask the buyer for the right account and the PG to transfer again.",
            ),
            Self::BalanceDiffers => (
                "포트원 콘솔의 취소 가능 금액을 확인하고 그 금액 이하로 다시 취소하세요.",
                "See the cancellable amount in PortOne's console and cancel again, at most that much.",
            ),
            Self::AccountOpen => (
                "PG사 관리자 페이지에서 가상계좌를 닫으세요. 그 뒤의 입금은 자동으로 취소되지 않고 환불 계좌가 필요합니다.",
                "Close the account in the PG's console. A later deposit needs a refund account from the buyer.",
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
pub const STANDING: [FindingKind; 6] = [
    FindingKind::Disputed,
    FindingKind::DepositRefundFailed,
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
    let found = [
        (order.disputes.iter().any(|dispute| dispute.open), FindingKind::Disputed),
        (order.deposit_refund.is_some_and(DepositRefund::has_failed), FindingKind::DepositRefundFailed),
        (ledger::is_stuck(order, now), FindingKind::ReturnRefused),
        (rows(CancellationStatus::Intended).any(|row| an_hour(row.at)), FindingKind::OutcomeUnknown),
        (
            rows(CancellationStatus::Requested).any(|row| three_days(row.at))
                || (order.deposit_refund == Some(DepositRefund::Pending)
                    && order.cancellations.last().is_some_and(|row| three_days(row.at)))
                || (order.status == OrderStatus::PayPending && three_days(order.created_at)),
            FindingKind::Undecided,
        ),
        (!crate::audit::imbalances(order).is_empty(), FindingKind::BrokenOrder),
    ];
    found.into_iter().filter_map(|(holds, kind)| holds.then_some(kind)).collect()
}
