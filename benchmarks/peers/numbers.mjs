// Exact decimals as texts, and quotients: the formulas of the gateway's schema.
import Decimal from "decimal.js";

Decimal.set({ precision: 28, rounding: Decimal.ROUND_HALF_EVEN });

/** A decimal in plain notation without trailing zeros. */
export function plain(value) {
  return new Decimal(value).toFixed();
}

export function sum(values) {
  return values.reduce((total, value) => total.plus(value), new Decimal(0));
}

export function times(one, other) {
  return new Decimal(one).times(other);
}

/** A quotient as a float; null where there is nothing to divide by. */
export function ratio(part, whole) {
  return Number(whole) === 0 ? null : new Decimal(part).div(whole).toNumber();
}

/** A quotient of four decimals; null where there is nothing to divide by. */
export function average(total, count) {
  return count === 0 ? null : new Decimal(total).div(count).toDecimalPlaces(4).toFixed();
}
