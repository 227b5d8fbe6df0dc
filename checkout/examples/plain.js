import { CheckoutError, createCheckout } from '../checkout.js';
import { config } from './config.js';
import { PAY_METHODS, SDKS, money, outcomeText, troubleText } from './words.js';

const checkout = createCheckout({ ...config, storageKey: 'example-plain' });

/** @type {(selector: string) => any} */
const find = (selector) => document.querySelector(selector);
const form = find('form');
const { product, name, email, phone, payMethod, sdk } = form.elements;

async function pay() {
  find('.trouble').textContent = '';
  try {
    // The same content again is the same order until it is paid: nothing here keeps a second press away.
    await checkout.pay({
      items: [{ productId: product.value, quantity: 1 }],
      customer: { name: name.value, email: email.value, phone: phone.value },
      payMethod: payMethod.value,
      sdk: sdk.value,
    });
  } catch (error) {
    if (!(error instanceof CheckoutError)) throw error;
    find('.trouble').textContent = troubleText(error);
  }
}

form.onsubmit = (event) => {
  event.preventDefault();
  pay();
};
find('.again').onclick = () => (form.reportValidity() ? pay() : undefined);
find('.check').onclick = () => checkout.check();

checkout.subscribe((result) => {
  const { orderId, outcome, order, failure, payable, final } = result;
  find('.result').hidden = false;
  find('.result').dataset.outcome = outcome;
  find('h2').textContent = outcomeText(result);
  // Text from outside is shown as text, never as HTML.
  find('.failure').textContent = payable ? failure?.message ?? '' : '';
  find('.amount').textContent = money(order?.amount);
  const account = outcome === 'VIRTUAL_ACCOUNT_ISSUED' ? order.virtualAccount : undefined;
  find('.account').hidden = !account;
  find('.account dd').textContent = account ? `${account.bank ?? ''} ${account.accountNumber}` : '';
  find('.order').textContent = orderId;
  find('.again').hidden = !payable;
  find('.check').hidden = final || outcome === 'CHECKING';
});

for (const [value, text] of PAY_METHODS) payMethod.add(new Option(text, value));
for (const [value, text] of SDKS) sdk.add(new Option(text, value));
checkout.resume();
checkout.products().then(
  (products) => {
    for (const { productId, name: title, price, currency, available } of products) {
      const option = new Option(`${title} · ${money({ total: price, currency })}`, productId);
      option.disabled = !available;
      product.add(option);
    }
  },
  (error) => {
    find('.trouble').textContent = troubleText(error);
  },
);
