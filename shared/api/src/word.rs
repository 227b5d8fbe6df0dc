//! The domain's enumerations, by their words: the list of words is the domain's, not repeated here.

use serde::{Serialize, Serializer};

macro_rules! words {
    ($($(#[doc = $doc:literal])+ $type:ident of $domain:ty),+ $(,)?) => { $(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug)]
        pub struct $type(pub $domain);

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.0.word())
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let description = concat!($($doc),+).trim();
                schemars::json_schema!({ "description": description, "type": "string", "enum": <$domain>::WORDS })
            }
        }
    )+ };
}

words! {
    /// 주문 상태 / Where the order stands
    OrderStatus of order::OrderStatus,
    /// 결제 수단(포트원의 이름) / How the buyer pays, in PortOne's words
    PayMethod of order::PayMethod,
    /// 포트원의 세대 / PortOne's generation
    Generation of order::Generation,
    /// 포트원의 결제 상태 / Where PortOne's payment stands
    PaymentStatus of order::PaymentStatus,
    /// 취소 장부의 상태 / Where a cancellation stands in the ledger
    LedgerStatus of order::CancellationStatus,
    /// 가상계좌 환불금의 이체 상태 / How far the transfer of a refunded deposit has come
    DepositRefund of order::DepositRefund,
    /// 취소를 부른 쪽 / Who asked for a cancellation
    CancellationOrigin of order::CancellationOrigin,
    /// 결제를 받지 않은 까닭 / Why a payment was not accepted
    Rejection of order::Rejection,
    /// 장부가 맞지 않는 곳 / What does not balance in the books
    Imbalance of order::audit::Imbalance,
    /// 발견 사항의 종류 / What was found
    FindingKind of order::FindingKind,
}

/// 취소 상태: UNKNOWN은 요청했으나 답이 없어 다시 물을 것, REQUESTED는 PG사가 나중에 결정할 것 /
/// Where a cancellation stands: UNKNOWN was asked for without an answer and is asked again, REQUESTED is for
/// the PG to decide
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the type says it")]
pub enum CancellationStatus {
    Unknown,
    Requested,
    Succeeded,
    Failed,
}

impl From<order::CancellationStatus> for CancellationStatus {
    fn from(status: order::CancellationStatus) -> Self {
        match status {
            order::CancellationStatus::Intended => Self::Unknown,
            order::CancellationStatus::Requested => Self::Requested,
            order::CancellationStatus::Succeeded => Self::Succeeded,
            order::CancellationStatus::Failed => Self::Failed,
        }
    }
}

/// 주문을 움직인 쪽 / Who made an order move
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the domain's actors")]
pub enum Actor {
    Buyer,
    Portone,
    Operator,
    Schedule,
}

impl From<&order::Actor> for Actor {
    fn from(actor: &order::Actor) -> Self {
        match actor {
            order::Actor::Buyer => Self::Buyer,
            order::Actor::Portone => Self::Portone,
            order::Actor::Operator(_) => Self::Operator,
            order::Actor::Schedule => Self::Schedule,
        }
    }
}
