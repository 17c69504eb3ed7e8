// A browser with the network cut, and what is done in it. Run where playwright-core is installed.
// node DRIVER CHROMIUM PAGE_URL PROFILE_FOLDER SCREENSHOT
import { createRequire } from "node:module";
import { join } from "node:path";

const { chromium } = createRequire(join(process.cwd(), "package.json"))("playwright-core");
export const [executablePath, pageUrl, profile, screenshot] = process.argv.slice(2);
const { hostname } = new URL(pageUrl);

export const context = await chromium.launchPersistentContext(profile, {
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

/** What was seen, which a driver adds to. */
export const seen = { problems: [], urls: [] };
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

export const page = context.pages()[0];
export const QUERY = ".graphiql-query-editor";
export const TOOL = ".graphiql-editor-tool .graphiql-editor:not(.hidden)";

export const text = async (locator) => (await locator.innerText()).replaceAll("\u00a0", " ");
export const editorLines = (area) => text(page.locator(`${area} .view-lines`).first());

/** The next answer to anything but a question for a price. */
export const answer = () =>
  page.waitForResponse((response) => {
    const request = response.request();
    return request.method() === "POST" && !request.headers()["graphql-cost"];
  });

export async function type(area, content) {
  await page.locator(`${area} .monaco-editor`).first().click();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.insertText(content);
  await page.keyboard.press("ControlOrMeta+Shift+End"); // brackets that the editor closed by itself
  await page.keyboard.press("Delete");
}

/** Prints, as JSON, what was seen in a visit, also where it failed. */
export async function report(visit) {
  try {
    await visit();
  } finally {
    console.log(JSON.stringify(seen));
    await context.close();
  }
}
