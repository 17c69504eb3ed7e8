// Asks twice with one compiled example, with a new client each time, and prints what was sent and seen as JSON.
// Arguments: the example's module, the gateway's URL, a token.
const [example, url, token] = process.argv.slice(2);
const sent = [];
const send = globalThis.fetch;

function parameters(address, body) {
  if (body) return JSON.parse(body);
  const { query, extensions } = Object.fromEntries(new URL(address).searchParams);
  return { query, extensions: extensions && JSON.parse(extensions) };
}

globalThis.fetch = async (address, options) => {
  const { query, extensions } = parameters(address, options.body);
  const response = await send(address, options);
  const named = [extensions?.persistedQuery?.sha256Hash && "hash", query && "text"].filter(Boolean).join(" and ");
  sent.push(`${options.method} ${named}: ${response.status}`);
  return response;
};

const { connect, dashboard, undo, errorCodes } = await import(example);

async function visit() {
  const client = connect(url, token);
  sent.length = 0;
  const codes = await undo(client, "nothing", "key").then(() => [], errorCodes);
  const found = await dashboard(client).then((dashboard) => ({ dashboard }), (error) => ({ codes: errorCodes(error) }));
  return { ...found, undo: codes, sent: [...sent] };
}

console.log(JSON.stringify([await visit(), await visit()]));
process.exit(0);
