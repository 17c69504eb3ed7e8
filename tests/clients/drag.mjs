// Moves deals with one compiled example as a board would, twice with one key, then undoes it; prints what it saw as JSON.
// Arguments: the example's module, the gateway's URL, a token, the changes as JSON.
const [example, url, token, text] = process.argv.slice(2);
const { connect, board, drag, undo, errorCodes } = await import(example);

const changes = JSON.parse(text);
const client = connect(url, token);

async function shown() {
  const deals = (await board(client)) ?? [];
  return Object.fromEntries(deals.map(({ id, version, stage }) => [id, [stage.name, version]]));
}

function byStatus({ results }) {
  const found = {};
  for (const { status, dealId } of results) (found[status] ??= []).push(dealId);
  return found;
}

const boards = [await shown()];
const moved = await drag(client, changes, "drag-1");
boards.push(await shown());
const again = await drag(client, changes, "drag-1");
const reused = await drag(client, changes.slice(1), "drag-1").then(() => [], errorCodes);
const undone = await undo(client, moved.operationId, "undo-1");
boards.push(await shown());
const seen = {
  boards,
  moved: byStatus(moved),
  codes: moved.results.flatMap(({ error }) => (error ? [error.code] : [])),
  replayed: [moved.replayed, again.replayed],
  reused,
  undone: byStatus(undone),
};
console.log(JSON.stringify(seen));
process.exit(0);
