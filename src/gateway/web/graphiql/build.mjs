// Bundles src/ into dist/: hashed files, a manifest that names them, and the licences of what was bundled.
import { createHash } from "node:crypto";
import { readFile, readdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(fileURLToPath(import.meta.url));
const dist = join(root, "dist");
const bundledPackages = new Set();

const options = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  target: "es2022",
  legalComments: "none", // dist/LICENSES.txt carries them in full
  logLevel: "warning",
};

function rememberPackages(metafile) {
  for (const input of Object.keys(metafile.inputs)) {
    const [folder] = input.match(/^(.*\/)?node_modules\/(@[^/]+\/)?[^/]+/) ?? [];
    if (folder && !input.startsWith("worker:")) bundledPackages.add(folder); // a worker's own build tells its parts
  }
}

/** `import url from "x.worker.js?url"` bundles the worker into a file of its own and gives its address. */
const workers = {
  name: "workers",
  setup({ onResolve, onLoad, resolve }) {
    onResolve({ filter: /\?url$/ }, async ({ path, kind, resolveDir }) => {
      const resolved = await resolve(path.slice(0, -"?url".length), { kind, resolveDir });
      return { path: relative(root, resolved.path), namespace: "worker" }; // relative: the path goes into hashes
    });
    onLoad({ filter: /.*/, namespace: "worker" }, async ({ path }) => {
      const worker = await build({ ...options, entryPoints: [path], format: "iife", write: false, metafile: true });
      rememberPackages(worker.metafile);
      return { contents: worker.outputFiles[0].contents, loader: "file" };
    });
  },
};

/** GraphiQL's style sheet holds Monaco's styles already, and its fonts as data addresses: make those files. */
const styles = {
  name: "styles",
  setup({ onResolve, onLoad }) {
    onLoad({ filter: /monaco-editor[\\/].*\.css$/ }, () => ({ contents: "", loader: "empty" }));
    onResolve({ filter: /^data:font\// }, ({ path }) => {
      const [, extension] = path.match(/^data:font\/(\w+)/);
      const digest = createHash("sha256").update(path).digest("hex").slice(0, 8);
      return { path: `font-${digest}.${extension}`, namespace: "font", pluginData: path };
    });
    onLoad({ filter: /.*/, namespace: "font" }, ({ pluginData }) => ({
      contents: Buffer.from(pluginData.slice(pluginData.indexOf(",") + 1), "base64"),
      loader: "file",
    }));
  },
};

async function licences() {
  const texts = [];
  for (const folder of [...bundledPackages].sort()) {
    const { name, version, license } = JSON.parse(await readFile(join(root, folder, "package.json"), "utf8"));
    const files = (await readdir(join(root, folder))).filter((file) => /^(licen[cs]e|notice)/i.test(file));
    const bodies = await Promise.all(files.map((file) => readFile(join(root, folder, file), "utf8")));
    texts.push([`${name} ${version} (${license})`, ...bodies].join("\n\n"));
  }
  return texts.join(`\n\n${"-".repeat(80)}\n\n`);
}

const entry = "src/main.jsx";
await rm(dist, { recursive: true, force: true });
const { metafile } = await build({
  ...options,
  entryPoints: [entry],
  outdir: dist,
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  publicPath: "/graphiql/assets/",
  format: "esm",
  splitting: true,
  jsx: "automatic",
  metafile: true,
  // GraphiQL imports these parsers' CommonJS files lazily and by name; lazily, esbuild gives them no names.
  alias: { "prettier/parser-babel": "prettier/plugins/babel", "prettier/parser-graphql": "prettier/plugins/graphql" },
  plugins: [workers, styles],
});
rememberPackages(metafile);
const [script, { cssBundle }] = Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint === entry);
const manifest = {
  script: basename(script),
  style: basename(cssBundle),
  assets: Object.keys(metafile.outputs).map((path) => basename(path)).sort(),
};
await writeFile(join(dist, "LICENSES.txt"), await licences());
await writeFile(join(dist, "manifest.json"), JSON.stringify(manifest, null, 2));
