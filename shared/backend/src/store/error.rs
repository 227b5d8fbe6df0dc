//! Errors of the table: which of DynamoDB's rejections may succeed later and which never will.

use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

/// Why the table gave no result that can be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// DynamoDB did not respond, throttled or failed, and kept doing so over all attempts. The same call may succeed
    /// later.
    #[error("the table cannot be reached now: {operation}")]
    Unavailable {
        /// The DynamoDB operation.
        operation: &'static str,
        /// What happened.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// DynamoDB rejected the call, and would reject it again: a missing permission, a table that does not exist, an
    /// item of more than 400 KB. An operator has to act.
    #[error("the table rejects {operation}: {code}")]
    Rejected {
        /// The DynamoDB operation.
        operation: &'static str,
        /// DynamoDB's error code, such as `ValidationException`.
        code: String,
    },
    /// An item is not what this build writes.
    #[error("item {key} is broken at {attribute}")]
    Broken {
        /// Its partition key.
        key: String,
        /// The attribute that is missing or of another type.
        attribute: &'static str,
    },
}

/// DynamoDB's response to a call that may succeed later. Its message is left out: it may quote an item.
#[derive(Debug, thiserror::Error)]
#[error("it answered {status} {code}")]
struct Refusal {
    status: u16,
    code: String,
}

/// Error codes of status 400 after which the same call may succeed later. Source: DynamoDB Developer Guide, "Error
/// handling with DynamoDB", the rows with "OK to retry? Yes"; `TransactionConflictException` and
/// `TransactionInProgressException`: API Reference, `UpdateItem` and `TransactWriteItems`. The two about tokens end
/// when Lambda replaces the credentials (IAM, "Common errors").
const RETRYABLE: [&str; 12] = [
    "ExpiredTokenException",
    "InternalServerError",
    "ItemCollectionSizeLimitExceededException",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "ReplicatedWriteConflictException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
    "UnrecognizedClientException",
    "RequestExpired",
];

/// Codes in the reasons of a cancelled transaction that stand for a permanent rejection. Source: API Reference,
/// `TransactionCanceledException`. `AccessDenied` is the documented code of a missing permission.
const PERMANENT_REASONS: [&str; 2] = ["AccessDenied", "ValidationError"];

impl StoreError {
    /// What an error of the SDK means. Nothing of a request or of an item is in it.
    pub(super) fn of<E>(operation: &'static str) -> impl Fn(SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        move |error| match error {
            SdkError::ServiceError(failed) => {
                let status = failed.raw().status().as_u16();
                Self::answered(operation, status, failed.err().code().unwrap_or_default())
            }
            SdkError::ConstructionFailure(_) => Self::rejected(operation, "a request that cannot be built"),
            SdkError::ResponseError(_) => Self::unavailable(operation, "its answer is not DynamoDB's"),
            error => match error.into_source() {
                Ok(source) => Self::unavailable(operation, source),
                Err(_) => Self::unavailable(operation, "no answer"),
            },
        }
    }

    fn answered(operation: &'static str, status: u16, code: &str) -> Self {
        // 429 is documented for throttling by other services, 5xx for failures of DynamoDB itself.
        if (400..429).contains(&status) && !RETRYABLE.contains(&code) {
            return Self::rejected(operation, if code.is_empty() { "no code" } else { code });
        }
        Self::unavailable(operation, Refusal { status, code: code.to_owned() })
    }

    /// A transaction that was cancelled for one of these reasons. `None` if it may succeed when it is sent again.
    pub(super) fn of_reasons<'a>(reasons: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let permanent = reasons.into_iter().find(|code| PERMANENT_REASONS.contains(code))?;
        Some(Self::rejected("TransactWriteItems", permanent))
    }

    /// Logged here, so that no caller can forget it: the event raises an alarm.
    fn rejected(operation: &'static str, code: &str) -> Self {
        tracing::error!(event = "table.rejected", operation, code, "DynamoDB rejects a call for good");
        Self::Rejected { operation, code: code.to_owned() }
    }

    pub(super) fn unavailable(
        operation: &'static str,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::Unavailable { operation, source: source.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejection_that_time_does_not_change_is_permanent() {
        // Developer Guide, "Error handling with DynamoDB": "OK to retry? No".
        for code in [
            "AccessDeniedException",
            "IncompleteSignatureException",
            "MissingAuthenticationTokenException",
            "ResourceNotFoundException",
            "ValidationException",
            "IdempotentParameterMismatchException",
            "SomethingNew",
            "",
        ] {
            let error = StoreError::answered("UpdateItem", 400, code);
            assert!(matches!(error, StoreError::Rejected { .. }), "{code}: {error:?}");
        }
    }

    #[test]
    fn throttling_conflicts_and_failures_of_dynamodb_may_succeed_later() {
        for (status, code) in [
            (400, "ProvisionedThroughputExceededException"),
            (400, "ThrottlingException"),
            (400, "RequestLimitExceeded"),
            (400, "TransactionConflictException"),
            (400, "UnrecognizedClientException"),
            (500, "InternalServerError"),
            (503, ""),
            (429, "TooManyRequestsException"),
        ] {
            let error = StoreError::answered("UpdateItem", status, code);
            assert!(matches!(error, StoreError::Unavailable { .. }), "{status} {code}: {error:?}");
        }
    }

    #[test]
    fn a_transaction_is_rejected_for_good_only_by_a_permanent_reason() {
        assert!(StoreError::of_reasons(["None", "TransactionConflict", "ThrottlingError"]).is_none());
        let rejected = StoreError::of_reasons(["None", "ValidationError"]);
        assert!(matches!(rejected, Some(StoreError::Rejected { .. })), "{rejected:?}");
    }
}
