// Calls one compiled example as a front end would, and prints what it saw as JSON.
// Arguments: the example's module, the remedy's module, the gateway's URL, a token.
const [example, remedies, url, token] = process.argv.slice(2);
const { connect, dashboard, everyCompany, errorCodes } = await import(example);
const { remedyFor } = await import(remedies);

async function codes(work) {
  try {
    await work();
    return [];
  } catch (error) {
    return errorCodes(error);
  }
}

const client = connect(url, token);
const unauthenticated = await codes(() => dashboard(connect(url, "")));
const seen = {
  dashboard: await dashboard(client),
  companies: await everyCompany(client, 30),
  tooMany: await codes(() => everyCompany(connect(url, token), 101)),
  unauthenticated,
  remedies: unauthenticated.map(remedyFor),
};
console.log(JSON.stringify(seen));
process.exit(0);
