// Uses GraphiQL as a newcomer does and prints, as JSON, what was seen. Run where playwright-core is installed.
// node graphiql.mjs CHROMIUM PAGE_URL PROFILE_FOLDER SCREENSHOT
import { createRequire } from "node:module";
import { join } from "node:path";

const { chromium } = createRequire(join(process.cwd(), "package.json"))("playwright-core");
const [executablePath, pageUrl, profile, screenshot] = process.argv.slice(2);
const { hostname } = new URL(pageUrl);

const context = await chromium.launchPersistentContext(profile, {
  executablePath,
  viewport: { width: 1400, height: 900 },
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    `--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE ${hostname}`, // the network is cut
  ],
});
context.setDefaultTimeout(20_000);

const seen = { problems: [], urls: [] };
await context.addInitScript(() =>
  addEventListener("securitypolicyviolation", (event) =>
    console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`),
  ),
);
context.on("console", (message) => {
  if (["error", "warning"].includes(message.type())) seen.problems.push(message.text());
});
context.on("weberror", (error) => seen.problems.push(String(error.error())));
context.on("request", (request) => seen.urls.push(request.url()));

const page = context.pages()[0];
const text = async (locator) => (await locator.innerText()).replaceAll("\u00a0", " ");
const editorLines = (area) => text(page.locator(`${area} .view-lines`).first());
const answer = () => page.waitForResponse((response) => response.request().method() === "POST");

async function type(area, content) {
  await page.locator(`${area} .monaco-editor`).first().click();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.insertText(content);
}

try {
  const [introspection] = await Promise.all([answer(), page.goto(pageUrl)]);
  seen.introspectionStatus = introspection.status();
  seen.config = JSON.parse(await page.locator("#gateway-config").textContent());
  seen.title = await page.title();
  seen.query = await editorLines(".graphiql-query-editor");
  seen.headers = await editorLines(".graphiql-editor-tool .graphiql-editor:not(.hidden)");

  const [execution] = await Promise.all([answer(), page.getByRole("button", { name: /^Execute query/ }).click()]);
  seen.answer = await execution.json();
  await page.locator(".graphiql-response .view-line").nth(2).waitFor();
  seen.result = await editorLines(".graphiql-response");
  await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
  seen.documentation = await text(page.locator(".graphiql-doc-explorer"));
  await page.screenshot({ path: screenshot });
  await page.getByRole("button", { name: "Show History" }).click();
  seen.history = await text(page.locator(".graphiql-history"));

  await page.getByRole("button", { name: "New tab" }).click();
  await type(".graphiql-query-editor", "{ ");
  await page.keyboard.type("pipelineS");
  const suggestion = page.locator(".suggest-widget .monaco-list-row");
  await suggestion.first().waitFor();
  seen.suggestions = await suggestion.evaluateAll((rows) => rows.map((row) => row.getAttribute("aria-label")));
  await page.keyboard.press("Escape");

  await type(".graphiql-query-editor", "query Mine{__typename}");
  await page.getByRole("button", { name: /^Prettify query/ }).click();
  await page.locator(".graphiql-query-editor").locator(".view-line").nth(2).waitFor();
  seen.prettified = await editorLines(".graphiql-query-editor");
  await page.getByRole("button", { name: "Open settings dialog" }).click();
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  seen.storage = await page.evaluate(() => JSON.stringify(localStorage));

  const problemsBefore = seen.problems.length;
  await type(".graphiql-editor-tool .graphiql-editor:not(.hidden)", '{"authorization": "Bearer nonsense"}');
  await page.getByRole("button", { name: "Re-fetch GraphQL schema" }).click();
  await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
  seen.refused = await text(page.locator(".graphiql-doc-explorer-error"));
  seen.problems.length = problemsBefore; // a browser logs each 401 as an error
} finally {
  console.log(JSON.stringify(seen));
  await context.close();
}
