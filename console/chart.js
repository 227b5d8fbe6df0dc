/** Bars of what came and what went back, day by day. The table beside it says the same; this is for the eye. */
import { svg } from './dom.js';
import { language, money, phrases, say } from './words.js';

const HEIGHT = 260;
const LEFT = 56;
const TOP = 14;
const BOTTOM = 26;
/** A label of the axis takes so much room. */
const LABEL = 52;

/** The next of 1, 2 or 5 times a power of ten. */
function roundedUp(amount) {
  const power = 10 ** Math.floor(Math.log10(amount));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= amount);
}

/** `days` as days.js has them: `{day, totals}`. Drawn as wide as its place is, so that its words keep their size. */
export function drawChart(place, days, currency) {
  const width = Math.max(place.clientWidth, 280);
  const backOf = ({ cancellations, returns }) => -(cancellations.amount + returns.amount);
  const most = Math.max(1, ...days.map(({ totals }) => totals?.payments.amount ?? 0));
  const mostBack = Math.max(0, ...days.map(({ totals }) => (totals ? backOf(totals) : 0)));
  const step = roundedUp(Math.max(most, mostBack) / 5);
  const [up, down] = [Math.ceil(most / step), Math.ceil(mostBack / step)];
  const unit = (HEIGHT - TOP - BOTTOM) / ((up + down) * step);
  const zero = TOP + up * step * unit;
  const slot = (width - LEFT - 4) / days.length;
  const bar = Math.max(1.5, Math.min(28, slot * 0.68));

  const { maximumFractionDigits: digits } = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions();
  const short = new Intl.NumberFormat(language, { notation: 'compact', maximumFractionDigits: 1 });
  const lines = Array.from({ length: up + down + 1 }, (_, index) => (index - down) * step).map((amount) => {
    const y = zero - amount * unit;
    return svg('g', {},
      svg('line', { x1: LEFT, x2: width, y1: y, y2: y, class: amount ? 'line' : 'zero' }),
      svg('text', { x: LEFT - 8, y: y + 4, 'text-anchor': 'end' }, short.format(amount / 10 ** digits)));
  });

  const every = Math.ceil(LABEL / slot);
  const bars = days.map(({ day, totals }, index) => {
    const middle = LEFT + slot * (index + 0.5);
    const column = (amount, y, kind) => amount > 0 && svg('rect', { x: middle - bar / 2, y, width: bar, height: Math.max(1, amount * unit), rx: Math.min(2, bar / 4), class: kind });
    const came = totals?.payments.amount ?? 0;
    const label = (days.length - 1 - index) % every === 0 && middle + LABEL / 2 <= width + 8;
    return svg('g', { 'data-day': day, 'data-in': totals && came, 'data-back': totals && backOf(totals) },
      svg('title', {}, totals ? `${day} · ${say(phrases.moneyIn)} ${money(came, currency)} · ${say(phrases.moneyBack)} ${money(backOf(totals), currency)}` : `${day} · ${say(phrases.notCounted)}`),
      // The whole height answers to a pointer.
      svg('rect', { x: middle - slot / 2, y: TOP, width: slot, height: HEIGHT - TOP - BOTTOM, class: 'room' }),
      column(came, zero - came * unit, 'in'),
      totals && column(backOf(totals), zero, 'back'),
      !totals && svg('circle', { cx: middle, cy: zero, r: 1.5, class: 'missing' }),
      label && svg('text', { x: middle, y: HEIGHT - 6, 'text-anchor': 'middle' }, `${Number(day.slice(5, 7))}/${Number(day.slice(8))}`));
  });
  place.replaceChildren(svg('svg', { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: 'img', 'aria-labelledby': 'chart-caption' }, lines, bars));
}
