/** What happens at PortOne without the buyer's page: the control interface of the payment simulator. */
import { system } from './system.mjs';

async function control(path, body, method = 'POST') {
  const url = new URL(`/_simulator/${path}`, system.config.portoneSdk);
  const sent = body && { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(url, sent);
  if (response.status === 404 && !body) return undefined;
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response.json();
}

export const simulator = {
  /** A slow payment is decided by the story that made it, not by the clock. */
  leaveSlowPaymentsPending: () => control('switches', { slowApprovalMs: 3_600_000 }, 'PATCH'),
  /** The payment as PortOne's REST would show it, or undefined. */
  payment: async (paymentId) => (await control(`payments/${paymentId}`))?.payment,
  /** The open or pending attempt is approved. */
  pay: (paymentId) => control(`payments/${paymentId}/actions`, { action: 'approve' }),
  /** The PG makes up its mind against it. */
  decline: (paymentId) => control(`payments/${paymentId}/actions`, { action: 'decline' }),
  /** The money arrives on the virtual account. */
  deposit: (paymentId) => control(`payments/${paymentId}/actions`, { action: 'deposit' }),
};
