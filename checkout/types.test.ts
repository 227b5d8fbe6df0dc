/** What the types let through and what they stop. Read by the compiler only; each expected error must be one. */
import { CheckoutError, createCheckout, type Result } from './checkout.js';

const checkout = createCheckout({ portoneSdk: 'https://cdn.portone.io/v2/browser-sdk.js', storage: sessionStorage });
const item = { productId: 'shoes', quantity: 1 };

// @ts-expect-error an order has a customer
checkout.pay({ items: [item] });
// @ts-expect-error no field of an order can change a price
checkout.pay({ items: [{ ...item, price: 1 }], customer: { name: '홍길동' } });
// @ts-expect-error where a phone returns to is configured once
checkout.pay({ items: [item], customer: { name: '홍길동' }, redirectUrl: 'https://evil.example' });
// @ts-expect-error PortOne has no such way to pay
checkout.pay({ items: [item], customer: { name: '홍길동' }, payMethod: 'CASH' });
// @ts-expect-error only `pay` finds out why
new CheckoutError('refused');

/** Every outcome has its branch, and each branch knows what it may use. */
export function said(result: Result): string {
  switch (result.outcome) {
    case 'PAID':
      return `${result.order.orderId} ${result.final satisfies true}`;
    case 'VIRTUAL_ACCOUNT_ISSUED':
      return result.order.virtualAccount?.accountNumber ?? '';
    case 'DECLINED':
    case 'CLOSED':
    case 'WINDOW_FAILED':
    case 'TAMPERED':
      return result.failure.code;
    case 'NOT_FOUND':
    case 'UNREACHABLE':
      return result.order satisfies undefined ?? '';
    case 'CHECKING':
      // @ts-expect-error nothing may be known yet
      return result.order.status;
    case 'UNRECOGNIZED':
      return result.order.status;
    case 'PARTIAL_CANCELLED':
    case 'CANCELLED':
    case 'CANCELLING':
    case 'REJECTED':
    case 'EXPIRED':
    case 'ACCOUNT_OVERDUE':
    case 'PAY_PENDING':
    case 'UNPAID':
    case 'OPEN':
    case 'UNCONFIRMED':
      return result.order.status;
    default:
      return result satisfies never;
  }
}

export async function buy(signal: AbortSignal): Promise<string> {
  try {
    const result = await checkout.pay({ items: [item], customer: { name: '홍길동' } }, { total: 1000, signal });
    if (result.payable) result.order.status satisfies 'PENDING';
    return said(result);
  } catch (error) {
    if (!(error instanceof CheckoutError)) throw error;
    return error.problem?.errors?.map(({ detail }) => detail).join() ?? error.code satisfies string;
  }
}

(await checkout.resume())?.outcome;
(await checkout.check({ orderId: '01JDABCDEFGHJKMNPQRSTVWXYZ' }))?.outcome;
// @ts-expect-error there may be nothing to take up
(await checkout.resume()).outcome;
checkout.subscribe((result) => result.watching satisfies boolean)() satisfies void;
