import { createApp, onMounted, onUnmounted, reactive, ref, shallowRef } from 'vue';
import { CheckoutError, createCheckout } from '../checkout.js';
import { config } from './config.js';
import { PAY_METHODS, SDKS, money, outcomeText, troubleText } from './words.js';

// One for the page: it remembers the order, and components come and go.
const checkout = createCheckout({ ...config, storageKey: 'example-vue' });

const Checkout = {
  setup() {
    const result = shallowRef(checkout.result);
    const products = ref(/** @type {import('../checkout.js').Product[]} */ ([]));
    const trouble = ref('');
    const order = reactive({ product: '', name: '', email: '', phone: '', payMethod: PAY_METHODS[0][0], sdk: SDKS[0][0] });

    /** @param {unknown} error */
    const tell = (error) => {
      if (error instanceof CheckoutError) trouble.value = troubleText(error);
      // Aborted: the component is gone.
      else if (!(error instanceof DOMException)) throw error;
    };

    const gone = new AbortController();
    onMounted(() => {
      const stop = checkout.subscribe((news) => {
        result.value = news;
      });
      gone.signal.addEventListener('abort', stop);
      checkout.resume({ signal: gone.signal }).catch(tell);
      checkout.products({ signal: gone.signal }).then((all) => {
        products.value = all;
        order.product ||= all.find(({ available }) => available)?.productId ?? '';
      }, tell);
    });
    onUnmounted(() => gone.abort());

    const pay = () => {
      const { product, name, email, phone, payMethod, sdk } = order;
      trouble.value = '';
      // The same content again is the same order until it is paid: nothing here keeps a second press away.
      checkout.pay({ items: [{ productId: product, quantity: 1 }], customer: { name, email, phone }, payMethod, sdk }).catch(tell);
    };

    return { result, products, trouble, order, pay, check: () => checkout.check(), money, outcomeText, PAY_METHODS, SDKS };
  },
  // {{ }} escapes; v-html is not used, and need not be.
  template: `
    <form @submit.prevent="pay">
      <label>상품 <select v-model="order.product" name="product" required>
        <option v-for="one in products" :key="one.productId" :value="one.productId" :disabled="!one.available">{{ one.name }} · {{ money({ total: one.price, currency: one.currency }) }}</option>
      </select></label>
      <label>이름 <input v-model="order.name" name="name" autocomplete="name" maxlength="60" required></label>
      <label>이메일 <input v-model="order.email" name="email" type="email" autocomplete="email" required></label>
      <label>휴대폰 <input v-model="order.phone" name="phone" type="tel" autocomplete="tel" required></label>
      <label>결제수단 <select v-model="order.payMethod" name="payMethod"><option v-for="[value, text] in PAY_METHODS" :key="value" :value="value">{{ text }}</option></select></label>
      <label>연동 <select v-model="order.sdk" name="sdk"><option v-for="[value, text] in SDKS" :key="value" :value="value">{{ text }}</option></select></label>
      <button>결제하기</button>
      <p class="trouble" role="alert">{{ trouble }}</p>
    </form>
    <section v-if="result" class="result" aria-live="polite" :data-outcome="result.outcome">
      <h2>{{ outcomeText(result) }}</h2>
      <p v-if="result.payable && result.failure" class="failure">{{ result.failure.message }}</p>
      <dl>
        <div><dt>금액</dt><dd class="amount">{{ money(result.order?.amount) }}</dd></div>
        <div v-if="result.outcome === 'VIRTUAL_ACCOUNT_ISSUED'" class="account"><dt>입금 계좌</dt><dd>{{ result.order.virtualAccount?.bank }} {{ result.order.virtualAccount?.accountNumber }}</dd></div>
        <div><dt>주문번호</dt><dd class="order">{{ result.orderId }}</dd></div>
      </dl>
      <p class="buttons">
        <button v-if="result.payable" type="button" class="again" @click="pay">다시 결제</button>
        <button v-if="!result.final && result.outcome !== 'CHECKING'" type="button" class="check" @click="check">다시 확인</button>
      </p>
    </section>
  `,
};

createApp(Checkout).mount('#app');
