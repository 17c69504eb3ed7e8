// What is known of prices and the budget. Answers and editors change it, the panel watches it.
import { outcomeOf, priceOf, reasonOf, secondsRefused } from "./answers.js";
import { budgetAt } from "./budget.js";

const UNKNOWN = {
  on: true, // whether prices are told at all
  price: null, // of the operation at hand
  old: false, // whether that was changed since
  reason: null, // why there is no price
  outcome: null, // of the last run
  budget: null,
  held: 0, // points of what is running
  refusedUntil: null, // when the last run, which was refused for now, fits
};

export class Costs {
  #known = UNKNOWN;
  #watchers = new Set();

  get = () => this.#known;

  watch = (watcher) => {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };

  set(changes) {
    this.#known = { ...this.#known, ...changes };
    for (const watcher of this.#watchers) watcher();
  }

  /** Any answer: it may tell of the budget, of which what is running was taken already. */
  heard({ body }) {
    const status = body.extensions?.cost?.throttleStatus;
    if (status) this.set({ budget: budgetAt(Date.now(), status), held: 0 });
  }

  /** The answer to a dry run. */
  priced(answer) {
    const price = priceOf(answer);
    this.heard(answer);
    this.#isAtHand(price, price ? null : reasonOf(answer));
    this.set({ on: Boolean(price || answer.body.errors) });
  }

  /** The operation at hand has no price; why, if the editors do not tell. */
  unpriced(reason = null) {
    this.#isAtHand(null, reason);
  }

  #isAtHand(price, reason) {
    const refused = this.#known.refusedUntil !== null; // which was said of another operation
    this.set({ price, reason, ...(refused && { refusedUntil: null, outcome: null }) });
  }

  /** An operation is run: what it may cost is held. */
  started() {
    const { price, old } = this.#known;
    this.set({ held: price && !old ? price.points : 0, outcome: null, refusedUntil: null });
  }

  /** It was answered. What was refused for its price tells what would make it cheaper. */
  finished(answer) {
    const seconds = secondsRefused(answer);
    const price = this.#known.old ? null : priceOf(answer);
    this.heard(answer);
    this.set({ held: 0, outcome: outcomeOf(answer), refusedUntil: seconds && Date.now() + seconds * 1000 });
    if (price) this.set({ price });
  }

  /** It was not. */
  failed() {
    this.set({ held: 0 });
  }
}
