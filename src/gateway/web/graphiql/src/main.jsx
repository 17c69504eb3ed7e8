// GraphiQL on the gateway's own endpoint. Its configuration is JSON in the page: no script is ever inline.
import "./nonce.js";
import "graphiql/style.css";
import "./page.css";
import { GraphiQL } from "graphiql";
import { createRoot } from "react-dom/client";
import editorWorker from "monaco-editor/esm/vs/editor/editor.worker.js?url";
import jsonWorker from "monaco-editor/esm/vs/language/json/json.worker.js?url";
import graphqlWorker from "monaco-graphql/esm/graphql.worker.js?url";
import { createStorage } from "./storage.js";

const workerUrls = { json: jsonWorker, graphql: graphqlWorker };
globalThis.MonacoEnvironment = {
  getWorker: (_id, label) => new Worker(workerUrls[label] ?? editorWorker),
};

/** Sends the headers of the headers editor; while that is empty, or not yet on the page, `initialHeaders`. */
function createFetcher(endpoint, initialHeaders) {
  return async (params, { headers = initialHeaders } = {}) => {
    const sent = new Headers(headers);
    sent.set("Content-Type", "application/json");
    sent.set("Accept", "application/graphql-response+json, application/json;q=0.9");
    const response = await fetch(endpoint, { method: "POST", headers: sent, body: JSON.stringify(params) });
    return response.json();
  };
}

function App({ endpoint, defaultQuery, token, title }) {
  const headers = token ? { Authorization: `Bearer ${token}` } : undefined;
  return (
    <GraphiQL
      fetcher={createFetcher(endpoint, headers)}
      defaultQuery={defaultQuery}
      defaultHeaders={headers && JSON.stringify(headers, null, 2)}
      defaultEditorToolsVisibility="headers"
      shouldPersistHeaders={false}
      storage={createStorage(endpoint)}
    >
      <GraphiQL.Logo>{title}</GraphiQL.Logo>
    </GraphiQL>
  );
}

const config = JSON.parse(document.getElementById("gateway-config").textContent);
createRoot(document.getElementById("graphiql")).render(<App {...config} />);
