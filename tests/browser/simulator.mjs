/** What happens at PortOne without the buyer's page: the control interface of the payment simulator. */
import { system } from './system.mjs';

async function control(path, body, method = 'POST', shop = system) {
  const url = new URL(`/_simulator/${path}`, shop.config.portoneSdk);
  const sent = body && { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(url, sent);
  if (response.status === 404 && !body) return undefined;
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  const text = await response.text();
  return text ? JSON.parse(text) : undefined;
}

export const simulator = {
  /** A slow payment is decided by the story that made it, not by the clock. */
  leaveSlowPaymentsPending: () => control('switches', { slowApprovalMs: 3_600_000 }, 'PATCH'),
  /** The payment as PortOne's REST would show it, or undefined. */
  payment: async (paymentId, shop) => (await control(`payments/${paymentId}`, undefined, 'GET', shop))?.payment,
  /** A payment as a whole, as nobody's window made it: `{transactionId, pgTxId, …}`. */
  put: (paymentId, spec) => control(`payments/${paymentId}`, spec, 'PUT'),
  /** The next webhooks are lost on the way. */
  dropWebhooks: (count) => control('webhooks/rules', { dropNext: count }, 'PATCH'),
  /** The open or pending attempt is approved. */
  pay: (paymentId) => control(`payments/${paymentId}/actions`, { action: 'approve' }),
  /** The PG makes up its mind against it. */
  decline: (paymentId) => control(`payments/${paymentId}/actions`, { action: 'decline' }),
  /** The money arrives on the virtual account. */
  deposit: (paymentId) => control(`payments/${paymentId}/actions`, { action: 'deposit' }),
  /** The card holder disputes the payment. */
  dispute: (paymentId) => control(`payments/${paymentId}/actions`, { action: 'dispute' }),
  /** The dispute is resolved. */
  resolveDispute: (paymentId) => control(`payments/${paymentId}/actions`, { action: 'resolve-dispute' }),
  /** The card company takes the money back. */
  chargeback: (paymentId) => control(`payments/${paymentId}/actions`, { action: 'chargeback' }),
  /** How the PG takes the payment's cancellations: `SYNC`, `ASYNC`, `FAIL_IN_BAND`, … */
  cancelMode: (paymentId, mode) => control(`payments/${paymentId}/cancel-mode`, { mode }, 'PUT'),
  /** The PG makes up its mind for the cancellation it took. */
  approveCancellation: (paymentId) => control(`payments/${paymentId}/actions`, { action: 'approve-cancellation' }),
};
