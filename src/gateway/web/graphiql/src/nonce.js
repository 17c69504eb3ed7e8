// Monaco and the dialog library write <style> elements and take no nonce for them. The page's own nonce
// on each lets the content security policy do without 'unsafe-inline' for style sheets.
const { nonce } = document.getElementById("gateway-config");
const createElement = document.createElement.bind(document);

document.createElement = (name, options) => {
  const element = createElement(name, options);
  if (element instanceof HTMLStyleElement) element.nonce = nonce;
  return element;
};
