const STATUSES = ['PENDING', 'PAY_PENDING', 'VIRTUAL_ACCOUNT_ISSUED', 'PAID', 'PARTIAL_CANCELLED', 'CANCELLED', 'EXPIRED', 'REJECTED'];

/** Nothing more is to come. */
export const FINAL = ['PAID', 'PARTIAL_CANCELLED', 'CANCELLED', 'EXPIRED', 'REJECTED', 'NOT_FOUND'];

/** The same order may be paid, or paid again. */
export const PAYABLE = ['UNPAID', 'CLOSED', 'DECLINED', 'WINDOW_FAILED'];

/** No answer yet: another look is about to know more. */
export const UNDECIDED = ['CHECKING', 'PAY_PENDING', 'UNREACHABLE'];

/** Waits for a deposit or a refund, which may take days. */
export const OF_BANKS = ['VIRTUAL_ACCOUNT_ISSUED', 'ACCOUNT_OVERDUE', 'CANCELLING'];

/** The buyer has what he came for, or as much as he gets: the next visit does not start with this. */
export const TOLD = [...FINAL, 'VIRTUAL_ACCOUNT_ISSUED', 'CANCELLING'];

/** PortOne's codes for a window that did not open. */
const UNOPENED = /^(BadRequest|RequestParseFailed|Parse(Channel|PrepareResponse)Failed|(Store|Channel)NotFound|AllChannelsNotSatisfied|Unavailable|UnknownError)$/;

/** Which telling a failure deserves. Only words hang on it: the order's status is the API's. */
function kindOfFailure({ code, message, pgCode }) {
  if (code === 'AmountNotEqualToPredefined') return 'TAMPERED';
  // There is no code for it: each PG says in its own way that the buyer closed the window.
  if (/cancel|close/i.test(`${code} ${pgCode}`) || /취소|닫/.test(message)) return 'CLOSED';
  return UNOPENED.test(code) ? 'WINDOW_FAILED' : 'DECLINED';
}

/**
 * One word for what is known: an order's status, or what its buyer should hear instead. `until` is when the order
 * expires and `now` what time it is, both by this device's clock.
 */
export function outcomeOf({ view, failure, paid, open, asking, watching, notFound }, until, now) {
  if (notFound) return 'NOT_FOUND';
  if (open) return 'OPEN';
  if (!view) return (paid || asking) && watching ? 'CHECKING' : 'UNREACHABLE';
  const { status, virtualAccount, expiresAt, cancellations } = view;
  const ahead = (until ?? Date.parse(expiresAt)) - Date.parse(expiresAt);
  if (status === 'VIRTUAL_ACCOUNT_ISSUED' && now > Date.parse(virtualAccount?.expiresAt) + ahead) return 'ACCOUNT_OVERDUE';
  const underWay = cancellations?.some((row) => ['REQUESTED', 'UNKNOWN'].includes(row.status));
  if (underWay && ['PAID', 'PARTIAL_CANCELLED'].includes(status)) return 'CANCELLING';
  if (status !== 'PENDING') return STATUSES.includes(status) ? status : 'UNRECOGNIZED';
  if (paid || asking) return watching ? 'CHECKING' : 'UNCONFIRMED';
  if (now > until) return 'EXPIRED';
  return failure ? kindOfFailure(failure) : 'UNPAID';
}
