// Watches the price under the editor, as an analyst does who types.
import { QUERY, TOOL, answer, context, page, pageUrl, report, screenshot, seen, text, type } from "./browser.mjs";

const cost = page.getByRole("region", { name: "Price" });
const price = cost.locator("strong");
const deals = (first, more = "") => `query Deals${more} { deals(first: ${first}) { nodes { name } } }`;
let asking = 0;
let done = () => {};

Object.assign(seen, { executed: [], mostAtOnce: 0 });
context.on("request", (request) => {
  if (request.method() !== "POST") return;
  const { operationName, query } = request.postDataJSON();
  if (request.headers()["graphql-cost"] !== "dry-run") seen.executed.push(operationName ?? query);
  else seen.mostAtOnce = Math.max(seen.mostAtOnce, ++asking);
});
context.on("requestfinished", (request) => {
  if (request.headers()["graphql-cost"] === "dry-run") asking -= 1;
});

/** What is shown when the price is settled, as lines. */
async function shown() {
  await cost.locator(".cost-old").first().waitFor({ state: "detached" });
  const lines = await Promise.all([cost.locator(".cost-line").first(), ...(await cost.locator("li").all())].map(text));
  return lines.map((line) => line.split("\n").filter(Boolean).join(" ").replaceAll(". ", "."));
}

async function typed(area, content) {
  await type(area, content);
  return shown();
}

await report(async () => {
  await Promise.all([answer(), page.goto(pageUrl)]);
  await price.waitFor();
  seen.config = JSON.parse(await page.locator("#gateway-config").textContent());
  seen.first = await shown();
  const { height } = await cost.boundingBox();
  await page.screenshot({ path: screenshot });

  seen.ten = await typed(QUERY, deals(10));
  seen.fifty = await typed(QUERY, deals(50));
  await page.keyboard.type(" # said one by one, and worth nothing more", { delay: 20 });
  seen.commented = await shown();
  seen.broken = await typed(QUERY, "query Deals { deals(first: 50) { nodes { name }");
  seen.unknown = await typed(QUERY, "{ deals { nobody } }");
  await page.getByRole("button", { name: "Variables" }).click();
  seen.undecided = await typed(QUERY, deals("$n", "($n: Int!)"));
  seen.decided = await typed(TOOL, '{"n": 90}');
  await typed(TOOL, "{}");
  seen.two = await typed(QUERY, `query Me { me { name } }\n${deals(30)}`);
  await page.keyboard.press("ControlOrMeta+Home");
  await page.waitForFunction(() => document.querySelector(".cost li")?.innerText.startsWith("me"));
  seen.underCursor = await shown();
  seen.sameHeight = height === (await cost.boundingBox()).height;

  const problemsBefore = seen.problems.length;
  await page.getByRole("button", { name: "Headers" }).click();
  seen.notSignedIn = await typed(TOOL, "{}");
  seen.problems.length = problemsBefore; // a browser logs each 401 as an error
});
