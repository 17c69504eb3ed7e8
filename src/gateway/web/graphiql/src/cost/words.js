// How points and times are told.
const UNITS = [
  [3600, "hour"],
  [60, "minute"],
  [1, "second"],
];

/** Whole points, in groups of three digits that no line breaks: 12 340. */
export const grouped = (points) => String(Math.floor(points)).replace(/\B(?=(\d{3})+$)/g, "\u00a0");

export const pointsOf = (points) => `${grouped(points)} ${points === 1 ? "point" : "points"}`;

/** What a path adds: with a tenth where that says anything. */
export function shareOf(points) {
  if (points >= 10) return grouped(Math.round(points));
  return points < 0.1 ? "< 0.1" : String(Math.round(points * 10) / 10);
}

/** A time in its largest unit, rounded up, so that it is over when it was told: 3 minutes. */
export function durationOf(seconds) {
  const whole = Math.max(1, Math.ceil(seconds));
  const [size, unit] = UNITS.find(([size]) => whole >= size);
  const count = Math.ceil(whole / size);
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
