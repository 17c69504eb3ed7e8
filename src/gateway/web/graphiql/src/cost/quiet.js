/**
 * A function that has `work` done when it was not called for so long. One work at a time: what is wanted during one is
 * done after it, once, so that no older result comes after a newer.
 */
export function whenQuiet(work, milliseconds) {
  let timer;
  let busy = false;
  let wanted = false;

  async function run() {
    wanted = true;
    if (busy) return;
    busy = true;
    while (wanted) {
      wanted = false;
      await work();
    }
    busy = false;
  }

  return () => {
    clearTimeout(timer);
    timer = setTimeout(run, milliseconds);
  };
}
