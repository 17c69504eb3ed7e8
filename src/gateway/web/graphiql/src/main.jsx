// GraphiQL on the gateway's own endpoint. Its configuration is JSON in the page: no script is ever inline.
import "./nonce.js";
import "graphiql/style.css";
import "./page.css";
import { GraphiQL } from "graphiql";
import { createRoot } from "react-dom/client";
import editorWorker from "monaco-editor/esm/vs/editor/editor.worker.js?url";
import jsonWorker from "monaco-editor/esm/vs/language/json/json.worker.js?url";
import graphqlWorker from "monaco-graphql/esm/graphql.worker.js?url";
import { Costs } from "./cost/costs.js";
import { CostPanel } from "./cost/panel.jsx";
import { createFetcher } from "./fetcher.js";
import { createStorage } from "./storage.js";

const workerUrls = { json: jsonWorker, graphql: graphqlWorker };
globalThis.MonacoEnvironment = {
  getWorker: (_id, label) => new Worker(workerUrls[label] ?? editorWorker),
};

const costs = new Costs();

function App({ endpoint, defaultQuery, token, title }) {
  const headers = token ? { Authorization: `Bearer ${token}` } : undefined;
  return (
    <GraphiQL
      fetcher={createFetcher(endpoint, headers, costs)}
      defaultQuery={defaultQuery}
      defaultHeaders={headers && JSON.stringify(headers, null, 2)}
      defaultEditorToolsVisibility="headers"
      shouldPersistHeaders={false}
      storage={createStorage(endpoint)}
    >
      <GraphiQL.Logo>{title}</GraphiQL.Logo>
      <CostPanel endpoint={endpoint} costs={costs} />
    </GraphiQL>
  );
}

const config = JSON.parse(document.getElementById("gateway-config").textContent);
createRoot(document.getElementById("graphiql")).render(<App {...config} />);
