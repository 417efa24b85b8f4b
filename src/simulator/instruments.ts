import { integer, pick } from './random.ts';

/** A currency that options are written on; prices in USD. */
export interface Asset {
  readonly name: string;
  readonly spot: number;
  readonly strikeStep: number;
  /** Usual sizes of an RFQ, in units of the asset. */
  readonly amounts: readonly number[];
}

export const assets: readonly Asset[] = [
  { name: 'BTC', spot: 108_000, strikeStep: 5000, amounts: [5, 10, 12.5, 25, 50, 100] },
  { name: 'ETH', spot: 3900, strikeStep: 200, amounts: [100, 250, 500, 1000, 2500] },
];

/** One leg of a strategy: which strike and expiry of those drawn, and how many are bought (negative: sold). */
interface LegShape {
  readonly option: 'C' | 'P';
  readonly strike: number;
  readonly expiry: number;
  readonly bought: number;
}

interface Strategy {
  readonly code: string;
  readonly strikes: number;
  readonly expiries: number;
  readonly legs: readonly LegShape[];
}

const leg = (option: 'C' | 'P', bought: number, strike = 0, expiry = 0): LegShape => ({
  option,
  strike,
  expiry,
  bought,
});

/** The usual strategies of an options desk. Strikes count upwards, expiries forwards. */
const strategies: readonly Strategy[] = [
  { code: 'CALL', strikes: 1, expiries: 1, legs: [leg('C', 1)] },
  { code: 'PUT', strikes: 1, expiries: 1, legs: [leg('P', 1)] },
  { code: 'CSpr', strikes: 2, expiries: 1, legs: [leg('C', 1, 0), leg('C', -1, 1)] },
  { code: 'PSpr', strikes: 2, expiries: 1, legs: [leg('P', -1, 0), leg('P', 1, 1)] },
  { code: 'RR', strikes: 2, expiries: 1, legs: [leg('P', -1, 0), leg('C', 1, 1)] },
  { code: 'Strd', strikes: 1, expiries: 1, legs: [leg('P', 1), leg('C', 1)] },
  { code: 'Strg', strikes: 2, expiries: 1, legs: [leg('P', 1, 0), leg('C', 1, 1)] },
  { code: 'CCal', strikes: 1, expiries: 2, legs: [leg('C', -1, 0, 0), leg('C', 1, 0, 1)] },
  { code: 'PCal', strikes: 1, expiries: 2, legs: [leg('P', -1, 0, 0), leg('P', 1, 0, 1)] },
  { code: 'CFly', strikes: 3, expiries: 1, legs: [leg('C', 1, 0), leg('C', -2, 1), leg('C', 1, 2)] },
];

/** A leg that has been drawn, with its price in units of the asset. */
export interface DrawnLeg {
  readonly instrumentName: string;
  readonly expiry: string;
  readonly direction: 'buy' | 'sell';
  readonly ratio: number;
  readonly price: number;
}

/** An option strategy as an RFQ asks for it. */
export interface DrawnStrategy {
  readonly code: string;
  readonly description: string;
  readonly legs: readonly DrawnLeg[];
  /** The future a hedge would use. */
  readonly future: { readonly instrumentName: string; readonly expiry: string };
}

/** Draws a strategy on `asset` around the spot price, with expiries after `now` (unix ms). */
export function drawStrategy(random: () => number, asset: Asset, spot: number, now: number): DrawnStrategy {
  const strategy = pick(random, strategies);
  const listed = listedExpiries(now);
  const first = integer(random, 0, listed.length - strategy.expiries);
  const expiries = listed.slice(first, first + strategy.expiries);
  const atTheMoney = Math.round(spot / asset.strikeStep);
  const lowest = atTheMoney + integer(random, -4, 3);
  const strikes = Array.from({ length: strategy.strikes }, (_, index) => (lowest + 2 * index) * asset.strikeStep);

  const legs = strategy.legs.map((shape): DrawnLeg => {
    const expiry = expiries[shape.expiry] ?? now;
    const strike = strikes[shape.strike] ?? spot;
    return {
      instrumentName: `${asset.name}-${dayLabel(expiry).toUpperCase()}-${strike}-${shape.option}`,
      expiry: dayLabel(expiry),
      direction: shape.bought > 0 ? 'buy' : 'sell',
      ratio: Math.abs(shape.bought),
      price: optionPrice(shape.option, spot, strike, expiry - now),
    };
  });
  const last = expiries.at(-1) ?? now;
  return {
    code: strategy.code,
    description: `${expiries.map(dayLabel).join('/')} ${strikes.join('/')} ${strategy.code}`,
    legs,
    future: { instrumentName: `${asset.name}-${dayLabel(last).toUpperCase()}`, expiry: dayLabel(last) },
  };
}

const dayMs = 86_400_000;

/** The next two Fridays and the last Fridays of the next four quarters, 08:00 UTC, at least one day ahead. */
export function listedExpiries(now: number): readonly number[] {
  const today = new Date(now);
  const nextFriday = fridayOnOrBefore(now + 8 * dayMs);
  const expiries = new Set([nextFriday, nextFriday + 7 * dayMs]);
  const quarter = Math.floor(today.getUTCMonth() / 3);
  for (let ahead = 1; ahead <= 5 && expiries.size < 6; ahead += 1) {
    const endOfQuarter = Date.UTC(today.getUTCFullYear(), 3 * (quarter + ahead), 0);
    const expiry = fridayOnOrBefore(endOfQuarter);
    if (expiry > nextFriday + 7 * dayMs) expiries.add(expiry);
  }
  return [...expiries];
}

function fridayOnOrBefore(time: number): number {
  const midnight = Math.floor(time / dayMs) * dayMs;
  const daysSinceFriday = (new Date(midnight).getUTCDay() + 2) % 7;
  return midnight - daysSinceFriday * dayMs + 8 * 3_600_000;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

function dayLabel(time: number): string {
  const date = new Date(time);
  return `${date.getUTCDate()}${months[date.getUTCMonth()] ?? ''}${String(date.getUTCFullYear()).slice(2)}`;
}

/** An option's price in units of the asset: Black-Scholes without interest at 55 % volatility, in ticks of 0.0001. */
export function optionPrice(option: 'C' | 'P', spot: number, strike: number, untilExpiry: number): number {
  const deviation = 0.55 * Math.sqrt(Math.max(untilExpiry, dayMs) / (365 * dayMs));
  const upper = Math.log(spot / strike) / deviation + deviation / 2;
  const call = normal(upper) - (strike / spot) * normal(upper - deviation);
  // Put-call parity.
  const price = option === 'C' ? call : call - 1 + strike / spot;
  return Math.max(roundPrice(price), 0.0001);
}

/** Rounds to the tick of 0.0001, without the tail of binary fractions. */
export function roundPrice(price: number): number {
  return Math.round(price * 10_000) / 10_000;
}

/** Cumulative normal distribution; Abramowitz and Stegun 26.2.17, error below 7.5e-8. */
function normal(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * series;
  return x > 0 ? 1 - tail : tail;
}
