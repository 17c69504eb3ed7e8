import { createLocalStorage } from "@graphiql/toolkit";

const HISTORY = /:(queries|favorites)$/;
const withoutHeaders = (key, value) => (key === "headers" ? undefined : value);

/**
 * The browser's storage under names of our own, so that another GraphiQL once opened on this host and port does
 * not decide our first visit. GraphiQL's history stores headers whatever its settings say; here no token stays.
 */
export function createStorage(endpoint) {
  const storage = createLocalStorage({ namespace: `gateway:${endpoint}` });
  const setItem = (key, value) =>
    storage.setItem(key, HISTORY.test(key) ? JSON.stringify(JSON.parse(value), withoutHeaders) : value);
  return {
    getItem: storage.getItem,
    setItem,
    removeItem: storage.removeItem,
    clear: storage.clear,
    get length() {
      return storage.length;
    },
  };
}
