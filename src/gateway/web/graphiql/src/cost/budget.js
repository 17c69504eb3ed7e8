// A tenant's budget, as the last answer told it and as it is by the clock since: points come back at a steady rate.
// Moments are milliseconds.

/** `status`: the `throttleStatus` of an answer that came at this moment. */
export function budgetAt(moment, { maximumAvailable, currentlyAvailable, restoreRate }) {
  return { maximum: maximumAvailable, available: currentlyAvailable, restoreRate, moment };
}

export function availableAt(now, { maximum, available, restoreRate, moment }) {
  const restored = (restoreRate * Math.max(0, now - moment)) / 1000;
  return Math.min(maximum, available + restored);
}

/** When so many points are there, if nobody takes any; Infinity where the budget never holds them. */
export function momentOf(points, { maximum, available, restoreRate, moment }) {
  if (points > maximum) return Infinity;
  return moment + (Math.max(0, points - available) / restoreRate) * 1000;
}
