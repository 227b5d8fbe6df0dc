import { StrictMode, useEffect, useState, useSyncExternalStore } from 'react';
import { createRoot } from 'react-dom/client';
import { CheckoutError, createCheckout } from '../checkout.js';
import { config } from './config.js';
import { PAY_METHODS, SDKS, money, outcomeText, troubleText } from './words.js';

// One for the page: it remembers the order, and components come and go.
const checkout = createCheckout({ ...config, storageKey: 'example-react' });

function Checkout() {
  const result = useSyncExternalStore(checkout.subscribe, () => checkout.result);
  /** @type {[import('../checkout.js').Product[], Function]} */
  const [products, setProducts] = useState([]);
  const [trouble, setTrouble] = useState('');
  const [order, setOrder] = useState({ product: '', name: '', email: '', phone: '', payMethod: PAY_METHODS[0][0], sdk: SDKS[0][0] });
  const field = (name) => ({ name, required: true, value: order[name], onChange: ({ target }) => setOrder({ ...order, [name]: target.value }) });

  /** @param {unknown} error */
  const tell = (error) => {
    if (error instanceof CheckoutError) setTrouble(troubleText(error));
    // Aborted: the component is gone.
    else if (!(error instanceof DOMException)) throw error;
  };

  useEffect(() => {
    const gone = new AbortController();
    checkout.resume({ signal: gone.signal }).catch(tell);
    checkout.products({ signal: gone.signal }).then((all) => {
      setProducts(all);
      setOrder((now) => ({ ...now, product: now.product || all.find(({ available }) => available)?.productId || '' }));
    }, tell);
    return () => gone.abort();
  }, []);

  const pay = () => {
    const { product, name, email, phone, payMethod, sdk } = order;
    setTrouble('');
    // The same content again is the same order until it is paid: nothing here keeps a second press away.
    checkout.pay({ items: [{ productId: product, quantity: 1 }], customer: { name, email, phone }, payMethod, sdk }).catch(tell);
  };

  return (
    <>
      <form onSubmit={(event) => { event.preventDefault(); pay(); }}>
        <label>상품 <select {...field('product')}>{products.map(({ productId, name, price, currency, available }) => (
          <option key={productId} value={productId} disabled={!available}>{name} · {money({ total: price, currency })}</option>
        ))}</select></label>
        <label>이름 <input {...field('name')} autoComplete="name" maxLength={60} /></label>
        <label>이메일 <input {...field('email')} type="email" autoComplete="email" /></label>
        <label>휴대폰 <input {...field('phone')} type="tel" autoComplete="tel" /></label>
        <label>결제수단 <select {...field('payMethod')}>{PAY_METHODS.map(([value, text]) => <option key={value} value={value}>{text}</option>)}</select></label>
        <label>연동 <select {...field('sdk')}>{SDKS.map(([value, text]) => <option key={value} value={value}>{text}</option>)}</select></label>
        <button>결제하기</button>
        <p className="trouble" role="alert">{trouble}</p>
      </form>
      {result && <Receipt result={result} pay={pay} />}
    </>
  );
}

/** @param {{ result: import('../checkout.js').Result, pay: () => void }} props */
function Receipt({ result, pay }) {
  const { outcome, orderId, order, failure, payable, final } = result;
  const account = outcome === 'VIRTUAL_ACCOUNT_ISSUED' ? order.virtualAccount : undefined;
  return (
    <section className="result" aria-live="polite" data-outcome={outcome}>
      <h2>{outcomeText(result)}</h2>
      {payable && failure && <p className="failure">{failure.message}</p>}
      <dl>
        <div><dt>금액</dt><dd className="amount">{money(order?.amount)}</dd></div>
        {account && <div className="account"><dt>입금 계좌</dt><dd>{account.bank} {account.accountNumber}</dd></div>}
        <div><dt>주문번호</dt><dd className="order">{orderId}</dd></div>
      </dl>
      <p className="buttons">
        {payable && <button type="button" className="again" onClick={pay}>다시 결제</button>}
        {!final && outcome !== 'CHECKING' && <button type="button" className="check" onClick={() => checkout.check()}>다시 확인</button>}
      </p>
    </section>
  );
}

const app = document.getElementById('app');
if (app) createRoot(app).render(<StrictMode><Checkout /></StrictMode>);
